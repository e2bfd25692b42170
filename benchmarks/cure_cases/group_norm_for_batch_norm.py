"""BatchNorm over batches of two samples."""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.setup import Setup

PROBLEM = "batchnorm-small-batch"
SETTINGS = {"channels": 16}


def faulty(seed: int) -> Setup:
    """The training as it is."""
    modules: list[nn.Module] = []
    for _ in range(4):
        modules += [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU()]
    model = nn.Sequential(*modules, nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train, val = loaders("digits", seed, batch_size=2, train_size=400)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=6, metric="accuracy")
