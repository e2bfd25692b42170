"""constant-prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.outcome import outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
NOTHING = 1e-6  # below which the first layer's outputs are the same to the last digits of float32
_REAL = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


@dataclass(frozen=True)
class ConstantPrediction(Problem):
    """The network answers the same to every input: one class, or the mean.

    What it is:
        The output hardly depends on the input. For all samples the network gives the best constant answer: the
        frequencies of the classes, or the mean of the targets.

    Why training suffers:
        A constant is easy to find: the output's biases alone reach it, and the loss stops at the value of a guess.
        Whatever keeps the input from coming through keeps the gradient from going back.

    How it is measured:
        The deviation of the outputs between the samples of a batch, in the last quarter of the run: of logits as it
        is, of real numbers against the deviation of the targets. And the loss, which must not be better than a guess.
        Where already the first layer's outputs do not differ, the network is not to blame, and what it learned of the
        classes' frequencies excuses nothing.

    When it is harmless:
        In the first steps, with an output layer that starts at zero, and where nothing can be predicted.

    What to do:
        1. Cure what explains it first: dead units, saturation, a vanishing gradient, a learning rate that destroyed
           the network, classes out of balance.
        2. If it stands alone: look at what the first layer gets. An input multiplied by a wrong mask, the mean over
           the wrong dimension, a preprocessing that makes all samples alike.
        3. Fit one batch of ten samples. A network that sees its input can.

    References:
        Karpathy 2019 (a recipe for training neural networks: input-independent baseline); Wardat, Le & Rajan 2021
        (DeepLocalize: outputs that do not change).
    """

    spread: float = limit(0.05, "1", RANGE, "below")
    learned: float = limit(0.1, "1", RANGE, "below")
    blind: float = limit(0.5, "1", "exact", "below")
    steps: int = limit(50, "step", RANGE, "equal")

    reads: ClassVar[tuple[str, ...]] = ("output_spread", "target_std", "loss")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "late_spread": "deviation between the outputs of different samples, against the targets' or of the logits",
        "first_spread": "the same before the first update",
        "learned": "share of the loss that training removed",
    }
    causes: ClassVar[dict[str, str]] = {
        "input lost": "Already the first layer's outputs are the same for all samples: the input does not reach it.",
        "never differed": "From the first step on the outputs of different samples are the same: the input is lost on "
        "its way through the network.",
        "became constant": "The outputs of different samples differed at the start and no longer do.",
        "": "The outputs of different samples are nearly the same, and no better than a guess.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Compare the samples of a batch."""
        series = recording.series("output_spread")
        if not series:
            raise NotExaminedError("the outputs of several samples were not seen together")
        result = outcome(recording)
        scale = recording.series("target_std").late() if recording.facts.get("loss", {}).get("name") in _REAL else 1.0
        if not scale > 0:  # one target for all: a constant is right
            return
        first, late = series.values[0] / scale, series.late() / scale
        cause = _cause(recording, first, late, self.spread)
        much = result.learned >= (self.blind if cause == "input lost" else self.learned)
        if late >= self.spread or much:
            return
        if recording.steps < self.steps and cause != "input lost":
            raise NotExaminedError(f"at least {self.steps} steps are needed to tell a constant from a beginning")
        yield Finding(
            problem=self.id(),
            level="problem",
            severity=severity(result),
            confidence=0.9,
            layers=(),
            steps=(int(series.steps[0]), int(series.steps[-1])),
            evidence=(
                Evidence("late_spread", "", late, self.spread, "1", "below"),
                Evidence("learned", "", result.learned, self.learned, "1", "below"),
                Evidence("first_spread", "", first, math.nan, "1", "below"),
            ),
            cause=cause,
        )


def _cause(recording: Recording, first: float, late: float, spread: float) -> str:
    if recording.facts.get("first_spread", math.inf) < NOTHING:
        return "input lost"
    if first < NOTHING:
        return "never differed"
    return "became constant" if first >= spread > late else ""
