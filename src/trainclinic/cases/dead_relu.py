"""A hidden ReLU layer born dead by its bias, against a bias of 0, on the digits.

The line that differs: the number the second hidden layer's bias starts from. At -8 no image brings any of
its units above zero: each gives 0 for every sample, receives no gradient and can never come back. The block
is severed. All that still learns is what comes after it, from a constant, so the network answers with the
class frequencies. With a bias of 0 about half of the units are active for each image, and it learns.

Anchors: Lu, Shin, Su & Karniadakis 2020, "Dying ReLU and initialization" (networks born dead); Maas, Hannun
& Ng 2013 for the leaky unit that cannot die.
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The second hidden layer's bias starts at -8."""
    return _setup(seed, bias=-8.0)


def healthy(seed: int) -> Setup:
    """The second hidden layer's bias starts at 0."""
    return _setup(seed, bias=0.0)


def _setup(seed: int, bias: float) -> Setup:
    model = mlp([64, 128, 128, 128, 10])
    second = model[2]
    assert isinstance(second, nn.Linear)
    nn.init.constant_(second.bias, bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
