"""Whether a training is good, and whether a fault hurts: read on rows that nothing saw."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from diagnosis_zoo.plan import Batches, Splits
from diagnosis_zoo.tasks import MARGINS, Task
from trainclinic.setup import Setup, evaluate

WORSE = 1.25  # of the twin's loss on rows not seen: what counts as overfitting
RISEN = 0.05  # above its own best validation loss [nats or variances, where a guess costs about 1]: it is getting worse


@dataclass(frozen=True)
class Outcome:
    """What became of one training.

    Attributes:
        score: the task's metric on the test rows, in eval mode; NaN where it is not a number.
        loss: on the test rows, by the task's own loss.
        reported: the metric on the validation rows, as the training itself reports it at the end.
        risen: the last validation loss above the best one; NaN without validations.
    """

    score: float
    loss: float
    reported: float
    risen: float


def outcome(setup: Setup, splits: Splits, task: Task, history: list[float], reported: float) -> Outcome:
    """Judge a trained Setup.

    Args:
        setup: after its training.
        splits: that it was built from.
        task: that it was to learn.
        history: validation losses.
        reported: the last validation's metric as the loop said it; NaN where it said none.
    """
    score, loss = _tested(setup, splits.test, task)
    if math.isnan(reported):
        reported = _tested(setup, splits.val, task)[0]
    best = min((value for value in history if math.isfinite(value)), default=math.nan)
    return Outcome(score, loss, reported, history[-1] - best if history else math.nan)


def _tested(setup: Setup, rows: Any, task: Task) -> tuple[float, float]:
    kept = setup.val_loader, setup.loss_fn
    setup.val_loader, setup.loss_fn = Batches(rows, 512, False, None), task.loss
    if not all(bool(torch.isfinite(parameter).all()) for parameter in setup.model.parameters()):
        return math.nan, math.nan
    figures = evaluate(setup)
    setup.val_loader, setup.loss_fn = kept
    return figures[task.metric], figures["loss"]


def good(one: Outcome, task: Task) -> bool:
    """Whether the level is reached, and the validation loss has not turned."""
    return one.score >= task.level and one.risen <= RISEN


def hurts(one: Outcome, twin: Outcome, task: Task, how: str = "score", *, at_all: bool = False) -> bool:
    """Whether a fault costs what its kind is said to cost, against the healthy twin on the same seed.

    Args:
        one: the faulty training.
        twin: the healthy one.
        task: of both.
        how: "score": the test metric is worse by the margin. "report": what the training reports of itself is off
            from the test metric by the margin more than the twin's. "overfit": the test loss is a quarter higher than
            the twin's, and the validation loss has risen from its best. "breaks": the numbers are finite no longer.
        at_all: whether it costs anything of that, by however little.
    """
    if at_all:
        return _worse(one, twin, how)
    margin = MARGINS[task.metric]
    if how == "report":
        return not abs(one.reported - one.score) < abs(twin.reported - twin.score) + margin
    if how == "breaks":
        return math.isnan(one.score)
    if how == "overfit":
        return one.loss >= WORSE * twin.loss and one.risen >= RISEN
    return not one.score > twin.score - margin


def _worse(one: Outcome, twin: Outcome, how: str) -> bool:
    if how == "report":
        return not abs(one.reported - one.score) <= abs(twin.reported - twin.score)
    if how == "breaks":
        return math.isnan(one.score)
    if how == "overfit":
        return not one.loss <= twin.loss
    return not one.score >= twin.score
