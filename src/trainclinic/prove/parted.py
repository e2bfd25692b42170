"""Parted: the same training, validated on rows that nothing in its training resembles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from trainclinic.errors import SetupError
from trainclinic.measure.data_card import NEAR
from trainclinic.measure.run import Make, build
from trainclinic.prove.streams import seed_all
from trainclinic.setup import Setup

HELD_OUT = 5  # every fifth row
MOST = 20_000  # rows: every one is held against every other
PART = 1000  # rows at a time


class Parted:
    """A `make` whose Setups train on no row that stands in validation, too, as it is or with a little noise.

    Where that takes more than a quarter of the training rows, as it does where the training set is the validation set,
    every fifth training row is held out for validation instead, and what resembles it is left out of the training.

    Args:
        make: builds the Setup as it is.
    """

    def __init__(self, make: Make) -> None:
        self._make = make

    def __call__(self, seed: int) -> Setup:
        """The Setup of a seed, parted; batches are shuffled, and as large as they were.

        Raises:
            SetupError: its batches are no tensors of as many rows each, or there are too many rows.
        """
        setup = build(self._make, seed)
        seed_all(seed, "surgery")
        train, held = _rows(setup.train_loader), _rows(setup.val_loader)
        size = len(next(iter(setup.train_loader))[0])
        left = ~_alike(train[0], held[0])
        if left.sum() < 0.75 * len(left):
            chosen = torch.randperm(len(train[0]), generator=torch.Generator().manual_seed(0)) % HELD_OUT == 0
            held = [part[chosen] for part in train]
            left = ~chosen & ~_alike(train[0], held[0])
        if left.sum() < len(left) / 4:
            raise SetupError("train_loader: expected rows that differ, but nearly all resemble each other")
        seed_all(seed, "noise")
        kept = TensorDataset(*(part[left] for part in train))
        return replace(setup, train_loader=DataLoader(kept, size, shuffle=True),
                       val_loader=DataLoader(TensorDataset(*held), 512))  # fmt: skip


def _rows(loader: Any) -> list[Tensor]:
    batches = list(loader or ())
    if not batches or not all(isinstance(one, list | tuple) and all(isinstance(x, Tensor) for x in one)
                              and len({len(x) for x in one}) == 1 for one in batches):  # fmt: skip
        raise SetupError("batches: expected tensors of as many rows each, so that rows can be told apart")
    rows = [torch.cat(parts) for parts in zip(*batches, strict=True)]
    if len(rows[0]) > MOST:
        raise SetupError(f"batches: expected at most {MOST:,} rows to hold against each other, got {len(rows[0]):,}")
    return rows


def _alike(rows: Tensor, held: Tensor) -> Tensor:
    """(len(rows),): whether a row is one of `held`, or lies so near to one as rows hardly ever do."""
    flat, other = rows.flatten(1).double(), held.flatten(1).double()
    center, spread = flat.mean(0), flat.std(0)
    spread[~(spread > 0)] = 1.0
    flat, other = ((part - center) / spread for part in (flat, other))
    between = torch.cat([torch.cdist(part, other).amin(1) for part in torch.split(flat, PART)])
    sample = flat[:: max(1, len(flat) // (2 * PART))]
    own = torch.cdist(sample, sample).fill_diagonal_(torch.inf).amin(1)
    usual = float(own[own > 1e-6].median()) if bool((own > 1e-6).any()) else 0.0
    near = usual / NEAR if rows.is_floating_point() else 0.0
    return between <= max(near, 1e-6)
