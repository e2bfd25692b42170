"""warm-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.loaders import steps_an_epoch
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting


@dataclass(frozen=True)
class WarmUp(Remedy):
    """Let the learning rate grow from near 0 over the first steps.

    What it does:
        Over the first steps the learning rate grows in a straight line from almost 0 to the present one. A hook of
        the optimizer moves it after every step, so that no loop has to call it. Beside a schedule that is stepped
        once an epoch it ends within the first epoch.

    When it helps:
        The first steps are the dangerous ones: the curvature is high where the network is drawn, and Adam's estimates
        rest on a handful of gradients. A rate that is fine later would destroy the start.

    Side effects:
        The first steps learn less. Where the rate is too high throughout, the same failure comes later.

    References:
        Goyal et al. 2017; Liu et al. 2020 (Adam); Gilmer et al. 2022.
    """

    share: float = setting(0.05, "share of all steps", low=0.001, high=0.5)

    stage: ClassVar[Stage] = "schedule"
    treats: ClassVar[dict[str, int]] = {"learning-rate-too-high": 3, "exploding-gradient": 5, "dead-relu": 6}

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """The usual share, then a longer one."""
        return (cls(0.05), cls(0.2))

    def prescribe(self, setup: Setup) -> Prescription:
        """The number of steps comes from the loader and the epochs."""
        epoch = steps_an_epoch(setup, self.id())
        steps = round(self.share * setup.epochs * epoch)
        if setup.scheduler is not None:
            steps = min(steps, epoch - 1)
        if steps < 2:
            raise RefusedError(f"{self.id()}: {self.share:g} of this short training is {steps} steps; lower the "
                               "learning rate instead")  # fmt: skip
        return Prescription(
            f"learning rate warmed up over {steps} steps",
            f"warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor={1 / steps:.3g}, "
            f"total_iters={steps - 1})\n"
            "optimizer.register_step_post_hook(lambda *_, warm_up=warm_up: warm_up.step())  # after every step\n",
        )
