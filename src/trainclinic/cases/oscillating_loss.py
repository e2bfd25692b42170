"""RMSprop with a learning rate of 0.06 against one of 0.002, with batch normalisation, on the digits.

The line that differs: `lr`. Batch normalisation makes the network bear almost any step, and a little weight decay
keeps the weights from outgrowing their steps, so nothing diverges and nothing settles: from one epoch to the next the
validation loss doubles and halves, and whether the last one was a good one is luck.

Anchors: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Izmailov et al. 2018,
"Averaging weights leads to wider optima and better generalization".
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Each step moves every weight by about a sixteenth."""
    return _setup(seed, lr=0.06)


def healthy(seed: int) -> Setup:
    """By a five-hundredth."""
    return _setup(seed, lr=0.002)


def _setup(seed: int, lr: float) -> Setup:
    modules: list[nn.Module] = []
    for width in (64, 48, 48):
        linear = nn.Linear(width, 48)
        he(linear.weight)
        modules += [linear, nn.BatchNorm1d(48), nn.GELU()]
    model = nn.Sequential(*modules, nn.Linear(48, 10))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr, alpha=0.9, weight_decay=4e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=24, metric="accuracy")
