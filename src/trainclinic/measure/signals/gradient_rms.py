"""gradient_rms."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainclinic.measure.parameters import ParameterStep
from trainclinic.measure.signal import ParameterSignal


class GradientRms(ParameterSignal):
    """Root mean square of the loss's gradient by a weight, as the optimizer gets it."""

    unit = "loss/1"

    def values(self, step: ParameterStep) -> Sequence[float]:
        """Norm of the gradient over the root of its size."""
        return [norm / math.sqrt(weight.size) for norm, weight in zip(step.gradient_norms, step.weights, strict=True)]
