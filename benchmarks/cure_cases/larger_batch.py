"""Batches of four: each step follows their noise. Nearest problem with a rule: learning-rate-too-high."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {"factor": 16}


def faulty(seed: int) -> Setup:
    """SGD with momentum on batches of four digits."""
    model = mlp([64, 64, 10])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train, val = loaders("digits", seed, batch_size=4)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=4, metric="accuracy")
