"""Plain SGD at 0.0001: far too small a step for SGD. The usual Adam learns in the same time."""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-low"
SETTINGS: dict[str, object] = {"optimizer": "Adam"}


def faulty(seed: int) -> Setup:
    """SGD at 0.0001 on the breast-cancer table."""
    model = mlp([30, 32, 32, 2])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    train, val = loaders("breast_cancer", seed, batch_size=32)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
