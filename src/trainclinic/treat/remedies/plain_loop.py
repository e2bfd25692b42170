"""plain-loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage


@dataclass(frozen=True)
class PlainLoop(Remedy):
    """Train with the plain loop instead of one's own.

    What it does:
        Train mode at the start of every epoch; for each batch zero_grad, forward, backward, step, in this order, with
        the clipping and the schedule that the training has; then eval mode, and the validation loss without gradient.

    When it helps:
        The loop itself is at fault: gradients that are never cleared, the mode that validation left behind, a step in
        the wrong place.

    Side effects:
        Whatever else one's own loop did is gone: logging, checkpoints, accumulation over several batches, mixed
        precision.

    References:
        PyTorch documentation (Optimizer.zero_grad, Module.train).
    """

    stage: ClassVar[Stage] = "loop"
    treats: ClassVar[dict[str, int]] = {"stale-gradient": 1, "wrong-mode": 1}

    def prescribe(self, setup: Setup) -> Prescription:
        """A function `train` that is called in place of the loop."""
        if setup.loop is None:
            raise RefusedError(f"{self.id()}: the training uses the plain loop already; look for the fault in the "
                               "model or in step: a call of eval(), or a backward pass of its own")  # fmt: skip
        if setup.step is not None:
            head, loss = "for batch in {}", "step(model, batch)"
        else:
            head, loss = "for inputs, targets in {}", "loss_fn(model(inputs), targets)"
        lines = [
            "model.train()",
            head.format("train_loader:"),
            "    optimizer.zero_grad()",
            f"    {loss}.backward()",
        ]
        if setup.clip_grad_norm is not None:
            lines.append(f"    nn.utils.clip_grad_norm_(model.parameters(), {setup.clip_grad_norm!r})")
        lines.append("    optimizer.step()")
        if setup.val_loader is not None:
            lines += [
                "model.eval()",
                "with torch.no_grad():",
                f"    losses = [{loss}.item() {head.format('val_loader')}]",
                "history.append(sum(losses) / len(losses))",
            ]
        if setup.scheduler is not None:
            lines.append("scheduler.step()")
        return Prescription(
            "trained by the plain loop",
            "def train(model, loss_fn, optimizer, train_loader, val_loader, epochs):\n"
            "    history = []  # the validation loss after each epoch\n"
            "    for _ in range(epochs):\n" + "".join(f"        {line}\n" for line in lines) + "    return history\n",
        )
