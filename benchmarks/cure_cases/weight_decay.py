"""A network far too large for 332 patients of the diabetes table, trained by SGD with momentum and no decay."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "overfitting"
SETTINGS = {"weight_decay": 0.04}


def faulty(seed: int) -> Setup:
    """Nothing holds the weights back."""
    model = mlp([10, 256, 256, 1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    train, val = loaders("diabetes", seed, batch_size=32)
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=60, metric="r2")
