"""gradient_cosine."""

from __future__ import annotations

from collections.abc import Sequence

from trainclinic.measure.parameters import ParameterStep
from trainclinic.measure.signal import ParameterSignal


class GradientCosine(ParameterSignal):
    """Cosine between a weight's gradient at this step and at the step before: 1 same way, −1 bouncing back.

    Taken on at most 1,024 evenly spread elements of each weight.
    """

    unit = "1"

    def values(self, step: ParameterStep) -> Sequence[float]:
        """NaN at the first step and where a gradient is missing or zero."""
        return step.gradient_cosines
