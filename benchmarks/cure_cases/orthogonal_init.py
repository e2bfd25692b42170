"""Twenty tanh layers with tiny initial weights."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "poor-initialization"
SETTINGS = {}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    model = mlp([64] + [64] * 20 + [10], nn.Tanh, partial(nn.init.normal_, std=0.02))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=8, metric="accuracy")
