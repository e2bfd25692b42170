"""weight_rms."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainclinic.measure.parameters import ParameterStep
from trainclinic.measure.signal import ParameterSignal


class WeightRms(ParameterSignal):
    """Root mean square of a weight, before the optimizer's step."""

    unit = "1"

    def values(self, step: ParameterStep) -> Sequence[float]:
        """Norm of the weight over the root of its size."""
        return [norm / math.sqrt(weight.size) for norm, weight in zip(step.weight_norms, step.weights, strict=True)]
