"""A hidden layer of two units against one of forty-eight, on the digits.

The line that differs: the hidden width. Two numbers are too few to tell ten digits apart: training comes to rest, on
new pictures as on old ones, far below what a look at the five most similar pictures answers.

Anchors: Goodfellow, Bengio & Courville 2016, "Deep learning" (5.2, capacity); Cover & Hart 1967, "Nearest neighbor
pattern classification".
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Two hidden units."""
    return _setup(seed, width=2)


def healthy(seed: int) -> Setup:
    """Forty-eight."""
    return _setup(seed, width=48)


def _setup(seed: int, width: int) -> Setup:
    model = mlp([64, width, 10], init=he)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=60, metric="accuracy")
