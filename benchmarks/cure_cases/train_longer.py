"""Two epochs of a small step: nothing is wrong but the end. Nearest problem with a rule: learning-rate-too-low."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-low"
SETTINGS: dict[str, object] = {"factor": 20}


def faulty(seed: int) -> Setup:
    """Adam at 0.0001 on the breast-cancer table, stopped after three epochs."""
    model = mlp([30, 32, 32, 2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    train, val = loaders("breast_cancer", seed, batch_size=32)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=3, metric="accuracy")
