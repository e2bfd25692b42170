"""The zoo's animals with something wrong in their data, and healthy ones that look so.

A faulty one differs in its data from a healthy one, of this file or of `zoo.py`, and stands on the same tasks. Where
the fault makes the validation itself lie (a leak), it must be too good by `limits.TOO_GOOD` against its twin; else it
must miss the level of its task, as everywhere. Rare classes are judged by the mean of the recalls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW
from zoo import (
    CANCER,
    DIABETES,
    DIGITS,
    FRIEDMAN,
    IMAGES,
    MOONS,
    NOISY,
    SMOOTH,
    TOKENS,
    WAVES,
    WINE,
    Animal,
    Task,
    _Attention,
    _Bag,
    _Batches,
    _Recurrent,
    _ResNet,
    _tensors,
    adam,
    cnn,
    mlp,
    momentum,  # fmt: skip
    relu,
    sgd,
    tanh,
    xavier,
)
from zoo_data_faults import (
    Change,
    Pair,
    dead_in_training,
    itself,
    leaked,
    lost,
    mislabelled,
    multiplied,
    ordered,
    padded,  # fmt: skip
    renumbered,
    shifted,
    slipped,
    thinned,
)

from trainclinic.setup import Setup, evaluate


def balanced_accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Mean of the recalls of all classes."""
    answers = outputs.argmax(1) if outputs.ndim > 1 else (outputs > 0).long()
    right = (answers == targets).float()
    return float(torch.stack([right[targets == label].mean() for label in targets.unique()]).mean())


# -- tasks


@cache
def _skewed() -> Pair:
    """Two overlapping classes, 1 : 25."""
    return _tensors(*datasets.make_classification(3000, 8, n_informative=4, weights=[0.96], flip_y=0.0, class_sep=0.8,
                                                  random_state=3))  # fmt: skip


@cache
def _overlapping() -> Pair:
    return _tensors(*datasets.make_moons(1000, noise=0.4, random_state=0))


@cache
def _parity() -> Pair:
    """Whether two of forty signs agree: the others hide it from the neighbours."""
    x = torch.from_numpy(np.random.default_rng(4).choice([-1.0, 1.0], (2400, 40))).float()
    return x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(4)), (x[:, 0] * x[:, 1] > 0).long()


@cache
def _drowned() -> Pair:
    """Two features tell the class, sixty are noise."""
    draw = np.random.default_rng(5)
    y = draw.integers(0, 2, 1500)
    x = np.concatenate((draw.normal(0, 1, (1500, 2)) + 2.4 * y[:, None] - 1.2, draw.normal(0, 1, (1500, 60))), 1)
    return _tensors(x, y)


@cache
def _series() -> Pair:
    """Windows of a slow noisy oscillation, in the order of time; the target is the next value."""
    draw = np.random.default_rng(6)
    time = np.arange(1600)
    values = np.sin(time / 9) + 0.5 * np.sin(time / 23) + draw.normal(0, 0.1, 1600)
    return _tensors(np.stack([values[i : i + 12] for i in range(1580)]), values[12:1592], float)


@cache
def _table() -> Pair:
    """Five columns of three values each: every row comes again and again."""
    draw = np.random.default_rng(7)
    x = draw.integers(0, 3, (900, 5))
    return _tensors(x, (x[:, 0] + x[:, 1] + (x[:, 2] == 2) + (draw.random(900) < 0.05)) % 3)


SKEWED = Task(_skewed, 8, 2, "accuracy", 0.72, validation=0.4)
OVERLAPPING = Task(_overlapping, 2, 2, "accuracy", 0.8, validation=0.4)
PARITY = Task(_parity, 40, 2, "accuracy", 0.9)
DROWNED = Task(_drowned, 62, 2, "accuracy", 0.8)
SERIES = Task(_series, 12, 1, "r2", 0.9, nn.MSELoss())
TABLE = Task(_table, 5, 3, "accuracy", 0.85)


# -- trainings


def fit(
    task: Task,
    model: nn.Module,
    optimizer: Callable[..., Any],
    change: Change | None = None,
    *,
    epochs: int = 16,
    batch: int = 64,
    shuffle: bool = True,
    samples: int | None = None,
    **more: Any,
) -> Setup:
    """A Setup whose two sets are changed after the split."""
    x, y = task.data()
    in_time = task is SERIES
    order = torch.arange(len(x)).flip(0) if in_time else torch.randperm(len(x))
    held = int(len(x) * task.validation)
    rows = order[held:].flip(0) if in_time else order[held:][:samples]
    train, val = (x[rows], y[rows]), (x[order[:held]], y[order[:held]])
    train, val = change(train, val) if change else (train, val)
    loaders = _Batches(*train, batch, shuffle), _Batches(*val, 512, False)
    how = {"metric": task.metric, "loss": task.loss, **more}
    return Setup(model, how.pop("loss"), optimizer(model.parameters()), *loaders, epochs=epochs, **how)


def also_on_training_rows(setup: Setup) -> None:
    """The plain loop, which evaluates the training rows as well, and says of neither what it is."""
    for _ in range(setup.epochs):
        for batch in setup.train_loader:
            setup.optimizer.zero_grad()
            setup.loss(batch).backward()  # type: ignore[no-untyped-call]
            setup.optimizer.step()
        evaluate(Setup(setup.model, setup.loss_fn, setup.optimizer, [], setup.train_loader, metric=setup.metric))
        evaluate(setup)


def mixing(setup: Setup) -> None:
    """Mixup: each batch is mixed with itself in another order, and so is the loss."""
    for _ in range(setup.epochs):
        for x, y in setup.train_loader:
            share, other = float(torch.distributions.Beta(0.4, 0.4).sample()), torch.randperm(len(x))
            setup.optimizer.zero_grad()
            output = setup.model(share * x + (1 - share) * x[other])
            loss = share * setup.loss_fn(output, y) + (1 - share) * setup.loss_fn(output, y[other])
            loss.backward()  # type: ignore[no-untyped-call]
            setup.optimizer.step()
        evaluate(setup)


def twice_as_wide(task: Task) -> Task:
    return Task(task.data, 2 * task.width, task.outputs, task.metric, task.level, task.loss, task.validation)


I, W, M = "class-imbalance", "noisy-labels", "misaligned-data"  # noqa: E741
R, C, K = "unshuffled-data", "constant-feature", "data-leak"
L, F = "learning-rate-too-low", "overfitting"
REST = {"metric": balanced_accuracy}
WEIGHTED = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 25.0]))
Row = tuple[str, str, str, Task, Callable[[], nn.Module], dict[str, Any]]


def _rows() -> Iterator[Row]:
    """Problem or "", twin, name, task, network, how it is trained; "level" where it is not the task's."""
    # fmt: off
    yield "", "", "1 : 25, weighted", SKEWED, lambda: mlp(SKEWED, 2, relu), {
        "optimizer": adam, "loss": WEIGHTED, "epochs": 8, **REST}
    yield I, "1 : 25, weighted", "unweighted", SKEWED, lambda: mlp(SKEWED, 2, relu), {
        "optimizer": adam, "epochs": 8, **REST}
    yield I, "relu 4, Adam", "five digits thinned to 3 %", DIGITS, lambda: mlp(DIGITS, 4, relu), {
        "optimizer": adam, "change": thinned((1, 3, 5, 7, 9), 0.03), **REST}
    yield I, "cnn 2, Adam", "one digit thinned to 2 %", IMAGES, cnn, {
        "optimizer": partial(SGD, lr=0.05), "epochs": 8, "change": thinned((8,), 0.02), "level": 0.9, **REST}
    yield I, "silu 6, moons", "one moon thinned to 4 %", MOONS, lambda: mlp(MOONS, 3, nn.SiLU, width=32), {
        "optimizer": adam, "epochs": 25, "change": thinned((1,), 0.03), **REST}
    yield "", "", "benign tumours thinned to 2 %", CANCER, lambda: mlp(CANCER, 2, tanh, xavier), {
        "optimizer": partial(SGD, lr=0.02), "epochs": 25, "change": thinned((1,), 0.02), **REST}
    yield "", "", "waves, one class 1 : 14", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {
        "optimizer": partial(Adam, lr=1e-2), "epochs": 24, "change": thinned((2,), 0.07), **REST}
    yield "", "", "digits, one class 1 : 20", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": adam, "epochs": 20, "change": thinned((0,), 0.05, True), **REST}
    yield "", "", "tokens, one class 1 : 12", TOKENS, lambda: _Bag(TOKENS), {
        "optimizer": partial(Adam, lr=2e-2), "epochs": 16, "change": thinned((1,), 0.08), **REST}

    yield W, "relu 2, batch 256", "digits, one label in four wrong", DIGITS, lambda: mlp(DIGITS, 2, relu, width=128), {
        "optimizer": adam, "epochs": 30, "change": mislabelled(0.28, 10)}
    yield W, "cnn 2, Adam", "cnn, half the labels wrong", IMAGES, cnn, {
        "optimizer": partial(Adam, lr=5e-3), "epochs": 24, "change": mislabelled(0.5, 10)}
    yield W, "transformer, warm-up", "tokens, a third wrong", TOKENS, lambda: _Attention(TOKENS), {
        "optimizer": adam, "epochs": 40, "change": mislabelled(0.5, 3)}
    yield W, "tanh 4, Adam", "tumours, one in seven wrong", CANCER, lambda: mlp(CANCER, 3, relu, width=96), {
        "optimizer": partial(Adam, lr=3e-3), "epochs": 40, "change": mislabelled(0.3, 2)}
    yield W, "relu 2, wrong labels, weight decay", "more wrong ones, in both sets", NOISY, lambda: mlp(
        NOISY, 2, relu, width=96), {"optimizer": adam, "epochs": 60, "change": mislabelled(0.3, 2, True)}
    yield W, "relu 4, Adam", "digits, wrong in both sets", DIGITS, lambda: mlp(DIGITS, 4, relu), {
        "optimizer": adam, "epochs": 25, "change": mislabelled(0.25, 10, True)}
    yield "", "", "digits, one in ten wrong, smoothed", DIGITS, lambda: mlp(DIGITS, 1, relu, width=32), {
        "optimizer": adam, "loss": SMOOTH, "epochs": 10, "change": mislabelled(0.1, 10)}
    yield "", "", "digits, one in five wrong, few epochs", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": adam, "epochs": 5, "change": mislabelled(0.2, 10), "level": 0.88}
    yield "", "", "digits, mixed up", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": adam, "epochs": 20, "loop": mixing}
    yield "", "", "moons that overlap", OVERLAPPING, lambda: mlp(OVERLAPPING, 2, relu, width=16), {
        "optimizer": adam, "epochs": 25}
    yield F, "moons that overlap", "40 of the moons that overlap", OVERLAPPING, lambda: mlp(
        OVERLAPPING, 3, relu, width=64), {"optimizer": partial(Adam, lr=5e-3), "epochs": 250, "samples": 80}

    yield M, "relu 4, Adam", "digits, shifted", DIGITS, lambda: mlp(DIGITS, 4, relu), {
        "optimizer": adam, "change": shifted}
    yield M, "cnn 2, Adam", "cnn, shifted in training", IMAGES, cnn, {
        "optimizer": adam, "epochs": 12, "change": slipped}
    yield M, "relu 2, SGD", "digits, shifted, slow", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.01), "epochs": 8, "change": shifted}
    yield M, "relu 8, Friedman", "Friedman, shifted", FRIEDMAN, lambda: mlp(FRIEDMAN, 4, relu), {
        "optimizer": adam, "epochs": 14, "change": shifted}
    yield M, "relu 4, default init, diabetes", "diabetes, shifted", DIABETES, lambda: mlp(DIABETES, 2, relu), {
        "optimizer": adam, "epochs": 25, "batch": 32, "change": shifted}
    yield M, "lstm of waves", "waves, shifted", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {
        "optimizer": partial(Adam, lr=1e-2), "epochs": 24, "change": shifted}
    yield M, "tanh 4, Adam", "tumours, shifted", CANCER, lambda: mlp(CANCER, 4, tanh, xavier), {
        "optimizer": adam, "epochs": 25, "change": shifted}
    yield M, "relu 2, SGD", "digits, renumbered for validation", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": sgd, "change": renumbered(10)}
    yield M, "transformer, warm-up", "tokens, renumbered for validation", TOKENS, lambda: _Attention(TOKENS), {
        "optimizer": adam, "epochs": 10, "change": lambda train, val: (train, (val[0], (val[1] + 1) % 3))}
    yield "", "", "parity", PARITY, lambda: mlp(PARITY, 2, relu), {"optimizer": adam, "epochs": 20}
    yield L, "parity", "parity, Adam 1e-6", PARITY, lambda: mlp(PARITY, 2, relu), {
        "optimizer": partial(Adam, lr=1e-6), "epochs": 20}
    yield F, "parity", "parity, 160 samples", PARITY, lambda: mlp(PARITY, 2, relu), {
        "optimizer": adam, "epochs": 100, "samples": 160}
    yield "", "", "drowned in noise", DROWNED, lambda: mlp(DROWNED, 1, relu, width=16), {
        "optimizer": partial(AdamW, lr=2e-3, weight_decay=0.1), "epochs": 10}

    yield R, "relu 2, SGD", "digits in order", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.025, momentum=0.9), "change": ordered, "shuffle": False, "batch": 16}
    yield R, "resnet, momentum, cosine", "resnet, digits in order", IMAGES, _ResNet, {
        "optimizer": momentum, "epochs": 9, "change": ordered, "shuffle": False}
    yield R, "tanh 5, Friedman", "Friedman in order", FRIEDMAN, lambda: mlp(FRIEDMAN, 3, tanh, xavier), {
        "optimizer": partial(SGD, lr=0.01, momentum=0.9), "batch": 16, "change": ordered, "shuffle": False}
    yield R, "lstm of waves", "waves in order", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {
        "optimizer": partial(Adam, lr=1e-2), "epochs": 24, "change": ordered, "shuffle": False}
    yield "", "", "tumours in order", CANCER, lambda: mlp(CANCER, 2, relu), {
        "optimizer": partial(SGD, lr=0.05, momentum=0.9), "epochs": 10, "batch": 32, "change": ordered,
        "shuffle": False}
    yield "", "", "digits in order, one batch", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(Adam, lr=5e-3), "epochs": 80, "batch": 2000, "change": ordered, "shuffle": False}
    yield "", "", "a series in the order of time", SERIES, lambda: mlp(SERIES, 2, relu), {
        "optimizer": partial(Adam, lr=1e-3), "epochs": 16, "shuffle": False}

    yield C, "relu 2, SGD", "digits, nine pixels in ten lost", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": sgd, "change": lost(lambda width: torch.arange(width) % 10 > 0)}
    yield C, "tanh 2, SGD", "wine, eleven columns lost", WINE, lambda: mlp(WINE, 2, tanh, xavier), {
        "optimizer": partial(SGD, lr=0.05), "batch": 16, "epochs": 30,
        "change": lost(lambda width: torch.arange(2, width))}
    yield C, "relu 8, Friedman", "Friedman, half the columns lost", FRIEDMAN, lambda: mlp(FRIEDMAN, 4, relu), {
        "optimizer": adam, "epochs": 14, "change": lost(lambda width: torch.tensor([0, 1, 3, 6, 7]))}
    yield C, "tanh 4, Adam", "tumours, still in training, divided", CANCER, lambda: mlp(CANCER, 2, relu), {
        "optimizer": adam, "epochs": 20, "change": dead_in_training(2, True)}
    yield C, "relu 8, Friedman", "Friedman, still in training", FRIEDMAN, lambda: mlp(FRIEDMAN, 4, relu), {
        "optimizer": adam, "epochs": 14, "change": dead_in_training(4, False)}
    yield C, "relu 4, Adam", "digits, still in training, divided", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": adam, "change": dead_in_training(6, True)}
    yield "", "", "digits, as many columns of zeros", twice_as_wide(DIGITS), lambda: mlp(
        twice_as_wide(DIGITS), 2, relu), {"optimizer": sgd, "change": padded}
    yield "", "", "wine, as many columns of zeros", twice_as_wide(WINE), lambda: mlp(
        twice_as_wide(WINE), 2, tanh, xavier), {"optimizer": partial(SGD, lr=0.05), "batch": 16, "epochs": 30,
                                               "change": padded}

    yield K, "drowned in noise", "training set for validation", DROWNED, lambda: mlp(DROWNED, 1, relu, width=16), {
        "optimizer": partial(AdamW, lr=2e-3, weight_decay=0.1), "epochs": 10, "change": itself}
    yield K, "drowned in noise", "half the validation known", DROWNED, lambda: mlp(DROWNED, 1, relu, width=16), {
        "optimizer": partial(AdamW, lr=2e-3, weight_decay=0.1), "epochs": 10, "change": leaked(0.5)}
    yield K, "relu 2, wrong labels, weight decay", "twice, then split", NOISY, lambda: mlp(NOISY, 2, relu), {
        "optimizer": partial(AdamW, lr=1e-3, weight_decay=0.1), "epochs": 30, "change": multiplied}
    yield K, "relu 4, default init, diabetes", "patients twice, then split", DIABETES, lambda: mlp(
        DIABETES, 4, relu, None, width=24), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9, weight_decay=0.02), "epochs": 25, "batch": 32,
        "change": multiplied}
    yield "", "", "a table of few values", TABLE, lambda: mlp(TABLE, 2, relu), {"optimizer": adam, "epochs": 30}
    yield "", "", "evaluated on both sets", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": adam, "loop": also_on_training_rows}
    # fmt: on


def animals(healthy: bool) -> tuple[Animal, ...]:
    """The healthy ones, or those with a fault."""
    found = []
    for problem, twin, name, task, network, options in _rows():
        how = {key: value for key, value in options.items() if key != "level"}
        build = partial(_built, task, network, how)
        if healthy == (not problem):
            found.append(Animal(name, build, options.get("level", task.level), problem, (), twin))
    return tuple(found)


def _built(task: Task, network: Callable[[], nn.Module], how: dict[str, Any]) -> Setup:
    return fit(task, network(), **how)
