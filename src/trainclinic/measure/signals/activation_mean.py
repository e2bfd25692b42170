"""activation_mean."""

from __future__ import annotations

from torch import Tensor

from trainclinic.measure.reductions import total
from trainclinic.measure.signal import OutputSignal


class ActivationMean(OutputSignal):
    """Mean of a layer's output, over batch and units."""

    unit = "1"

    def applies(self, output: Tensor) -> bool:
        """Not for complex numbers: the mean would be one."""
        return not output.is_complex()

    def measure(self, output: Tensor) -> Tensor:
        """The sum of the output."""
        return total(output)
