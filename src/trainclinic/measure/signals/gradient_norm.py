"""gradient_norm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class GradientNorm(RunSignal):
    """Global norm of the gradient over all parameters, as the optimizer gets it (after clipping)."""

    unit = "loss/1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Root of the sum of squares; parameters without a gradient count nothing.

        Of a sharded model this rank's part of the gradient, and under "sharded" that of the sharded parameters alone:
        with it the norm over all ranks can be formed.
        """
        found = {"": _root_of_squares(step.gradient_norms)}
        if any(step.sharded):
            parts = zip(step.gradient_norms, step.sharded, strict=True)
            found["sharded"] = _root_of_squares(norm for norm, sharded in parts if sharded)
        return {place: value for place, value in found.items() if not math.isnan(value)}


def _root_of_squares(norms: Iterable[float]) -> float:
    squares = [norm * norm for norm in norms if not math.isnan(norm)]
    return math.sqrt(sum(squares)) if squares else math.nan
