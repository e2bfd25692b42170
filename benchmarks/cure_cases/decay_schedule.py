"""A rate at which the loss rattles; along a cosine it settles."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {}


def faulty(seed: int) -> Setup:
    """A constant rate."""
    model = mlp([64, 64, 64, 10], nn.GELU)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
