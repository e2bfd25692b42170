"""non-finite."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.origin import cause, place, sentence
from trainclinic.diagnose.problem import Problem, limit
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class NonFinite(Problem):
    """The loss, a gradient or a weight is NaN or infinite.

    What it is:
        Some operation left the range of numbers: a logarithm of 0, a division by 0, the root's slope at 0, an
        exponential or a weight that grew too large. From there NaN spreads to everything it touches.

    Why training suffers:
        One NaN gradient makes the optimizer write NaN into the weights; after that every output is NaN, for good.

    How it is measured:
        Exactly, at every step before the update: whether the loss is finite, and whether the gradient of the foremost
        bias or norm is, which a NaN reaches on its way back, with one more for each branch it does not see. At the
        first failure every gradient and weight is looked at, and the batch is run again on a copy of the model,
        followed operation by operation: the first that gives a non-finite number of finite ones is named with its
        module. Where the copy cannot be made to fail in the same way, it says why. Growth of the loss before it tells
        an explosion from an operation that failed.

    When it is harmless:
        Never in the weights. With a GradScaler a few skipped steps at the start are normal; −inf in an attention mask
        before softmax is meant, and is not taken for the origin.

    What to do:
        1. Keep arguments away from the edge: log(x + 1e-8), sqrt(x + 1e-8), clamp the divisor; use the stable forms
           (cross_entropy on logits, binary_cross_entropy_with_logits, log_softmax).
        2. Look for NaN and infinite values in the data.
        3. Where it grew: a tenth of the learning rate and gradient clipping at 1.0.
        4. In low precision: bfloat16 instead of float16, a larger eps for Adam.

    References:
        Goodfellow, Bengio & Courville 2016, chapter 4 (numerical computation); Micikevicius et al. 2018 (mixed
        precision).
    """

    growth: float = limit(30.0, "1", RANGE)

    reads: ClassVar[tuple[str, ...]] = ("loss", "gradient_norm")
    in_checkup: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    live: ClassVar[bool] = True
    beyond_answers: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "first_non_finite": "first step with a number that is not finite",
        "failing_batch": "the batch it failed on, counted from 0",
        "loss_growth": "loss just before it, against its smallest so far",
        "non_finite_gradients": "parameters whose gradient was not finite",
    }
    causes: ClassVar[dict[str, str]] = {
        "operation": "The numbers before it were ordinary: one operation failed, such as a logarithm of 0, a division "
        "by 0 or the slope of a root at 0.",
        "growth": "The loss had been growing before: the numbers became too large.",
        "overflow": "A number grew beyond what its type can hold.",
        "masked row": "Attention had nothing left to attend to: softmax over −∞ alone is NaN.",
        "input": "The data are not finite; the model did nothing wrong.",
        "weights": "A weight was not finite before the batch came: it was set so, or an update made it so.",
        "loss": "The model did nothing wrong: the loss behind it left the range of numbers.",
        "backward": "The output was finite and its slope was not, as that of a root at 0; a mask behind it does not "
        "help, because 0 times infinity is NaN.",
        "not localised": "One operation failed, and which one could not be found out.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """The first failure of the run, if any."""
        first = recording.facts.get("non_finite")
        if not first:
            return
        step, origin = int(first["step"]), first.get("origin") or {}
        growth = loss_growth(recording, step)
        batch = origin.get("batch", -1)
        evidence = [
            Evidence("first_non_finite", "", step, math.nan, "step"),
            *([Evidence("failing_batch", "", batch, math.nan, "1")] if batch >= 0 else []),
            Evidence("loss_growth", "", growth, self.growth, "1"),
            Evidence("non_finite_gradients", "", len(first["gradients"]), 0, "parameters"),
        ]
        origins = [place(origin, _model(recording))] if place(origin, _model(recording)) else []
        reached = [owner(recording, name) for name in first["gradients"] or first["weights"]]
        why = cause(origin)
        yield Finding(
            problem=self.id(),
            level="problem",
            severity=1.0,
            confidence=1.0,
            layers=tuple(dict.fromkeys(origins + reached)),
            steps=(step, max(step, recording.steps - 1)),
            evidence=tuple(evidence),
            cause="growth" if growth >= self.growth and why not in _NOT_GROWN else why,
        )

    def because(self, finding: Finding, recording: Recording | None) -> str:
        """The cause, after the sentence that names the place."""
        first = recording.facts.get("non_finite") if recording is not None else None
        said = sentence(first, _model(recording)) if first and recording is not None else ""
        return " ".join(filter(None, (said, self.causes.get(finding.cause, ""))))


_NOT_GROWN = ("input", "masked row")  # whatever the loss did before


def _model(recording: Recording) -> str:
    return str(recording.environment.get("model", "the model"))


def owner(recording: Recording, parameter: str) -> str:
    """Name of the module that holds a parameter; the model's class where that is the model itself."""
    return parameter.rpartition(".")[0] or str(recording.environment.get("model", parameter))


def loss_growth(recording: Recording, step: int) -> float:
    """Loss shortly before `step` over its smallest value so far; 1 when it did not grow, NaN when it was not seen."""
    series = recording.series("loss")
    before = series.values[series.steps < step]
    before = before[np.isfinite(before)]
    if not len(before):
        return math.nan
    typical = float(np.median(before[:5])) if len(before) < 20 else float(np.min(_medians(before)))
    return float(np.max(before[-5:])) / typical if typical > 0 else math.nan


def _medians(values: Floats) -> Floats:
    return np.array([np.median(part) for part in np.array_split(values, 10)])
