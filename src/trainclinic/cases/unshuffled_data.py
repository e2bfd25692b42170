"""Digits in the order in which they were filed, class by class, against shuffled ones.

The line that differs: `shuffle`. All zeros come first, then all ones, and at the end of the epoch nothing but nines.
Each stretch teaches the network to say its own digit whatever it sees, and batch normalisation takes its means over
one digit at a time. When validation comes, the nines have had the last word. Shuffled, the same samples in the same
time are told apart.

Anchors: Bengio 2012, "Practical recommendations for gradient-based training of deep architectures", on shuffling;
McCloskey & Cohen 1989, "Catastrophic interference in connectionist networks".
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trainclinic.cases._data import batches, sets
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The training samples come as they were filed."""
    return _setup(seed, shuffle=False)


def healthy(seed: int) -> Setup:
    """The training samples come in a new order in every epoch."""
    return _setup(seed, shuffle=True)


def _setup(seed: int, shuffle: bool) -> Setup:
    hidden = (nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU())
    model = nn.Sequential(*hidden, nn.Linear(48, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    training, validation = sets("digits")
    train, val = batches(_filed(training), validation, seed, batch_size=32, shuffle=shuffle)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=10, metric="accuracy")


def _filed(training: TensorDataset) -> TensorDataset:
    x, y = training.tensors
    order = y.argsort(stable=True)
    return TensorDataset(x[order], y[order])
