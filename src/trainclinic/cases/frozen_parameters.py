"""An optimizer that was given only the last layer, against one that has them all, on the digits.

The line that differs: which parameters the optimizer gets. Three hidden layers of sixteen units require
gradients, receive them in every step and are never moved, because they are in no parameter group: the last
layer can only combine sixteen random features. Nothing is announced; the loss even falls, a little and
slowly.

Anchors: Zhang et al. 2018, "An empirical study on TensorFlow program bugs"; Jiang et al. 2025, "TrainCheck"
(silent training errors of this class).
"""

from __future__ import annotations

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup


def faulty(seed: int) -> Setup:
    """The optimizer is built over the last layer."""
    return _setup(seed, part=slice(-1, None))


def healthy(seed: int) -> Setup:
    """The optimizer is built over the whole network."""
    return _setup(seed, part=slice(None))


def _setup(seed: int, part: slice) -> Setup:
    model = mlp([64, 16, 16, 16, 10])
    optimizer = torch.optim.Adam(model[part].parameters(), lr=1e-3)
    train, val = loaders("digits", seed, batch_size=32)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=20, metric="accuracy")
