"""tanh(8 z) against tanh(z) in three hidden layers, same weights, on the digits.

The line that differs: the slope of the activation. The weights are Xavier's and z has the scale it should
have, but three values of 8 z in four lie where the derivative of tanh is below 0.05: the units are switches
rather than smooth functions, and the few derivatives that are not practically zero come with a factor of 8.
The network learns its training images, slowly, and little about others. With a slope of 1 the units stay on
the bent part.

Anchors: Glorot & Bengio 2010 (saturating units and the initialisation that avoids them); LeCun et al. 1998,
"Efficient BackProp", section 4.4; Rakitianskaia & Engelbrecht 2015, "Measuring
saturation in neural networks".
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


class SlopedTanh(nn.Module):
    """The activation tanh(slope * z)."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, z: Tensor) -> Tensor:
        """Squash `z` to (-1, 1)."""
        return torch.tanh(self.slope * z)


def faulty(seed: int) -> Setup:
    """Hidden units tanh(8 z)."""
    return _setup(seed, slope=8.0)


def healthy(seed: int) -> Setup:
    """Hidden units tanh(z)."""
    return _setup(seed, slope=1.0)


def _setup(seed: int, slope: float) -> Setup:
    model = mlp([64, 64, 64, 64, 10], partial(SlopedTanh, slope), nn.init.xavier_normal_)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
