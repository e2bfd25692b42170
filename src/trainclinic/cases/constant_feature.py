"""Two columns and eleven of zeros against all thirteen, on the wine table.

The line that differs: `lost`, how many columns a join has left empty, for somebody to fill with zeros. The network
is sound, its loss falls, and it ends where two numbers about a wine end: one bottle in five or so goes to the wrong
grower. Nothing in the weights or gradients tells why; the columns do, each of which holds one number.

Anchors: Sculley et al. 2015, "Hidden technical debt in machine learning systems", on data that nobody looks at;
scikit-learn's VarianceThreshold, which looks.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset

from trainclinic.cases._data import batches, sets
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """Eleven columns were not found."""
    return _setup(seed, lost=11)


def healthy(seed: int) -> Setup:
    """All columns are there."""
    return _setup(seed, lost=0)


def _setup(seed: int, lost: int) -> Setup:
    model = mlp([13, 32, 32, 3])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    training, validation = (_without(part, lost) for part in sets("wine"))
    train, val = batches(training, validation, seed, batch_size=16)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")


def _without(part: TensorDataset, columns: int) -> TensorDataset:
    x, y = part.tensors
    return TensorDataset(torch.cat((x[:, : 13 - columns], torch.zeros(len(x), columns)), 1), y)
