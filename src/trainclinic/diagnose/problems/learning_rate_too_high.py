"""learning-rate-too-high."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.card import GUESS
from trainclinic.diagnose.outcome import Outcome, hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
LADDER = "benchmarks/results/checkup.json"
LOWER = ("0.1", "0.0333")  # rungs of the ladder
USUAL_MOMENTUM = 0.9
BEGINNING = 20  # steps: fewer show how a training begins, not what its first steps destroyed


@dataclass(frozen=True)
class LearningRateTooHigh(Problem):
    """The steps are longer than the loss surface allows: the loss diverges, or rattles above where it could be.

    What it is:
        A gradient step helps only as far as the gradient tells the truth. Beyond that distance the loss rises again;
        a step that long throws the weights about.

    Why training suffers:
        The loss explodes, or stays near the value of a guess because the first steps destroyed what the
        initialization had prepared: ReLUs die, tanh and sigmoid saturate, and no later step repairs them.

    How it is measured:
        By what the steps do, not by the learning rate's own number, which means something else for every optimizer:
        the update ratio, ‖ΔW‖/‖W‖ per step, the jump of the loss in the first tenth of the run, and the loss at the
        end against its best and against a guess. Before a training, by a ladder: 25 steps as it is leave the loss
        where it was, and as many with a tenth or a thirtieth of the learning rate do not.

    When it is harmless:
        A short rise early on that heals by itself (a catapult) and a loss that is not monotone are part of healthy
        training at the edge of stability. Without harm to the loss nothing is reported.

    What to do:
        1. A third, then a tenth of the learning rate.
        2. Linear warm-up over the first 5 % of the steps.
        3. Clip the global gradient norm at 1.0.
        4. A decaying schedule (cosine).
        Usual starting points: Adam and AdamW 1e-3 for small nets and 3e-4 to be safe; SGD with momentum 0.1 with
        BatchNorm, 0.01 without.

    References:
        Smith 2017 (LR range test); Goyal et al. 2017 (warm-up); Lewkowycz et al. 2020 (catapults); Cohen et al. 2021
        (edge of stability).
    """

    update_ratio: float = limit(0.1, "1/step", RANGE)
    jump: float = limit(2.0, "1", RANGE)
    rise: float = limit(1.5, "1", RANGE)
    learned: float = limit(0.5, "1", RANGE, "below")
    settled: float = limit(0.9, "1", RANGE, "below")
    slope_left: float = limit(0.25, "1", RANGE, "below")
    renewed: float = limit(0.7, "1/step", RANGE)
    stuck: float = limit(0.6, "1", LADDER)
    falls: float = limit(0.9, "1", LADDER, "below")
    gain: float = limit(0.5, "1", LADDER, "below")

    reads: ClassVar[tuple[str, ...]] = ("loss", "update_ratio", "activation_derivative", "learning_rate")
    measures: ClassVar[dict[str, str]] = {
        "largest_update_ratio": "largest update ratio in the beginning of the run, median over layers",
        "loss_jump": "largest loss in the first tenth of the run, against the first",
        "loss_rise": "loss at the end, against its best",
        "learned": "share of the loss that training removed",
        "slope_left": "mean |φ'(z)| of an activation function late in the run against the first, the least of all",
        "as_it_is": "loss after 25 steps as it is, against the start",
        "with_less": "loss after 25 steps with a tenth or a thirtieth of the learning rate, against the start",
        "against_it": "loss with less, against the loss as it is",
    }
    causes: ClassVar[dict[str, str]] = {
        "diverged": "The loss rises while it trains: each step does more harm than good.",
        "rattles": "The steps are so long that the loss cannot settle: it ends well above the best it had reached.",
        "ladder": "The first steps lead nowhere; with a tenth of the learning rate, or less, the loss falls.",
        "thrown off": "The first steps were as large as the weights themselves and destroyed the starting point: units "
        "died or were driven onto the flat parts of their activation functions, or nothing was learned afterwards.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the loss curve together with the size of the steps."""
        series = recording.series("loss")
        if not np.isfinite(series.values).any():
            raise NotExaminedError("the loss was not seen")
        result = outcome(recording)
        ratio = largest_update_ratio(recording)
        losses = np.where(np.isfinite(series.values), series.values, np.inf)
        jump = float(losses[: max(5, len(losses) // 10)].max()) / result.first if result.first > 0 else math.nan
        rise = result.last / result.best if result.best > 0 else math.nan
        unsettled = not result.reached >= self.settled
        diverged = result.diverged and (not result.finite or (rise >= self.rise and unsettled))
        long_enough = len(losses) >= BEGINNING
        lost = not result.learned >= self.learned or (jump >= self.jump and unsettled and not result.matches_neighbours)
        left = slope_left(recording)
        ruined = left <= self.slope_left and hurts(result, self.settled)
        thrown = long_enough and ((ratio >= self.update_ratio and ruined) or (ratio >= self.renewed and lost))
        forgot = (
            jump >= self.jump and rise >= self.rise and not result.learned >= GUESS and not result.matches_neighbours
        )
        rattles = ratio >= self.update_ratio and min(rise, _lasting_rise(losses)) >= self.rise and unsettled
        rattles = rattles or forgot
        if not result.finite and not (ratio >= self.update_ratio or jump >= self.jump):
            return  # a number that broke, not a step that was too long
        if diverged or thrown or rattles:
            cause = "diverged" if diverged else "thrown off" if thrown else "rattles"
            yield self._finding(recording, result, (ratio, jump, rise, left), cause)

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge the ladder of learning rates."""
        start, rungs = recording.facts["checkup"]["ladder"]["start"], recording.facts["checkup"]["ladder"]["rungs"]
        lower = [rungs[name] for name in LOWER if math.isfinite(rungs.get(name, math.nan))]
        if not (start > 0 and lower):
            raise NotExaminedError("the loss was not finite at any learning rate, or there was no time to try others")
        now = rungs["1"] / start if math.isfinite(rungs["1"]) else math.inf
        less = min(lower) / start
        if now >= self.stuck and less <= self.falls and less / now <= self.gain:
            yield Finding(
                problem=self.id(),
                level="problem",
                severity=float(min(1.0, now)),
                confidence=0.7,
                layers=(),
                steps=(0, 0),
                evidence=(
                    Evidence("as_it_is", "", now, self.stuck, "1"),
                    Evidence("with_less", "", less, self.falls, "1", "below"),
                    Evidence("against_it", "", less / now, self.gain, "1", "below"),
                ),
                cause="ladder",
            )

    def _finding(
        self, recording: Recording, result: Outcome, measured: tuple[float, float, float, float], cause: str
    ) -> Finding:
        ratio, jump, rise, left = measured
        rates = [recording.series("learning_rate", f"group {group}") for group in range(8)]
        highest = max((float(rate.values.max()) for rate in rates if rate), default=math.nan)
        return Finding(
            problem=self.id(),
            level="problem",
            severity=severity(result),
            confidence=0.8 if ratio >= self.update_ratio else 0.6,
            layers=(),
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence("largest_update_ratio", "", ratio, self.update_ratio, "1/step"),
                Evidence("loss_jump", "", jump, self.jump, "1"),
                Evidence("loss_rise", "", rise, self.rise, "1"),
                Evidence("learned", "", result.learned, self.learned, "1", "below"),
                Evidence("slope_left", "", left, self.slope_left, "1", "below"),
                Evidence("learning_rate", "", highest, math.nan, "1"),
            ),
            cause=cause,
        )


def slope_left(recording: Recording) -> float:
    """Of the activation functions' mean slope, where it fell most: long steps leave units dead or saturated."""
    left = [math.inf]
    for layer in recording.measured("activation_derivative"):
        series = recording.series("activation_derivative", layer.name)
        first = float(series.values[0])
        left.append(series.late() / first if first > 0 else math.inf)
    return min(left)


def _lasting_rise(losses: Floats) -> float:
    """Mean of the last fifth of the run against the lowest of a fifth: the noise of small batches does not last."""
    means = [float(part.mean()) for part in np.array_split(losses, 5) if len(part)]
    return means[-1] / min(means) if min(means) > 0 else math.nan


def largest_update_ratio(recording: Recording) -> float:
    """Median over layers of the largest update ratio in the beginning of the run [1/step].

    Momentum makes 1 / (1 - momentum) steps go one way, and needs as many to come to its full length: three times as
    many are looked at, and beyond the usual 0.9 the ratio is multiplied by how much farther they lead.
    """
    momentum = min(*(recording.facts.get("momentum") or [0.0]), 1 - 1e-6)
    beginning = max(10, recording.steps // 10, round(3 / (1 - momentum)))
    farther = max(1.0, (1 - USUAL_MOMENTUM) / (1 - momentum))
    largest = []
    for layer in recording.measured("update_ratio"):
        series = recording.series("update_ratio", layer.name)
        early = series.values[series.steps <= beginning]
        if len(early):
            largest.append(farther * float(np.max(early)))
    return float(np.median(largest)) if largest else math.nan
