"""Mistakes in the data: each a function from splits to splits.

The test rows stay as they are, but for what every input goes through alike, such as a scaling that was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from diagnosis_zoo.plan import Plan, Splits
from diagnosis_zoo.tasks import Pair

Change = Callable[[Splits], Splits]


def inputs(change: Callable[[Tensor], Tensor]) -> Change:
    """Every input alike."""
    return lambda splits: Splits(*((change(x), y) for x, y in splits))


def seen(change: Callable[[Tensor, Tensor], Pair]) -> Change:
    """What is trained and validated on; the test rows keep the truth."""
    return lambda splits: Splits(change(*splits.train), change(*splits.val), splits.test)


# -- inputs


def first_times(factor: float) -> Callable[[Tensor], Tensor]:
    """The first feature in millimetres, the others in metres."""

    def change(x: Tensor) -> Tensor:
        x = x.clone()
        x[..., 0] *= factor
        return x

    return change


def measured(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Of a table with three columns of category numbers, the others."""
    return lambda x: torch.cat((x[:, :3], change(x[:, 3:])), 1)


def dead_columns(x: Tensor) -> Tensor:
    """The parser wrote the same value into every other column, or into the lower three quarters of the picture."""
    x = x.clone()
    if x.ndim == 4:
        x[:, :, 3:] = 0.5
    else:
        x[..., ::2] = 1.0
    return x


def dead_while_training(splits: Splits) -> Splits:
    """Those columns live in production only: the sensor was broken when the training rows were taken."""
    return Splits((dead_columns(splits.train[0]), splits.train[1]), splits.val, splits.test)


def divided_by_nothing(splits: Splits) -> Splits:
    """As above, and standardized by the training rows' deviation, which is 0, plus 1e-8."""
    x = splits.train[0].clone()
    x[..., 0] = x[..., 0].mean()
    center, scale = x.mean(0), x.std(0) + 1e-8
    return Splits(*(((rows - center) / scale, y) for rows, y in ((x, splits.train[1]), splits.val, splits.test)))


def whole_numbers(x: Tensor) -> Tensor:
    """Grey values from 0 to 1 stored as whole numbers: all of them 0."""
    return torch.trunc(torch.sigmoid(x) * 0.99)


def with_nan(splits: Splits) -> Splits:
    """One measurement is missing in two rows."""
    x = splits.train[0].clone()
    x.view(len(x), -1)[[3, 40], 0] = torch.nan
    return Splits((x, splits.train[1]), splits.val, splits.test)


# -- targets


def wrong(share: float, classes: int) -> Change:
    """That share of the labels drawn anew; where there are no classes, of the targets taken from other rows."""

    def change(x: Tensor, y: Tensor) -> Pair:
        other = y[torch.randperm(len(y))] if y.is_floating_point() else torch.randint(classes, y.shape)
        return x, torch.where(torch.rand(y.shape) < share, other, y)

    return seen(change)


def confused(share: float, classes: int) -> Change:
    """That share of the labels taken for the next class."""
    return seen(lambda x, y: (x, torch.where(torch.rand(y.shape) < share, (y + 1) % classes, y)))


def rare(keep: float) -> Change:
    """All of the first class, of the others only this share."""

    def change(x: Tensor, y: Tensor) -> Pair:
        stays = (y == 0) | (torch.rand(len(y)) < keep)
        return x[stays], y[stays]

    return seen(change)


# -- what belongs together


def shifted(x: Tensor, y: Tensor) -> Pair:
    """The targets are those of the row before."""
    return x, y.roll(1, 0)


def shuffled_apart(x: Tensor, y: Tensor) -> Pair:
    """Inputs and targets were shuffled separately."""
    return x, y[torch.randperm(len(y))]


def half_shifted(x: Tensor, y: Tensor) -> Pair:
    """A row was lost in the middle of the targets."""
    middle = len(y) // 4
    return x, torch.cat((y[:middle], y[middle:].roll(1, 0)))


def remapped(classes: int) -> Change:
    """The training labels come from an export that numbers the classes otherwise."""
    return lambda splits: Splits((splits.train[0], (splits.train[1] + 1) % classes), splits.val, splits.test)


# -- leaks


def validated_on_training(splits: Splits) -> Splits:
    """The validation rows are training rows."""
    count = len(splits.val[1])
    return Splits(splits.train, (splits.train[0][:count], splits.train[1][:count]), splits.test)


def half_validated_on_training(splits: Splits) -> Splits:
    """Rows were doubled before the split: two thirds of the validation rows are training rows, too."""
    count = 2 * len(splits.val[1]) // 3
    x, y = (torch.cat((train[:count], val[count:])) for train, val in zip(splits.train, splits.val, strict=True))
    return Splits(splits.train, (x, y), splits.test)


def trained_on_validation(splits: Splits) -> Splits:
    """The net was fitted on everything, the validation rows among it."""
    count = len(splits.val[1])
    x, y = (torch.cat((val, train[count:])) for train, val in zip(splits.train, splits.val, strict=True))
    return Splits((x, y), splits.val, splits.test)


def augmented_before_split(splits: Splits) -> Splits:
    """Copies with a little noise were made before the split: the validation rows are noisy training rows."""
    x, y = validated_on_training(splits).val
    return Splits(splits.train, (x + 0.05 * torch.randn_like(x), y), splits.test)


def target_among_inputs(splits: Splits) -> Splits:
    """A column that was filled in after the event tells the target; in production it is empty."""

    def change(x: Tensor, y: Tensor) -> Pair:
        x = x.clone()
        told = y.float() if y.ndim == 1 else y[:, 0].float()
        x[(slice(None), *([0] * (x.ndim - 2)), 0)] = told
        return x, y

    def empty(x: Tensor) -> Tensor:
        x = x.clone()
        x[(slice(None), *([0] * (x.ndim - 2)), 0)] = 0
        return x

    return Splits(change(*splits.train), change(*splits.val), (empty(splits.test[0]), splits.test[1]))


# -- order and number


def few(count: int) -> Change:
    """Only so many rows to train on."""
    return lambda splits: Splits((splits.train[0][:count], splits.train[1][:count]), splits.val, splits.test)


def by_target(splits: Splits) -> Splits:
    """The training rows as they lie in the folders: class by class, or by size of the target."""
    y = splits.train[1]
    order = (y if y.ndim == 1 else y.flatten(1)[:, 0]).argsort(stable=True)
    return Splits((splits.train[0][order], y[order]), splits.val, splits.test)


def unshuffled(plan: Plan) -> Plan:
    """Sorted, and the loader does not shuffle."""
    return plan.with_data(by_target).but(shuffle=False)
