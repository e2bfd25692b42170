"""activation_rms."""

from __future__ import annotations

from torch import Tensor

from trainclinic.measure.reductions import norm
from trainclinic.measure.signal import OutputSignal, RootMeanSquare


class ActivationRms(RootMeanSquare, OutputSignal):
    """Root mean square of a layer's output, over batch and units."""

    unit = "1"

    def measure(self, output: Tensor) -> Tensor:
        """The norm of the output."""
        return norm(output)
