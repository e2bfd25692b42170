"""The digits sorted by class: each batch is of one class, and unlearns the last.

Nearest problem with a rule: learning-rate-too-high.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {}


def faulty(seed: int) -> Setup:
    """In the order of the classes, not shuffled."""
    model = mlp([64, 64, 10])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train, val = loaders("digits", seed)
    x, y = train.dataset.tensors  # type: ignore[attr-defined]
    order = y.argsort()
    return Setup(model, nn.CrossEntropyLoss(), optimizer, DataLoader(TensorDataset(x[order], y[order]), 64), val,
                 epochs=10, metric="accuracy")  # fmt: skip
