"""Twelve sigmoid layers against twelve ReLU layers, both properly initialised, on the digits.

The line that differs: the activation. The derivative of the sigmoid is at most 1/4, so with weights that
keep the signal's scale every layer takes at least a factor of four from the gradient on its way back: the
first layers stand still, and what the last ones see of the image is nearly constant. The network stays at
chance. The derivative of ReLU is 0 or 1, and the same twelve layers learn in a few epochs.

Anchors: Hochreiter 1991; Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward
neural networks"; He et al. 2015, "Delving deep into rectifiers".
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Sigmoid after each of twelve hidden layers."""
    return _setup(seed, nn.Sigmoid)


def healthy(seed: int) -> Setup:
    """ReLU in its place."""
    return _setup(seed, nn.ReLU)


def _setup(seed: int, activation: type[nn.Module]) -> Setup:
    gain = 2**0.5 if activation is nn.ReLU else 1.0  # nn.init.calculate_gain: what each activation calls for
    model = mlp([64] + [128] * 12 + [10], activation, partial(nn.init.xavier_normal_, gain=gain))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric="accuracy")
