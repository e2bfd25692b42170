"""A training loop in eval mode against one in train mode, with batch normalisation, on the digits.

The line that differs: the mode the loop sets before the batches of an epoch. In eval mode batch normalisation
divides by its running statistics, and as it never trains they stay at mean 0 and variance 1: it normalises
nothing. Eight layers with PyTorch's own initialisation then shrink the signal layer by layer, and the network
that relied on its normalisation stays at chance. In train mode it learns.

Anchors: Ioffe & Szegedy 2015, "Batch normalization"; Humbatova et al. 2020, "Taxonomy of real faults in deep
learning systems".
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from trainclinic.cases._data import loaders
from trainclinic.setup import Setup, evaluate


def faulty(seed: int) -> Setup:
    """The loop trains with the model in eval mode."""
    return _setup(seed, training=False)


def healthy(seed: int) -> Setup:
    """The loop trains with the model in train mode."""
    return _setup(seed, training=True)


def _setup(seed: int, training: bool) -> Setup:
    modules: list[nn.Module] = []
    for _ in range(8):
        modules += [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU()]
    model = nn.Sequential(*modules, nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train, val = loaders("digits", seed)
    loop = partial(_loop, training=training)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric="accuracy", loop=loop)


def _loop(setup: Setup, training: bool) -> None:
    for _ in range(setup.epochs):
        setup.model.train(training)
        for batch in setup.train_loader:
            setup.optimizer.zero_grad()
            setup.loss(batch).backward()  # type: ignore[no-untyped-call]
            setup.optimizer.step()
        evaluate(setup)
