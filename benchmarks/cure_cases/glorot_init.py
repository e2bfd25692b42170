"""Tanh layers that start saturated: normal weights of unit variance."""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "poor-initialization"
SETTINGS = {}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    model = mlp([64] + [64] * 6 + [10], nn.Tanh, nn.init.normal_)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=10, metric="accuracy")
