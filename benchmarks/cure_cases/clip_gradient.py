"""A slip of the decimal point in one of a hundred training samples: such a batch throws the weights far off.

With its gradient clipped it is one batch among many. Nearest problem with a rule: learning-rate-too-high.
"""

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

PROBLEM = "learning-rate-too-high"
SETTINGS: dict[str, object] = {"norm": 1.0}


def faulty(seed: int) -> Setup:
    """Every hundredth image is a hundred times too bright."""
    model = mlp([64, 64, 64, 10], nn.GELU)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train, val = loaders("digits", seed)
    train.dataset.tensors[0][::100] *= 100  # type: ignore[attr-defined]
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric="accuracy")
