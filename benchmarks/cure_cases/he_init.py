"""Twelve ReLU layers whose initial weights are far too small for any signal to pass."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup

PROBLEM = "poor-initialization"
SETTINGS = {}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    model = mlp([64] + [64] * 12 + [10], nn.ReLU, partial(he, gain=0.3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=8, metric="accuracy")
