"""Adam at 0.03 through twelve ReLU layers: the first steps destroy the start; warmed up, it learns."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he, mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {"share": 0.2}


def faulty(seed: int, lr=0.1, depth=6) -> Setup:
    """No warm-up."""
    model = mlp([64] + [64] * depth + [10], init=he)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    train, val = loaders("digits", seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
