"""saturated_share."""

from __future__ import annotations

from torch import Tensor

from trainclinic.measure.activations import Activation
from trainclinic.measure.signal import ActivationSignal

GAIN_USE = 0.1  # of the steepest slope: sigmoid beyond |z| = 3.7, tanh beyond |z| = 1.8


class SaturatedShare(ActivationSignal):
    """Share of a bounded activation's values that sit on its flat part: |φ'(z)| below a tenth of its maximum."""

    unit = "1"

    def applies(self, activation: Activation) -> bool:
        """Sigmoid and tanh flatten on both sides; a ReLU's flat half is its work."""
        return activation.bounded

    def measure(self, derivative: Tensor, activation: Activation) -> Tensor:
        """The number of flat values."""
        return (derivative.abs() < GAIN_USE * activation.ceiling).sum()
