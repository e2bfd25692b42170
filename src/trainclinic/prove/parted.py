"""Parted: the same training, judged on rows that nothing in its training resembles; and its control."""

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
MOST_ROWS, MOST_NUMBERS = 20_000, 20_000_000  # of the inputs: every row is held against every other
PART = 500  # rows at a time
EXACT = "donot_use_mm_for_euclid_dist"  # the rounding of a matrix product hides what lies near


class Parted:
    """A `make` whose Setups train on no row that stands in validation, too, as it is or with a little noise.

    Where that takes more than a quarter of the training rows, as it does where the training set is the validation set,
    every fifth training row is held out for validation instead, and what resembles it is left out of the training.

    Args:
        make: builds the Setup as it is.
        leaking: the control instead: as many training rows, and the same validation, but with all rows that resemble
            its rows among them. So the two differ in nothing but the leak.
    """

    def __init__(self, make: Make, *, leaking: bool = False) -> None:
        self._make, self._leaking = make, leaking

    def __call__(self, seed: int) -> Setup:
        """The Setup of a seed; batches are shuffled, and as large as they were.

        Raises:
            SetupError: its batches are no tensors of as many rows each, there are too many, or they are all alike.
        """
        setup = build(self._make, seed)
        if setup.step is not None:
            raise SetupError("step: with one of its own it is not known which part of a batch the model is given")
        seed_all(seed, "surgery")
        train, held = _rows("train_loader", setup.train_loader), _rows("val_loader", setup.val_loader)
        loaders = [one for one in (setup.train_loader, setup.val_loader) if one is not None]
        size, shown = (len(next(iter(one))[0]) for one in loaders)
        alike = _alike(train[0], held[0])
        if not alike.any():
            raise SetupError("train_loader: expected rows that resemble those of val_loader, but none does so here")
        left = ~alike
        if left.sum() < 0.75 * len(left):
            chosen = torch.randperm(len(train[0]), generator=torch.Generator().manual_seed(0)) % HELD_OUT == 0
            held, shown = [part[chosen] for part in train], size
            alike = chosen | _alike(train[0], held[0])
            left = ~alike
        if left.sum() < len(left) / 4:
            raise SetupError("train_loader: expected rows that differ, but most resemble those that are held out")
        if self._leaking:
            order = torch.randperm(len(left), generator=torch.Generator().manual_seed(1))
            order = torch.cat((order[alike[order]], order[left[order]]))[: int(left.sum())]
            left = torch.zeros_like(left).index_fill_(0, order, True)
        seed_all(seed, "noise")
        rows = TensorDataset(*(part[left] for part in train))
        single = len(rows) % size == 1  # no batch of one sample, on which BatchNorm raises
        return replace(setup, train_loader=DataLoader(rows, size, shuffle=True, drop_last=single),
                       val_loader=DataLoader(TensorDataset(*held), shown))  # fmt: skip


def _rows(name: str, loader: Any) -> list[Tensor]:
    """Every part of the batches, put together."""
    batches: list[Any] = []
    rows = numbers = 0
    for batch in () if loader is None else loader:
        if (
            type(batch) not in (list, tuple)
            or not all(isinstance(one, Tensor) and one.dim() for one in batch)
            or (len({len(one) for one in batch}) != 1)
        ):
            raise SetupError(f"{name}: expected batches of tensors with as many rows each, got {type(batch).__name__}")
        batches.append(batch)
        rows, numbers = rows + len(batch[0]), numbers + batch[0].numel()
        if rows > MOST_ROWS or numbers > MOST_NUMBERS:
            raise SetupError(f"{name}: expected at most {MOST_ROWS:,} rows and {MOST_NUMBERS:,} numbers, to hold every "
                             "row against every other; there are more")  # fmt: skip
    if not batches:
        raise SetupError(f"{name}: expected batches, got none")
    try:
        return [torch.cat(parts) for parts in zip(*batches, strict=True)]
    except (RuntimeError, ValueError) as error:
        raise SetupError(f"{name}: expected batches that can be put together, but {error}") from error


def _alike(rows: Tensor, held: Tensor) -> Tensor:
    """(len(rows),): whether a row is one of `held`, or lies so near to one as rows hardly ever do."""
    if rows.shape[1:] != held.shape[1:]:
        raise SetupError(f"val_loader: expected rows of the shape of the training's, {tuple(rows.shape[1:])}, got "
                         f"{tuple(held.shape[1:])}")  # fmt: skip
    known = set(_keys(held))
    same = torch.tensor([key in known for key in _keys(rows)])
    if not rows.is_floating_point():
        return same
    flat, other = rows.reshape(len(rows), -1).float(), held.reshape(len(held), -1).float()
    center, spread = flat.mean(0), flat.std(0)
    spread[~(spread > 0)] = 1.0
    flat, other = ((part - center) / spread for part in (flat, other))
    sample = flat[:: max(1, len(flat) // (2 * PART))]
    own = torch.cdist(sample, sample, compute_mode=EXACT).fill_diagonal_(torch.inf).amin(1)
    usual = float(own[own > 0].median()) if bool((own > 0).any()) else 0.0
    near = [torch.cdist(part, other, compute_mode=EXACT).amin(1) for part in torch.split(flat, PART)]
    return same | (torch.cat(near) < usual / NEAR).cpu()


def _keys(rows: Tensor) -> list[bytes]:
    """Each row's own bytes."""
    plain = rows.detach().cpu().reshape(len(rows), -1).contiguous().view(torch.uint8).numpy()
    return [row.tobytes() for row in plain]
