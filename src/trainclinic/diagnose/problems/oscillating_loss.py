"""oscillating-loss."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.card import positions
from trainclinic.diagnose.outcome import later, outcome, serves
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
_FEW = 0.05  # of the later evaluations
_MANY = 8  # targets of a sample


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
        above the best, and what is left of it in the worse evaluations. Where the answers hardly swing with it, it is
        an observation, as is a momentum of 0.98 and more, or a step after every one or two samples.

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
    dip: float = limit(0.05, "1", RANGE)
    momentum: float = limit(0.98, "1", RANGE)
    batch: float = limit(2.0, "rows", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("validation_loss", "loss")
    beyond_answers: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "swing": "deviation of the validation loss from its trend, in the second half of the run, as a share",
        "above_best": "usual validation loss of the second half against the best",
        "dip": "by how much the worst of the later evaluations answer less than the usual ones",
        "momentum": "share of the last step that the next one repeats",
        "batch_size": "samples in a batch",
        "often_learned": "share of the loss that is gone in validation, in the worse quarter of the second half",
    }
    causes: ClassVar[dict[str, str]] = {
        "long memory": "The momentum repeats the last step nearly whole: a hundred steps and more add up before the "
        "direction can change.",
        "few samples": "A batch has one or two samples, and a step follows each: where it leads is mostly chance.",
        "": "The validation loss goes up and down from one evaluation to the next without coming to rest.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the second half of the validation curve, then what makes steps go where they should not."""
        seen = recording.series("validation_loss").values
        swinging = tuple(self._swinging(recording, seen)) if len(seen) >= self.evaluations else ()
        settings = () if swinging else tuple(self._settings(recording))
        if len(seen) < self.evaluations and not settings:
            raise NotExaminedError(f"at least {self.evaluations} evaluations are needed, {len(seen)} were seen")
        yield from (*swinging, *settings)

    def _swinging(self, recording: Recording, values: Floats) -> Iterable[Finding]:
        late = values[len(values) // 2 :]
        if not (np.isfinite(values).all() and (values > 0).all()):
            return
        result = outcome(recording)
        swing = _swing(late)
        above = float(np.median(late) / values.min())
        start = result.chance if result.chance > 0 else float(values[0])
        often = 1 - float(np.quantile(late, 0.75)) / start
        if swing > self.swing and above > self.above_best and often < self.settled:
            told = (
                Evidence("swing", "", swing, self.swing, "1"),
                Evidence("above_best", "", above, self.above_best, "1"),
                Evidence("often_learned", "", often, self.settled, "1", "below"),
            )
            dip = later(recording, 0.5) - later(recording, _FEW)
            steady = serves(recording, bad=_FEW) and dip < self.dip
            steadiness = Evidence("dip", "", dip, self.dip, "1")
            first = int(recording.series("validation_loss").steps[len(values) // 2])
            level: Level = "observation" if steady else "problem"
            weight = 0.2 if steady else float(min(1.0, 0.3 + swing))
            yield self._finding("", level, weight, (first, recording.steps - 1), (*told, steadiness))

    def _settings(self, recording: Recording) -> Iterable[Finding]:
        """Settings with which most trainings swing; an observation, since small steps forgive them."""
        every = (0, recording.steps - 1)
        momentum = max(recording.facts.get("momentum") or [0.0])
        if momentum >= self.momentum:
            told = (Evidence("momentum", "", momentum, self.momentum, "1"),)
            yield self._finding("long memory", "observation", 0.2, every, told)
            return
        size = float(recording.facts.get("batch_size") or math.nan)
        if size <= self.batch and not _several_answers(recording):
            told = (Evidence("batch_size", "", size, self.batch, "rows", "below"),)
            yield self._finding("few samples", "observation", 0.2, every, told)

    def _finding(
        self, cause: str, level: Level, weight: float, steps: tuple[int, int], told: tuple[Evidence, ...]
    ) -> Finding:
        return Finding(
            problem=self.id(),
            level=level,
            severity=weight,
            confidence=0.6,
            layers=(),
            steps=steps,
            evidence=told,
            cause=cause,
        )


def _several_answers(recording: Recording) -> bool:
    """Whether a sample has many targets, such as one for each token, or several batches make one step."""
    passes = sum(recording.facts.get("modes", {}).get("passes", {}).values())
    return positions(recording) >= _MANY or bool(passes > 1.5 * recording.steps)


def _swing(values: Floats) -> float:
    """Deviation of the logarithm around its trend, from second differences, which leave a slow course out."""
    second = np.diff(np.log(values), 2)
    return float(np.sqrt(np.mean(second**2) / 6)) if len(second) else math.nan
