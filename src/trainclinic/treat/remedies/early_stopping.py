"""early-stopping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

PATIENCE = 0.1  # of the planned epochs
SHORTEST = 5  # epochs of patience
CODE = '''\
import copy


def train(model, loss_fn, optimizer, train_loader, val_loader, epochs):
    """Stop when the validation loss has not improved for {patience} epochs; keep the best weights in any case."""
    best, kept, waited = float("inf"), None, 0
    for _ in range(epochs):
        model.train()
        for {batch} in train_loader:
            optimizer.zero_grad()
            {loss}.backward()
{clip}            optimizer.step()
{schedule}        model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for {batch} in val_loader:
                total += {loss}.item() * {size}
                count += {size}
        loss = total / count
        waited = 0 if loss < best - {min_delta} else waited + 1
        if loss < best:
            best, kept = loss, copy.deepcopy(model.state_dict())  # a copy: the weights go on changing
        if waited >= {patience}:
            break
    if kept is not None:
        model.load_state_dict(kept)
'''


@dataclass(frozen=True)
class EarlyStopping(Remedy):
    """Stop once the validation loss has stopped falling, and keep the weights of its best epoch.

    What it does:
        Trains with a plain loop that evaluates after every epoch, copies the weights whenever the validation loss is
        the best so far, and stops after `patience` epochs without one that is better by `min_delta`. The best weights
        are put back at the end, also where the epochs ran out first. Clipping, scheduler and `step` stay as they were.

    When it helps:
        The general pattern is learned before the particular samples are: the best epoch is somewhere on the way.

    Side effects:
        The epoch is chosen by the validation data, so that its loss is a little too good: keep a third part of the data
        for the figure that is reported. A schedule that was to end low is cut off; the second descent of very large
        networks is never reached.

    References:
        Morgan & Bourlard 1990; Prechelt 1998.
    """

    patience: int = setting(10, "epoch", low=1)
    min_delta: float = setting(0.0, "loss", low=0.0)

    treats: ClassVar[dict[str, int]] = {"overfitting": 1, "noisy-labels": 1}
    stage: ClassVar[Stage] = "loop"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """A tenth of the planned epochs; half of that where the rise is fast."""
        patience = max(SHORTEST, round(PATIENCE * setup.epochs))
        return [cls(patience), cls(max(2, patience // 2))]

    def prescribe(self, setup: Setup) -> Prescription:
        """The whole loop, with what this Setup's loop has."""
        if setup.loop is not None:
            raise RefusedError(f"{self.id()}: the training has a loop of its own, which it would replace; stop there, "
                               "and keep a deep copy of the best weights")  # fmt: skip
        if setup.val_loader is None:
            raise RefusedError(f"{self.id()}: there is no validation data to tell when to stop; hold some out")
        if self.patience >= setup.epochs:
            raise RefusedError(f"{self.id()}: a patience of {self.patience} epochs never ends a training of "
                               f"{setup.epochs}; choose a shorter one")  # fmt: skip
        pairs = setup.step is None
        clip = setup.clip_grad_norm
        code = CODE.format(
            patience=self.patience,
            min_delta=self.min_delta,
            batch="inputs, targets" if pairs else "batch",
            loss="loss_fn(model(inputs), targets)" if pairs else "step(model, batch)",
            size="len(targets)" if pairs else "1",
            clip="" if clip is None else f"            nn.utils.clip_grad_norm_(model.parameters(), {clip})\n",
            schedule="" if setup.scheduler is None else "        scheduler.step()\n",
        )
        return Prescription(f"early stopping after {self.patience} epochs without a better validation loss", code)
