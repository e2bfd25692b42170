"""Each image beside the label of the next one against its own, on the digits.

The line that differs: `slip`, by how many rows the images have moved against the labels: one, as after a header that
was read in one file and skipped in the other. Every image is fine and every label is fine; nothing is left
that joins them. The network learns some pairs by heart and guesses at all others.

Anchors: Zhang et al. 2017, "Understanding deep learning requires rethinking generalization", for what a network
does with labels that mean nothing; Good 2005, "Permutation, parametric and bootstrap tests of hypotheses".
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trainclinic.cases._data import batches, sets
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The images have slipped by one row."""
    return _setup(seed, slip=1)


def healthy(seed: int) -> Setup:
    """Each image stands beside its own label."""
    return _setup(seed, slip=0)


def _setup(seed: int, slip: int) -> Setup:
    model = mlp([64, 48, 48, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    training, validation = (_slipped(part, slip) for part in sets("digits"))
    train, val = batches(training, validation, seed)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")


def _slipped(part: TensorDataset, rows: int) -> TensorDataset:
    x, y = part.tensors
    return TensorDataset(x.roll(rows, 0), y)
