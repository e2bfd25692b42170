"""Three labels in ten drawn by lot against none, on the digits.

The line that differs: `wrong`, the share of the training labels that are drawn anew. The network first learns what
the right ones have in common, then each wrong one by itself: the training loss goes to zero, and the validation
loss, whose labels are right, turns and rises while one digit in five is missed. Five nearest neighbours, which learn
nothing by heart, keep nine in ten.

Anchors: Zhang et al. 2017, "Understanding deep learning requires rethinking generalization"; Arpit et al. 2017, "A
closer look at memorization in deep networks".
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trainclinic.cases._data import batches, sets
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Three in ten of the training labels mean nothing."""
    return _setup(seed, wrong=0.3)


def healthy(seed: int) -> Setup:
    """The labels as they are."""
    return _setup(seed, wrong=0.0)


def _setup(seed: int, wrong: float) -> Setup:
    model = mlp([64, 128, 128, 10])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    training, validation = sets("digits")
    train, val = batches(_mislabelled(training, wrong), validation, seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=25, metric="accuracy")


def _mislabelled(training: TensorDataset, wrong: float) -> TensorDataset:
    x, y = training.tensors
    lot = torch.Generator().manual_seed(1)
    drawn = torch.rand(len(y), generator=lot) < wrong
    return TensorDataset(x, torch.where(drawn, torch.randint(10, (len(y),), generator=lot), y))
