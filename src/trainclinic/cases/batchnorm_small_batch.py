"""Batch normalisation over two samples against over sixty-four, on the digits.

The line that differs: the batch size. Of two values a mean and a deviation leave only which one is larger: every layer
gets plus or minus one, by the accident of who shares the batch. The network hardly learns, and in eval mode it answers
differently from what it was trained for. Both sides see each training sample equally often.

Anchors: Wu & He 2018, "Group normalization"; Ioffe 2017, "Batch renormalization".
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import he
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Two samples in a batch."""
    return _setup(seed, batch_size=2)


def healthy(seed: int) -> Setup:
    """Sixty-four."""
    return _setup(seed, batch_size=64)


def _setup(seed: int, batch_size: int) -> Setup:
    modules: list[nn.Module] = []
    for width in (64, 48, 48, 48):
        linear = nn.Linear(width, 48)
        he(linear.weight)
        modules += [linear, nn.BatchNorm1d(48), nn.ReLU()]
    model = nn.Sequential(*modules, nn.Linear(48, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    train, val = loaders("digits", seed, batch_size=batch_size, train_size=500)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=10, metric="accuracy")
