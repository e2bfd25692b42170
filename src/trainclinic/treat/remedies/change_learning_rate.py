"""change-learning-rate."""

from __future__ import annotations

import copy
import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch.optim import Optimizer, lr_scheduler

from trainclinic.measure.shadow import generators_kept
from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting
from trainclinic.treat.surgery import first_batches

#: schedulers that hold learning rates in more places than `base_lrs`
COMPOSED = (lr_scheduler.SequentialLR, lr_scheduler.ChainedScheduler, lr_scheduler.OneCycleLR, lr_scheduler.CyclicLR,
            lr_scheduler.ReduceLROnPlateau)  # fmt: skip
LOWEST, HIGHEST = 1e-6, 10.0  # learning rates of the range test
STEPS, REPEATS = 80, 3  # steps of one range test; tests, whose median counts
SMOOTHED = 0.9  # share of the running mean that each step keeps
DIVERGED = 4.0  # a smoothed loss of so many times the best ends the test
LAG = round(SMOOTHED / (1 - SMOOTHED))  # steps by which a running mean is late
RUNGS = (1.0, 1 / 3, 3.0, 1 / 10, 1 / 30)  # around the proposal, which tends to be high: it looks at few steps
USUAL = {"up": (10.0, 100.0, 3.0), "down": (0.1, 0.01, 1 / 3)}  # where the test proposes nothing
NEAR = 1.5  # a factor closer to 1 changes too little to be tried


@dataclass(frozen=True)
class ChangeLearningRate(Remedy):
    """Multiply the learning rate.

    What it does:
        The learning rate of every parameter group is multiplied by the same factor, so that their ratios stay; a
        schedule keeps its form. Which factors are tried comes from a range test: on a copy of the network the rate
        grows from step to step, and where the loss falls fastest lies a good one. A short trial of each rung of a
        ladder around it decides.

    When it helps:
        Steps that are too long throw the weights about; steps that are too short leave them where they began.

    Side effects:
        A lower rate needs more steps. A higher one may need a warm-up. The best rate depends on the batch size.

    References:
        Smith 2017 (range test); Bengio 2012.
    """

    factor: float = setting(0.1, "1", low=1e-6, high=1e6)

    stage: ClassVar[Stage] = "optimizer"
    ladder: ClassVar[bool] = True
    treats: ClassVar[dict[str, int]] = {
        "learning-rate-too-low": 1, "learning-rate-too-high": 2, "oscillating-loss": 1, "non-finite": 2,
        "exploding-gradient": 4, "constant-prediction": 3,
    }  # fmt: skip

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Rungs around the proposal of the range test, in the direction that the finding asks for."""
        up = finding.problem == "learning-rate-too-low"
        present = max((float(group["lr"]) for group in setup.optimizer.param_groups), default=0.0)
        proposed = proposal(setup) / present if present > 0 else math.nan
        wanted = [proposed * rung for rung in RUNGS] if math.isfinite(proposed) else []
        factors = dict.fromkeys(_round(factor) for factor in wanted if math.isfinite(factor))
        fits = [factor for factor in factors if (factor > NEAR if up else factor < 1 / NEAR) and 1e-6 <= factor <= 1e6]
        if len(fits) < len(RUNGS):
            fits += [factor for factor in map(_round, USUAL["up" if up else "down"]) if factor not in fits]
        return [cls(factor) for factor in fits[: len(RUNGS)]]

    def prescribe(self, setup: Setup) -> Prescription:
        """The factor for every group, and for the base of a schedule."""
        rates = [float(group["lr"]) for group in setup.optimizer.param_groups]
        if not any(rates):
            raise RefusedError(f"{self.id()}: every learning rate is 0, and so is any multiple; set one")
        code = f'for group in optimizer.param_groups:\n    group["lr"] *= {self.factor!r}\n'
        if isinstance(setup.scheduler, COMPOSED):
            raise RefusedError(f"{self.id()}: {type(setup.scheduler).__name__} sets rates of its own over the run; "
                               "change them where it is built")  # fmt: skip
        if setup.scheduler is not None:
            code += (
                f'    group["initial_lr"] *= {self.factor!r}\n'
                f"scheduler.base_lrs = [lr * {self.factor!r} for lr in scheduler.base_lrs]\n"
            )
        highest = max(rates)
        return Prescription(f"learning rate from {highest:.3g} to {highest * self.factor:.3g}", code)


def proposal(setup: Setup) -> float:
    """The median of three range tests; NaN where the loss never fell or the model cannot be copied."""
    with generators_kept():
        try:
            batches = first_batches(setup, STEPS)
            shifts = range(0, len(batches), max(1, len(batches) // REPEATS))[:REPEATS]
            found = [_range_test(setup, batches[shift:] + batches[:shift]) for shift in shifts]
        except RefusedError:
            raise
        except Exception:  # whatever the user's own code may raise: the ladder then does without a proposal
            return math.nan
    found = [rate for rate in found if math.isfinite(rate)]
    return statistics.median(found) if found else math.nan


def _range_test(setup: Setup, batches: list[Any]) -> float:
    """The learning rate at which the smoothed loss falls fastest while the rate grows from step to step."""
    model, optimizer = copy.deepcopy((setup.model, setup.optimizer))
    for hooks in (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks):
        hooks.clear()
    tested = replace(setup, model=model, optimizer=optimizer)
    highest = max(float(group["lr"]) for group in optimizer.param_groups)
    shares = [float(group["lr"]) / highest for group in optimizer.param_groups]
    model.train()
    mean, best, curve = 0.0, math.inf, list[float]()
    for step in range(STEPS):
        for group, share in zip(optimizer.param_groups, shares, strict=True):
            group["lr"] = _rate(step) * share
        optimizer.zero_grad()
        loss = tested.loss(batches[step % len(batches)])
        loss.backward()  # type: ignore[no-untyped-call]
        _step(optimizer)
        mean = SMOOTHED * mean + (1 - SMOOTHED) * float(loss.detach())
        smooth = mean / (1 - SMOOTHED ** (step + 1))
        best = min(best, smooth)
        if not math.isfinite(smooth) or smooth > best + (DIVERGED - 1) * abs(best):
            break
        curve.append(smooth)
    falls = [after - before for before, after in pairwise(curve)]
    if not falls or min(falls) >= 0:
        return math.nan
    return _rate(max(0, falls.index(min(falls)) + 1 - LAG))


def _rate(step: int) -> float:
    return float(LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1)))


def _step(optimizer: Optimizer) -> None:
    """A step of the copy itself: a scheduler had bound the method of the copied object to the original."""
    with torch.enable_grad():
        type(optimizer).step(optimizer)


def _round(factor: float) -> float:
    """To 1 or 3 times a power of ten: a ladder needs no finer rungs."""
    if factor <= 0:
        return math.nan
    power = math.floor(math.log10(factor) + 1e-9)
    digit = factor / 10.0**power
    nearest = min((1.0, 3.0, 10.0), key=lambda rung: abs(math.log(rung / digit)))
    return float(f"{nearest * 10.0**power:.3g}")
