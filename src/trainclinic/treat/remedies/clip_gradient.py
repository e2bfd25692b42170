"""clip-gradient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting


@dataclass(frozen=True)
class ClipGradient(Remedy):
    """Shorten a gradient that is longer than a limit, before every optimizer step.

    What it does:
        Where the norm of all gradients together exceeds the limit, all are scaled down by the same factor: the
        direction stays, the length becomes the limit. A hook of the optimizer does it, right before its step.

    When it helps:
        One batch, or the first steps, have gradients many times as large as the usual ones; one such step throws the
        weights far from where they were.

    Side effects:
        A limit below the usual norm shortens every step and acts like a smaller learning rate. Adam divides by the
        usual size of a gradient itself, so that there only outliers are affected. Where it alone keeps a training
        alive, the cause is often elsewhere: the initialization, the scale of the data.

    References:
        Mikolov 2012; Pascanu, Mikolov & Bengio 2013.
    """

    norm: float = setting(1.0, "gradient norm", low=1e-6, high=1e6)

    stage: ClassVar[Stage] = "loop"  # its hook must sit on the optimizer that is there in the end
    treats: ClassVar[dict[str, int]] = {
        "exploding-gradient": 3, "non-finite": 3, "learning-rate-too-high": 4, "oscillating-loss": 5,
    }  # fmt: skip

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """The usual limit, then a tenth of it."""
        return (cls(1.0), cls(0.1))

    def prescribe(self, setup: Setup) -> Prescription:
        """One line."""
        present = setup.clip_grad_norm
        if present is not None and present <= self.norm:
            raise RefusedError(f"{self.id()}: the gradient norm is clipped at {present:g} already, which is no more "
                               f"than {self.norm:g}; a smaller learning rate does more")  # fmt: skip
        if type(setup.optimizer).__name__ == "LBFGS":
            raise RefusedError(f"{self.id()}: LBFGS takes several gradients in one step, which no hook sees; "
                               "clip in its closure")  # fmt: skip
        return Prescription(
            f"gradient norm clipped at {self.norm:g}",
            "def clip(*_):\n"
            f"    nn.utils.clip_grad_norm_(model.parameters(), {self.norm!r})\n\n\n"
            "optimizer.register_step_pre_hook(clip)\n",
        )
