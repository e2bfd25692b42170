"""undertrained."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import SOME, Outcome, answers_well, late_fall, outcome, scores, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
_FEWEST_ROWS, _MOST_ROWS = 200, 1000  # fewer are a trial of the code; where more are seen, there may be more yet


@dataclass(frozen=True)
class Undertrained(Problem):
    """The training ended while the loss was still falling at a useful rate.

    What it is:
        Nothing is wrong but the number of steps: the network was on its way.

    Why training suffers:
        It was stopped early: the loss it would have reached is not the one it has.

    How it is measured:
        The share of the loss that went away over the last two fifths of the run, while most of the way was still to
        go: a look at similar samples answers better, or the fall is steep in training and in validation and not as
        many answers are right as similar samples give; or a loss of real numbers halves in that time. Or fewer than a
        hundred steps in one or two passes through the training set, with little learned; up to 500 in under six passes
        that end near their best are an observation. Steps that are far too short
        are called a learning rate that is too low instead.

    When it is harmless:
        A loss that falls by a little for ever, as most do; one that falls by much while the answers are right already
        and only become surer; a short run on purpose.

    What to do:
        1. More epochs: as many again, then look at the curve once more.
        2. A larger learning rate, with a schedule made for the number of steps there are (one cycle, cosine).
        3. A schedule that does not decay to nothing in the middle of the run.

    References:
        Bottou & Bousquet 2008 (optimization and estimation error); Smith & Topin 2018 (one cycle).
    """

    fall: float = limit(0.1, "1", RANGE)
    shortfall: float = limit(0.1, "1", RANGE)
    steep: float = limit(0.25, "1", RANGE)
    halved: float = limit(0.5, "1", RANGE)
    held_fall: float = limit(1.2, "1", RANGE)
    still: float = limit(1.02, "1", RANGE)
    learned: float = limit(0.85, "1", RANGE, "below")
    far: float = limit(0.65, "1", RANGE, "below")
    near: float = limit(0.9, "1", RANGE, "below")
    steps: int = limit(20, "step", RANGE, "equal")
    few: float = limit(100.0, "step", RANGE, "below")
    passes: float = limit(2.5, "1", RANGE, "below")
    brief: float = limit(500.0, "step", RANGE, "below")
    brief_passes: float = limit(6.0, "1", RANGE, "below")
    moving: float = limit(1.005, "1", RANGE)

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    measures: ClassVar[dict[str, str]] = {
        "steps_made": "optimizer steps of the run",
        "passes": "how often each training sample was seen",
        "late_fall": "share of the loss that went away over the last two fifths of the run",
        "shortfall": "what nearest neighbours reach beyond the network, in validation",
        "held_fall": "usual validation loss of the second half of the run against the last, which is the best",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "few steps": "The training set was seen once or twice, in fewer than a hundred steps: training has hardly "
        "begun.",
        "few passes": "The training set was seen a few times only, and validation was near its best when training "
        "ended.",
        "": "The loss was still falling when the training ended, and most of the way was still to go.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the end of the curve."""
        if recording.ended != "completed":
            raise NotExaminedError("the training has not come to its end")
        losses = recording.series("loss").values
        result, seen = outcome(recording), passes(recording)
        spared = answers_well(recording, neighbours=False)
        learned = result.reached > SOME  # what has learned nothing may look as if it were at rest
        rests = learned and held_fall(recording) < self.still and not late_fall(recording) > self.fall
        early = recording.steps < self.few and seen < self.passes and not rests
        if early and not result.reached >= self.near:
            begun = (
                Evidence("steps_made", "", float(recording.steps), self.few, "step", "below"),
                Evidence("passes", "", seen, self.passes, "1", "below"),
                Evidence("learned", "", result.reached, self.near, "1", "below"),
            )
            yield self._finding(recording, result, begun, 0.6, "few steps", "observation" if spared else "problem")
            return
        brief = recording.steps < self.brief and seen < self.brief_passes and held_fall(recording) > self.moving
        if brief and not (result.reached >= self.near or result.diverged):
            told = (
                Evidence("steps_made", "", float(recording.steps), self.brief, "step", "below"),
                Evidence("passes", "", seen, self.brief_passes, "1", "below"),
                Evidence("held_fall", "", held_fall(recording), self.moving, "1"),
            )
            unfinished = tuple(self._unfinished(recording, losses, result)) if len(losses) >= self.steps else ()
            yield from unfinished or (self._finding(recording, result, told, 0.5, "few passes", "observation"),)
            return
        if len(losses) < self.steps:
            raise NotExaminedError(f"at least {self.steps} steps are needed to judge where a curve is going")
        yield from self._unfinished(recording, losses, result)

    def _unfinished(self, recording: Recording, losses: Floats, result: Outcome) -> Iterable[Finding]:
        fall = late_fall(recording)
        # A loss of classes falls for ever as the answers become surer; that of real numbers is the error itself.
        halved = fall > self.halved and not recording.facts.get("targets", {}).get("classes")
        if not result.reached < (self.near if halved else self.learned) or result.diverged:
            return
        network, neighbours, error = scores(recording)
        shortfall, held = neighbours - network, held_fall(recording)
        behind = shortfall > self.shortfall and shortfall > 3 * error and not held < self.still
        arrived = network >= neighbours and bool(recording.series("validation_accuracy"))
        far = result.reached < self.far and not arrived
        steep = fall > self.steep and not held < self.held_fall and far
        halved = halved and not held < self.held_fall and result.reached < self.near
        if fall > self.fall and not held < 1 and (behind or steep or halved):
            kept = self.learned if behind else self.far if steep else self.near
            unfinished = (
                Evidence("late_fall", "", fall, self.fall, "1"),
                Evidence("shortfall", "", shortfall, self.shortfall, "1"),
                Evidence("held_fall", "", held, self.held_fall, "1"),
                Evidence("learned", "", result.reached, kept, "1", "below"),
            )
            yield self._finding(recording, result, unfinished, 0.7, "", "problem")

    def _finding(
        self,
        recording: Recording,
        result: Outcome,
        evidence: tuple[Evidence, ...],
        confidence: float,
        cause: str,
        level: Level,
    ) -> Finding:
        return Finding(
            problem=self.id(),
            level=level,
            severity=severity(result),
            confidence=confidence,
            layers=(),
            steps=(0, recording.steps - 1),
            evidence=evidence,
            cause=cause,
        )


def passes(recording: Recording) -> float:
    """How often each training sample was seen; NaN where the size of the training set is not known.

    Where nobody told it, it is the number of different rows among those that were looked at, if that is not bounded.
    """
    facts = recording.facts
    rows = facts.get("data", {}).get("training", {}).get("rows", 0)
    samples = facts.get("training_samples") or (rows if _FEWEST_ROWS <= rows < _MOST_ROWS else 0)
    if not samples:
        return math.nan
    made = sum(facts.get("modes", {}).get("passes", {}).values()) or recording.steps  # several to a step, accumulated
    seen = made * facts.get("batch_size", math.nan) * facts.get("distributed", {}).get("world_size", 1)
    return float(seen / samples)


def held_fall(recording: Recording) -> float:
    """NaN where validation was not seen; below 1 where the last evaluation is not the best."""
    values = recording.series("validation_loss").values
    if len(values) < 2 or not np.isfinite(values).all() or not values[-1] > 0:
        return math.nan
    late = values[min(len(values) // 2, len(values) - 2) :]  # of two or three, the one before the last at least
    return float(np.median(late) / values[-1]) if values[-1] <= 1.02 * values.min() else 0.0
