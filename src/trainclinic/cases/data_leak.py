"""Half of the validation patients known from training against none, on the diabetes table.

The line that differs: `known`, the share of the validation set that was taken from the training set, as after a
table whose rows were doubled before it was split. The network has learned a part of the training patients by
heart, and is asked about them again: its figure looks a good deal better than it is. Nothing else is wrong, and nothing
in the training shows it.

Anchors: Kapoor & Narayanan 2023, "Leakage and the reproducibility crisis in machine-learning-based science"; Barz &
Denzler 2020, "Do we train on test data? Purging CIFAR of near-duplicates".
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trainclinic.cases._data import batches, sets
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Every second validation patient is one of the training set."""
    return _setup(seed, known=0.5)


def healthy(seed: int) -> Setup:
    """No patient is in both sets."""
    return _setup(seed, known=0.0)


def _setup(seed: int, known: float) -> Setup:
    model = mlp([10, 64, 64, 1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    training, validation = sets("diabetes")
    train, val = batches(training, _mixed(training, validation, known), seed, batch_size=32)
    return Setup(model, nn.MSELoss(), optimizer, train, val, epochs=30, metric="r2")


def _mixed(training: TensorDataset, validation: TensorDataset, known: float) -> TensorDataset:
    """The validation set, its first rows replaced."""
    count = round(known * len(validation))
    parts = zip(training.tensors, validation.tensors, strict=True)
    return TensorDataset(*(torch.cat((ours[:count], theirs[count:])) for ours, theirs in parts))
