"""Batches of two: each step follows the noise of two samples. Nearest problem with a rule: learning-rate-too-high."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {"factor": 16}


def faulty(seed: int, lr=0.1, batch=2) -> Setup:
    """SGD with momentum on batches of two digits."""
    model = mlp([64, 64, 10])
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    train, val = loaders("digits", seed, batch_size=batch)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=4, metric="accuracy")
