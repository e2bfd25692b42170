"""activation_rms."""

from __future__ import annotations

import math

from torch import Tensor

from trainclinic.measure.reductions import norm
from trainclinic.measure.signal import OutputSignal


class ActivationRms(OutputSignal):
    """Root mean square of a layer's output, over batch and units."""

    unit = "1"

    def measure(self, output: Tensor) -> Tensor:
        """The norm of the output."""
        return norm(output)

    @staticmethod
    def total(value: float) -> float:
        """Sum of squares."""
        return value * value

    @staticmethod
    def finish(mean: float) -> float:
        """Root of the mean square."""
        return math.sqrt(mean)
