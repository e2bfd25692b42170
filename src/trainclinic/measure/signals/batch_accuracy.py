"""batch_accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class BatchAccuracy(RunSignal):
    """Share of right answers in one training batch, in the mode in which it trains."""

    unit = "1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Absent where the loss compares no classes."""
        return {} if math.isnan(step.right) else {"": step.right}
