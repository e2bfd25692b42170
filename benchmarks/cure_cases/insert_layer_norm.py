"""Ten tanh layers with weights that are too small, in batches of four."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "vanishing-gradient"
SETTINGS = {}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    model = mlp([64] + [32] * 10 + [10], nn.Tanh, partial(nn.init.normal_, std=0.03))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train, val = loaders("digits", seed, batch_size=4, train_size=600)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=8, metric="accuracy")
