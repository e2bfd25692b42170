"""learning_rate."""

from __future__ import annotations

from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class LearningRate(RunSignal):
    """Learning rate of each of the optimizer's parameter groups, at the step."""

    unit = "1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Group 0, 1, … over all optimizers in the order they were given."""
        return {f"group {index}": rate for index, rate in enumerate(step.learning_rates)}
