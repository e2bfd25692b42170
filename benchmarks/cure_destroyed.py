"""Data from which nothing can be learned: whatever the cure tries, there must be no treatment.

One function each, of a seed; the destruction is the same for every seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.cases._data import loaders
from trainclinic.cases._networks import mlp
from trainclinic.setup import Setup

Change = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


def shuffled_labels(seed: int) -> Setup:
    """Labels that belong to other images."""
    return _digits(seed, _shuffled)


def labels_learned_by_heart(seed: int) -> Setup:
    """The same, with a network and the time to learn them by heart."""
    setup = _digits(seed, _shuffled, width=256)
    return replace(setup, epochs=60)


def noise_for_inputs(seed: int) -> Setup:
    """The right labels, beside noise."""
    return _digits(seed, lambda x, y, drawn: (torch.randn(x.shape, generator=drawn), y))


def black_images(seed: int) -> Setup:
    """The right labels, beside nothing."""
    return _digits(seed, lambda x, y, drawn: (torch.zeros_like(x), y))


def deep_and_shuffled(seed: int) -> Setup:
    """A net that vanishes, on labels that belong to other images: what mends the net does not mend the data."""
    return _digits(seed, _shuffled, depth=12, activation=nn.Sigmoid)


DESTROYED = (shuffled_labels, labels_learned_by_heart, noise_for_inputs, black_images, deep_and_shuffled)


def _shuffled(x: Tensor, y: Tensor, drawn: torch.Generator) -> tuple[Tensor, Tensor]:
    return x, y[torch.randperm(len(y), generator=drawn)]


def _digits(
    seed: int, change: Change, *, depth: int = 2, width: int = 64, activation: Callable[[], nn.Module] = nn.ReLU
) -> Setup:
    train, val = loaders("digits", seed)
    drawn = torch.Generator().manual_seed(7)
    train = DataLoader(
        TensorDataset(*change(*train.dataset.tensors, drawn)), 60, shuffle=True, generator=train.generator
    )
    val = DataLoader(TensorDataset(*change(*val.dataset.tensors, drawn)), 256)
    model = mlp([64, *[width] * depth, 10], activation)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Setup(model, nn.CrossEntropyLoss(), optimizer, train, val, epochs=15, metric="accuracy")
