"""target_std."""

from __future__ import annotations

from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class TargetStd(RunSignal):
    """Standard deviation of the targets; class numbers count as numbers, over one batch."""

    unit = "1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Over all elements; absent where the loss was not seen."""
        return {"": step.targets.std} if step.targets else {}
