"""activation_derivative."""

from __future__ import annotations

import torch
from torch import Tensor

from trainclinic.measure.activations import Activation
from trainclinic.measure.signal import ActivationSignal


class ActivationDerivative(ActivationSignal):
    """Mean |φ'(z)| of an activation function: the factor it puts into the chain rule.

    0.25 at most for the sigmoid, 1 at most for tanh and ReLU.
    """

    unit = "1"

    def measure(self, derivative: Tensor, activation: Activation) -> Tensor:
        """The sum of |φ'|."""
        found: Tensor = torch.linalg.vector_norm(derivative, 1)
        return found
