"""A wide network on 332 patients of the diabetes table, whose units learn the samples together."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "overfitting"
SETTINGS = {"p": 0.6}


def faulty(seed: int) -> Setup:
    """No dropout."""
    model = mlp([10, 256, 256, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = loaders("diabetes", seed, batch_size=32)
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=60, metric="r2")
