"""Real data for the cases: scikit-learn's embedded tables, one fixed split, nothing downloaded."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

Loader = DataLoader[tuple[Tensor, ...]]
Array = NDArray[np.float64]

SPLIT_SEED = 42  # the split is the same for every seed: a seed changes weights and order, never the samples
VALIDATION_SHARE = 0.25
REGRESSION = ("diabetes",)
GREY_STEP = 0.5  # digits: a pixel that hardly ever differs is divided by half a grey level, not its tiny std


def loaders(
    name: str, seed: int, *, batch_size: int = 64, scaled: bool = True, train_size: int | None = None
) -> tuple[Loader, Loader]:
    """Training and validation loaders of one table: `batches` of its `sets`."""
    return batches(*sets(name, scaled=scaled, train_size=train_size), seed, batch_size=batch_size)


def sets(name: str, *, scaled: bool = True, train_size: int | None = None) -> tuple[TensorDataset, TensorDataset]:
    """Training and validation samples of one table.

    Args:
        name: "digits", "wine", "breast_cancer" or "diabetes" (a regression: its target is standardised).
        scaled: standardise the features with the statistics of the training samples.
        train_size: keep only this many training samples; None keeps all.
    """
    features, target = _table(name)
    order = np.random.RandomState(SPLIT_SEED).permutation(len(features))
    held_out = round(VALIDATION_SHARE * len(features))
    val, train = order[:held_out], order[held_out:][:train_size]
    if scaled:
        features = _standardised(features, train, GREY_STEP if name == "digits" else 0.0)
    if name in REGRESSION:
        target = _standardised(target[:, None], train)
    training, validation = (
        TensorDataset(torch.tensor(features[rows], dtype=torch.float32), _targets(name, target[rows]))
        for rows in (train, val)
    )
    return training, validation


def batches(
    training: TensorDataset, validation: TensorDataset, seed: int, *, batch_size: int = 64, shuffle: bool = True
) -> tuple[Loader, Loader]:
    """Loaders of two sets.

    Returns:
        (training loader, its last incomplete batch dropped; validation loader, one batch in order). Both own
        their generator, seeded with `seed`, so that iterating them leaves the global random state alone.
    """
    return (
        DataLoader(training, batch_size, shuffle=shuffle, drop_last=True, generator=_generator(seed)),
        DataLoader(validation, len(validation), generator=_generator(seed)),
    )


@cache
def _table(name: str) -> tuple[Array, Array]:
    from sklearn import datasets

    load: Any = getattr(datasets, f"load_{name}")
    bunch = load(scaled=False) if name in REGRESSION else load()
    return bunch.data.astype(np.float64), bunch.target.astype(np.float64)


def _standardised(values: Array, train: NDArray[np.int64], floor: float = 0.0) -> Array:
    spread = np.maximum(values[train].std(0), floor)
    scaled: Array = (values - values[train].mean(0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def _targets(name: str, target: Array) -> Tensor:
    return torch.tensor(target, dtype=torch.float32 if name in REGRESSION else torch.int64)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
