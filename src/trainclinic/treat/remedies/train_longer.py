"""train-longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch.optim import lr_scheduler

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting

#: scheduler → what of it counts epochs
LENGTHS: dict[type[lr_scheduler.LRScheduler], str] = {
    lr_scheduler.CosineAnnealingLR: "T_max",
    lr_scheduler.StepLR: "step_size",
    lr_scheduler.LinearLR: "total_iters",
    lr_scheduler.PolynomialLR: "total_iters",
}


@dataclass(frozen=True)
class TrainLonger(Remedy):
    """More epochs.

    What it does:
        Multiplies the number of epochs; a schedule that counts epochs is stretched by the same factor.

    When it helps:
        The loss was still falling at a useful rate when the training ended.

    Side effects:
        It costs what it says. A network that is large for its data begins to overfit: watch the validation loss.

    References:
        Hoffer, Hubara & Soudry 2017.
    """

    factor: int = setting(3, "1", low=2, high=100)

    stage: ClassVar[Stage] = "optimizer"  # before the remedies that reckon with the length of the run
    treats: ClassVar[dict[str, int]] = {"undertrained": 1, "underfitting": 5, "learning-rate-too-low": 5}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Three times as long."""
        return (cls(3),)

    def prescribe(self, setup: Setup) -> Prescription:
        """Two lines at most."""
        code = f"epochs = {setup.epochs * self.factor}\n"
        if setup.scheduler is not None:
            name = LENGTHS.get(type(setup.scheduler))
            if name is None:
                raise RefusedError(f"{self.id()}: {type(setup.scheduler).__name__} has a length of its own; stretch it "
                                   "where it is built")  # fmt: skip
            code += f"scheduler.{name} = {getattr(setup.scheduler, name) * self.factor}\n"
        return Prescription(f"{setup.epochs * self.factor} epochs instead of {setup.epochs}", code)
