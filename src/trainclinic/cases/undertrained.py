"""Three epochs against thirty of the same slow and steady descent, on the digits.

The line that differs: `epochs`. The learning rate is on the small side and the loss falls smoothly; after three
epochs most of the way is still to go, after thirty the network is good.

Anchors: Bottou & Bousquet 2008, "The tradeoffs of large scale learning"; Smith & Topin 2018, "Super-convergence".
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Three epochs."""
    return _setup(seed, epochs=3)


def healthy(seed: int) -> Setup:
    """Thirty."""
    return _setup(seed, epochs=30)


def _setup(seed: int, epochs: int) -> Setup:
    model = mlp([64, 48, 48, 10], init=he)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=epochs, metric="accuracy")
