"""backward_rms."""

from __future__ import annotations

from torch import Tensor

from trainclinic.measure.reductions import norm
from trainclinic.measure.signal import BackwardSignal, RootMeanSquare


class BackwardRms(RootMeanSquare, BackwardSignal):
    """Root mean square of the gradient of the loss by a layer's output: the signal that arrives there."""

    unit = "loss/1"

    def measure(self, gradient: Tensor) -> Tensor:
        """The norm of the gradient."""
        return norm(gradient)
