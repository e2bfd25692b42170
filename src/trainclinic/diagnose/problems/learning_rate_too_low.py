"""learning-rate-too-low."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class LearningRateTooLow(Problem):
    """Every layer moves, but by so little that the training would take forever.

    What it is:
        The gradients are fine and all point downhill; the steps along them are tiny against the weights.

    Why training suffers:
        The loss falls smoothly and hardly at all. The run ends long before the net has learned.

    How it is measured:
        The update ratio, ‖ΔW‖/‖W‖ per step, of every layer, at the steps with the highest learning rate: when even
        the fastest quarter of the layers stays below the limit and the loss is still high. A somewhat larger ratio
        counts, too, when all steps of the run together could not move the weights by a tenth of their size. Layers
        that alone are slow speak of a vanishing gradient instead.

    When it is harmless:
        At the start of warm-up, at the end of a decay, in fine-tuning, and once a model has converged.

    What to do:
        1. Three times, then ten times the learning rate; then warm-up and decay around it.
        2. Look for a schedule that is stepped once a batch instead of once an epoch, or applied twice.
        3. Look at the learning rate of each parameter group.

    References:
        Smith 2017 (LR range test); Bengio 2012 (practical recommendations).
    """

    update_ratio: float = limit(5e-5, "1/step", RANGE, "below")
    slow_ratio: float = limit(2e-4, "1/step", RANGE, "below")
    path: float = limit(0.1, "1", RANGE, "below")
    hardly: float = limit(0.5, "1", RANGE, "below")
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("update_ratio", "learning_rate", "loss", "gradient_cosine")
    measures: ClassVar[dict[str, str]] = {
        "fast_update_ratio": "update ratio of the faster layers, at the highest learning rate",
        "path": "length of all steps of the run together, against the weights",
        "learned": "share of the loss that training removed",
    }
    causes: ClassVar[dict[str, str]] = {"": "All layers are slow alike: the step is too small, not the signal."}

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the layers' update ratios at the peak of the schedule."""
        return self._judge(recording, recording.steps)

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge how far the steps of fitting one batch would lead in the training as it is planned."""
        planned = recording.facts["checkup"]["planned_steps"]
        if planned is None:
            raise NotExaminedError("how many steps the training will have is not known")
        return self._judge(recording, planned)

    def _judge(self, recording: Recording, steps: int) -> Iterable[Finding]:
        """`steps`: of the whole training."""
        layers = recording.measured("update_ratio")
        if not layers:
            raise NotExaminedError("no weight was seen to be updated")
        ratios = [_at_peak(recording, layer.name) for layer in layers]
        moving = [ratio for ratio in ratios if ratio > 0]
        result = outcome(recording)
        fast = float(np.quantile(moving, 0.75)) if moving else math.nan
        path = fast * steps
        slow = (fast < self.update_ratio and steps == recording.steps) or (fast < self.slow_ratio and path < self.path)
        if not slow or result.diverged:
            return
        short = path < self.path  # else it has had the time, and may have come as far as can be
        rates = [recording.series("learning_rate", f"group {group}") for group in range(8)]
        highest = max((float(rate.values.max()) for rate in rates if rate), default=math.nan)
        yield Finding(
            problem=self.id(),
            level="problem" if result.learned < (self.learned if short else self.hardly) else "observation",
            severity=severity(result),
            confidence=0.8,
            layers=tuple(layer.name for layer in layers),
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence("fast_update_ratio", "", fast, self.slow_ratio, "1/step", "below"),
                Evidence("path", "", path, self.path, "1", "below"),
                Evidence("learned", "", result.learned, self.learned if short else self.hardly, "1", "below"),
                Evidence("learning_rate", "", highest, math.nan, "1", "below"),
            ),
        )


def _at_peak(recording: Recording, layer: str) -> float:
    """Median update ratio where the learning rate is at least half its highest; of the first samples, if larger."""
    series = recording.series("update_ratio", layer)
    rate = recording.series("learning_rate", "group 0")
    if rate and float(rate.values.max()) > 0:
        peak = rate.steps[rate.values >= rate.values.max() / 2]
        values = series.values[np.isin(series.steps, peak)]
    else:
        values = series.values
    finite = values[np.isfinite(values)]
    return max(float(np.median(finite)), series.early(10)) if len(finite) else math.nan
