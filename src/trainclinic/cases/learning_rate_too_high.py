"""Adam with a step of 0.1 against its usual 0.001, on the digits.

The line that differs: `lr`. Adam moves every weight by about `lr` in each step; weights of a few hundredths
are thrown from one side to the other, and the loss rattles far above the floor that a smaller step reaches
in the same time. GELU units keep the picture clean: they have no dead half and no flat ceiling.

Anchors: Bengio 2012, "Practical recommendations for gradient-based training of deep architectures" (the
learning rate is the first thing to set); Smith 2017 for the range test; Kingma & Ba 2015 for the 0.001.
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Adam with a hundred times its usual learning rate."""
    return _setup(seed, lr=0.1)


def healthy(seed: int) -> Setup:
    """Adam with its usual learning rate."""
    return _setup(seed, lr=1e-3)


def _setup(seed: int, lr: float) -> Setup:
    model = mlp([64, 64, 64, 10], nn.GELU)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
