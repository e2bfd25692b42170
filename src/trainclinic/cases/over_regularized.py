"""A weight decay thirty times too strong, on the digits.

The line that differs: `weight_decay` of the optimizer. At 0.01 it costs nothing; at 0.3 each step takes three per cent
off every weight, more than the gradient puts on, and the network shrinks to nothing: it answers with the frequencies
of the classes.

Anchors: Krogh & Hertz 1992, "A simple weight decay can improve generalization"; van Laarhoven 2017, "L2
regularization versus batch and weight normalization".
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Three per cent off every weight, at each step."""
    return _setup(seed, weight_decay=0.3)


def healthy(seed: int) -> Setup:
    """A tenth of a per cent."""
    return _setup(seed, weight_decay=0.01)


def _setup(seed: int, weight_decay: float) -> Setup:
    model = mlp([64, 48, 48, 10], init=he)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=weight_decay)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=16, metric="accuracy")
