"""Twelve sigmoid layers of one width: at chance."""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "vanishing-gradient"
SETTINGS = {}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    model = mlp([64] + [64] * 12 + [10], nn.Sigmoid, nn.init.xavier_normal_)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=10, metric="accuracy")
