"""update_ratio."""

from __future__ import annotations

from collections.abc import Sequence

from trainclinic.measure.parameters import ParameterStep
from trainclinic.measure.signal import ParameterSignal


class UpdateRatio(ParameterSignal):
    """Size of one step against the weight: ‖W_after − W_before‖ / ‖W_before‖, whatever the optimizer did.

    Taken on at most 1,024 evenly spread elements of each weight.
    """

    unit = "1/step"

    def values(self, step: ParameterStep) -> Sequence[float]:
        """Measured before and after the step; NaN for a weight that was all zero."""
        return step.update_ratios
