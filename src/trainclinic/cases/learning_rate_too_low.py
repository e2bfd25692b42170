"""Adam with a step of 0.00001 against its usual 0.001, on the breast-cancer table.

The line that differs: `lr`. Nothing is broken: gradients are of a good size in every layer, each step lowers
the loss, the curve is smooth. But in the epochs given the weights have hardly left their starting point, and
the loss is still near the logarithm of two. A hundred times the step reaches the floor in the same time.

Anchors: Bengio 2012, "Practical recommendations for gradient-based training of deep architectures"; Smith
2017, "Cyclical learning rates", for the range test that finds it.
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Adam with a hundredth of its usual learning rate."""
    return _setup(seed, lr=1e-5)


def healthy(seed: int) -> Setup:
    """Adam with its usual learning rate."""
    return _setup(seed, lr=1e-3)


def _setup(seed: int, lr: float) -> Setup:
    model = mlp([30, 32, 32, 2])
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    train, val = loaders("breast_cancer", seed, batch_size=32)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
