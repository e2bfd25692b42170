"""Eight ReLU layers started from N(0, 0.01²), against He's initialisation, on the digits.

The line that differs: how the weights are filled. A standard deviation of 0.01 was the habit of the first
convolutional networks; over 128 inputs it multiplies the signal by 0.08 in every layer, upwards and
downwards alike. The output is the same for every image and the gradient that reaches any layer is
practically zero, so the network stays at chance.

Anchors: He et al. 2015, "Delving deep into rectifiers", where a 30-layer network with this initialisation
stalls; Glorot & Bengio 2010; Mishkin & Matas 2016, "All you need is a good init".
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import Initialise, he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Normal weights with a standard deviation of 0.01, whatever the width."""
    return _setup(seed, init=partial(nn.init.normal_, std=0.01))


def healthy(seed: int) -> Setup:
    """Normal weights with a standard deviation of sqrt(2 / fan_in)."""
    return _setup(seed, init=he)


def _setup(seed: int, init: Initialise) -> Setup:
    model = mlp([64] + [128] * 8 + [10], nn.ReLU, init)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=30, metric="accuracy")
