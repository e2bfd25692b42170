"""A network far too large for 332 patients, each of which looks exactly the same in every epoch."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "overfitting"
SETTINGS = {"kind": "noise", "strength": 0.7}


def faulty(seed: int) -> Setup:
    """No noise on the inputs."""
    model = mlp([10, 128, 128, 1])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train, val = loaders("diabetes", seed, batch_size=32)
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=60, metric="r2")
