"""One hidden layer of two units, for ten classes."""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "underfitting"
SETTINGS = {"factor": 16.0}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    model = mlp([64, 2, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric="accuracy")
