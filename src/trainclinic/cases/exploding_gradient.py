"""Eight ReLU layers whose weights start 2.5 times too large, against He's scale, on the digits.

The line that differs: the gain of the initial weights. Without normalisation every layer multiplies the
signal by 2.5 on its way up and the gradient by 2.5 on its way back, 2.5^8 over the network. The first
gradient is thousands of times the healthy one; the step it makes enlarges the weights, the next gradient is
larger still, and after some steps nothing is finite. With a gain of 1 the same optimizer learns smoothly.

Anchors: Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, "On the difficulty of training
recurrent neural networks"; He et al. 2015 for the scale that neither grows nor shrinks.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Initial weights of 2.5 times He's standard deviation."""
    return _setup(seed, gain=2.5)


def healthy(seed: int) -> Setup:
    """Initial weights of He's standard deviation."""
    return _setup(seed, gain=1.0)


def _setup(seed: int, gain: float) -> Setup:
    model = mlp([64] + [128] * 8 + [10], nn.ReLU, partial(he, gain=gain))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=30, metric="accuracy")
