"""oscillating-loss."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import outcome
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class OscillatingLoss(Problem):
    """From one evaluation to the next the validation loss swings far beyond its noise, and does not settle.

    What it is:
        The weights circle around a good place instead of going there. Each step overshoots what the one before it
        reached: by its length, by the momentum behind it, or by the accidents of a small batch.

    Why training suffers:
        Whether the last evaluation was a good one is luck, and so is the network one ends up with.

    How it is measured:
        On the validation loss, which is the same samples every time, never on the loss of minibatches, which goes up
        and down in every run: its swing around its trend in the second half of the run, how far the usual loss lies
        above the best, and what is left of it in the worse evaluations.

    When it is harmless:
        Small swings on a small validation set; cyclic learning rates; swings that become smaller.

    What to do:
        1. A third of the learning rate, or a schedule that decays.
        2. Momentum 0.9 instead of 0.99.
        3. A batch four times as large.
        4. An average of the weights (EMA, SWA).
        5. Shuffle: a swing of one epoch's length comes from the order of the data.

    References:
        Polyak & Juditsky 1992 (averaging); Izmailov et al. 2018 (SWA); McCandlish et al. 2018 (gradient noise).
    """

    swing: float = limit(0.25, "1", RANGE)
    above_best: float = limit(1.3, "1", RANGE)
    settled: float = limit(0.9, "1", RANGE, "below")
    evaluations: int = limit(8, "1", RANGE, "equal")

    reads: ClassVar[tuple[str, ...]] = ("validation_loss", "loss")
    measures: ClassVar[dict[str, str]] = {
        "swing": "deviation of the validation loss from its trend, in the second half of the run, as a share",
        "above_best": "usual validation loss of the second half against the best",
        "often_learned": "share of the loss that is gone in validation, in the worse quarter of the second half",
    }
    causes: ClassVar[dict[str, str]] = {
        "": "The validation loss goes up and down from one evaluation to the next without coming to rest."
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the second half of the validation curve."""
        values = recording.series("validation_loss").values
        if len(values) < self.evaluations:
            raise NotExaminedError(f"at least {self.evaluations} evaluations are needed, {len(values)} were seen")
        late = values[len(values) // 2 :]
        if not (np.isfinite(values).all() and (values > 0).all()):
            return
        result = outcome(recording)
        swing = _swing(late)
        above = float(np.median(late) / values.min())
        start = result.chance if result.chance > 0 else float(values[0])
        often = 1 - float(np.quantile(late, 0.75)) / start
        if swing > self.swing and above > self.above_best and often < self.settled:
            yield Finding(
                problem=self.id(),
                level="problem",
                severity=float(min(1.0, 0.3 + swing)),
                confidence=0.6,
                layers=(),
                steps=(int(recording.series("validation_loss").steps[len(values) // 2]), recording.steps - 1),
                evidence=(
                    Evidence("swing", "", swing, self.swing, "1"),
                    Evidence("above_best", "", above, self.above_best, "1"),
                    Evidence("often_learned", "", often, self.settled, "1", "below"),
                ),
            )


def _swing(values: Floats) -> float:
    """Deviation of the logarithm around its trend, from second differences, which leave a slow course out."""
    second = np.diff(np.log(values), 2)
    return float(np.sqrt(np.mean(second**2) / 6)) if len(second) else math.nan
