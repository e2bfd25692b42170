"""decay-schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainclinic.setup import Setup
from trainclinic.treat.loaders import steps_an_epoch
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage


@dataclass(frozen=True)
class DecaySchedule(Remedy):
    """Let the learning rate fall over the run, along half a cosine.

    What it does:
        After t of T steps the learning rate is the present one times (1 + cos(π t / T)) / 2: long steps first, none at
        the end. A hook of the optimizer moves it after every step, so that no loop has to call it.

    When it helps:
        A constant rate leaves the weights rattling at a height that its length decides. Long steps find the valley,
        short ones its bottom.

    Side effects:
        The end of the training has to be known beforehand; going on after it learns nothing more. A run that is cut
        short has not had its best part.

    References:
        Loshchilov & Hutter 2017; Robbins & Monro 1951.
    """

    stage: ClassVar[Stage] = "schedule"
    treats: ClassVar[dict[str, int]] = {"oscillating-loss": 2, "undertrained": 2, "learning-rate-too-high": 5}

    def prescribe(self, setup: Setup) -> Prescription:
        """The length of the run comes from the loader and the epochs."""
        if setup.scheduler is not None:
            raise RefusedError(f"{self.id()}: there is a schedule already, {type(setup.scheduler).__name__}; two would "
                               "multiply")  # fmt: skip
        steps = setup.epochs * steps_an_epoch(setup, self.id())
        return Prescription(
            f"learning rate decays along a cosine over {steps} steps",
            f"decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max={steps})\n"
            "optimizer.register_step_post_hook(lambda *_, decay=decay: decay.step())  # after every step\n",
        )
