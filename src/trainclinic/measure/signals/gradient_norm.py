"""gradient_norm."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class GradientNorm(RunSignal):
    """Global norm of the gradient over all parameters, as the optimizer gets it (after clipping)."""

    unit = "loss/1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Root of the sum of squares; parameters without a gradient count nothing."""
        squares = [norm * norm for norm in step.gradient_norms if not math.isnan(norm)]
        return {"": math.sqrt(sum(squares))} if squares else {}
