"""Outputs (N, 1) against targets (N,): the loss compares every answer with every target, and the mean is the best."""

import warnings

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "loss-output-mismatch"
SETTINGS: dict[str, object] = {}


def faulty(seed: int) -> Setup:
    """The diabetes table with its target as a flat vector."""
    warnings.filterwarnings("ignore", message="Using a target size")  # this is the fault
    model = mlp([10, 32, 1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train, val = loaders("diabetes", seed, batch_size=32)
    for loader in (train, val):
        data = loader.dataset
        data.tensors = (data.tensors[0], data.tensors[1].flatten())  # type: ignore[attr-defined]
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=20, metric="r2")
