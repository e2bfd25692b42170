"""What is done to the data of the zoo's animals: (training, validation) → (training, validation)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]
Sets = tuple[Pair, Pair]
Change = Callable[[Pair, Pair], Sets]


def thinned(classes: tuple[int, ...], share: float, everywhere: bool = False) -> Change:
    """Of these classes only that share is there, in training, or in validation, too."""

    def part(x: Tensor, y: Tensor) -> Pair:
        keep = ~torch.isin(y.long(), torch.tensor(classes)) | (torch.rand(len(y)) < share)
        for label in classes:
            keep[(y == label).nonzero()[:2]] = True
        return x[keep], y[keep]

    return lambda train, val: (part(*train), part(*val) if everywhere else val)


def mislabelled(share: float, classes: int, everywhere: bool = False) -> Change:
    """That share of the labels drawn anew."""

    def part(x: Tensor, y: Tensor) -> Pair:
        return x, torch.where(torch.rand(len(y)) < share, torch.randint(classes, (len(y),)).to(y.dtype), y)

    return lambda train, val: (part(*train), part(*val) if everywhere else val)


def shifted(train: Pair, val: Pair) -> Sets:
    """Each target has slipped by one row."""
    return (train[0], train[1].roll(1, 0)), (val[0], val[1].roll(1, 0))


def slipped(train: Pair, val: Pair) -> Sets:
    """Those of the training set alone."""
    return (train[0], train[1].roll(1, 0)), val


def renumbered(classes: int) -> Change:
    """The validation set counts its classes from another one."""
    return lambda train, val: (train, (val[0], (val[1] + 3) % classes))


def ordered(train: Pair, val: Pair) -> Sets:
    """Sorted by target, as they were stored."""
    order = train[1].flatten().argsort(stable=True)
    return (train[0][order], train[1][order]), val


def lost(columns: Callable[[int], Tensor]) -> Change:
    """These columns are 0 in all rows: a join that found nothing."""

    def part(x: Tensor, y: Tensor) -> Pair:
        x = x.clone()
        x.flatten(1)[:, columns(x[0].numel())] = 0.0
        return x, y

    return lambda train, val: (part(*train), part(*val))


def dead_in_training(columns: int, divided: bool) -> Change:
    """These columns stand still in training, not in validation; `divided`: by the training deviation plus 1e-6."""

    def change(train: Pair, val: Pair) -> Sets:
        x, live = train[0].clone(), val[0].clone()
        x[:, :columns] = 0.0
        live[:, :columns] /= 1e-6 if divided else 1.0
        return (x, train[1]), (live, val[1])

    return change


def padded(train: Pair, val: Pair) -> Sets:
    """As many columns again that are always 0."""
    return ((torch.cat((x, torch.zeros_like(x)), 1), y) for x, y in (train, val))  # type: ignore[return-value]


def leaked(share: float) -> Change:
    """That share of the validation rows is taken from training."""

    def change(train: Pair, val: Pair) -> Sets:
        held = len(val[0])
        count = int(share * held)
        chosen = torch.randperm(len(train[0]))[:count]
        mixed = torch.randperm(held)
        x, y = (torch.cat((ours[count:], theirs[chosen]))[mixed] for ours, theirs in zip(val, train, strict=True))
        return train, (x, y)

    return change


def multiplied(train: Pair, val: Pair) -> Sets:
    """Every sample twice, then split."""
    x, y = (torch.cat((a, b, a, b)) for a, b in zip(train, val, strict=True))
    order = torch.randperm(len(x))
    held = order[: len(val[0])]
    return (x[order[len(held) :]], y[order[len(held) :]]), (x[held], y[held])


def itself(train: Pair, val: Pair) -> Sets:
    """The training set again."""
    return train, train
