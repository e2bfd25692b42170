"""The diabetes table with its target as it was counted, 25 to 346: the gradients are thousands of times too long.

SGD diverges at once, at a rate that suits targets of deviation 1.
"""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {}


def faulty(seed: int) -> Setup:
    """Targets of mean 150 and deviation 77, under SGD with a rate that suits targets of deviation 1."""
    model = mlp([10, 32, 1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train, val = loaders("diabetes", seed, batch_size=32)
    for loader in (train, val):
        data = loader.dataset
        data.tensors = (data.tensors[0], 150 + 77 * data.tensors[1])  # type: ignore[attr-defined]
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=20, metric="r2")
