"""More animals: faults of the training as a whole, and the healthy ones that look like them.

The tasks are those of `zoo.py`, and so is the rule: a healthy one reaches its task's level, a faulty one does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW
from zoo import (
    CANCER,
    DIGITS,
    FRIEDMAN,
    IMAGES,
    MOONS,
    TOKENS,
    WAVES,
    WINE,
    Animal,
    Task,
    _Apply,
    _Attention,
    _built,
    _Recurrent,
    _ResNet,
    adam,
    cnn,
    gelu,
    mlp,
    relu,
    sgd,
    tanh,
    xavier,
)

B, C, R = "batchnorm-small-batch", "constant-prediction", "over-regularized"
U, T, O = "underfitting", "undertrained", "oscillating-loss"  # noqa: E741
BN = nn.BatchNorm1d
Entry = tuple[str, str, str, Task, Callable[[], nn.Module], dict[str, Any]]


def masked(x: Tensor) -> Tensor:
    """A mask that was meant to be 1."""
    return 0 * x


def of_the_batch(x: Tensor) -> Tensor:
    """The mean over the wrong dimension."""
    return x.mean(0, keepdim=True).expand_as(x)


def _healthy() -> Iterator[tuple[str, Task, Callable[[], nn.Module], dict[str, Any]]]:
    # fmt: off
    yield "relu 2, BatchNorm, batch 16", DIGITS, lambda: mlp(DIGITS, 2, relu, norm=BN), {
        "optimizer": partial(Adam, lr=1e-3), "batch": 16, "epochs": 8}
    yield "cnn 2, BatchNorm, batch 4", IMAGES, lambda: cnn(norm=nn.BatchNorm2d), {
        "optimizer": partial(Adam, lr=1e-3), "batch": 4, "epochs": 2}
    yield "relu 2, dropout 0.6", DIGITS, lambda: mlp(DIGITS, 2, relu, width=256, dropout=0.6), {
        "optimizer": adam, "epochs": 24}
    yield "relu 2, weight decay 0.3", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(AdamW, lr=2e-3, weight_decay=0.3)}
    yield "relu 2, L2 of 0.01", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.1, weight_decay=0.01)}
    yield "linear", WINE, lambda: mlp(WINE, 0, relu), {"optimizer": partial(Adam, lr=1e-2), "batch": 16, "epochs": 30}
    yield "linear, digits", DIGITS, lambda: mlp(DIGITS, 0, relu), {"optimizer": partial(Adam, lr=5e-3)}
    yield "relu 2, momentum 0.95, batch 8", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.005, momentum=0.95), "batch": 8, "epochs": 10}
    yield "tanh 2, SGD, batch 4", WINE, lambda: mlp(WINE, 2, tanh, xavier), {
        "optimizer": partial(SGD, lr=0.02), "batch": 4, "epochs": 20}
    yield "relu 2, few epochs", DIGITS, lambda: mlp(DIGITS, 2, relu), {"optimizer": adam, "epochs": 5}
    yield "relu 3, Friedman, few epochs", FRIEDMAN, lambda: mlp(FRIEDMAN, 3, relu), {
        "optimizer": partial(Adam, lr=3e-3), "epochs": 8}
    yield "gelu 3, output at zero", DIGITS, lambda: zero_head(mlp(DIGITS, 3, gelu)), {"optimizer": adam}
    # fmt: on


def zero_head(model: nn.Sequential) -> nn.Sequential:
    """The output layer starts at zero, on purpose."""
    nn.init.zeros_(model[-1].weight)
    return model


def _faulty() -> Iterator[Entry]:
    """Problem, twin, name, task, network, how it is trained."""
    # fmt: off
    yield B, "relu 8, BatchNorm, SGD", "batch 2", DIGITS, lambda: mlp(DIGITS, 8, relu, norm=BN), {
        "optimizer": sgd, "batch": 2, "epochs": 2}
    yield B, "relu 2, BatchNorm, batch 16", "batch 2", DIGITS, lambda: mlp(DIGITS, 4, relu, norm=BN), {
        "optimizer": partial(Adam, lr=1e-3), "batch": 2, "epochs": 3}
    yield B, "relu 8, Friedman", "BatchNorm, batch 3", FRIEDMAN, lambda: mlp(FRIEDMAN, 4, relu, norm=BN), {
        "optimizer": adam, "batch": 3, "epochs": 2}
    yield B, "tanh 4, Adam", "BatchNorm, batch 2", CANCER, lambda: mlp(CANCER, 4, tanh, xavier, norm=BN), {
        "optimizer": adam, "batch": 2, "epochs": 6}
    yield C, "relu 2, SGD", "a mask of zeros", DIGITS, lambda: mlp(DIGITS, 2, relu, before=(_Apply(masked),)), {
        "optimizer": sgd}
    yield C, "relu 8, Friedman", "mean over the batch", FRIEDMAN, lambda: mlp(
        FRIEDMAN, 3, relu, before=(_Apply(of_the_batch),)), {"optimizer": adam, "epochs": 14}
    yield C, "cnn 2, Adam", "mean over the batch", IMAGES, lambda: nn.Sequential(_Apply(of_the_batch), cnn()), {
        "optimizer": adam, "epochs": 8}
    yield C, "tanh 4, Adam", "integer division", CANCER, lambda: mlp(
        CANCER, 2, tanh, xavier, before=(_Apply(lambda x: (x / 1000).round()),)), {"optimizer": adam, "epochs": 25}
    yield R, "relu 2, weight decay 0.3", "AdamW, decay 20", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(AdamW, lr=2e-3, weight_decay=20.0)}
    yield R, "relu 2, L2 of 0.01", "L2 of 0.3", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.1, weight_decay=0.3)}
    yield R, "relu 8, Friedman", "L2 of 1 in Adam", FRIEDMAN, lambda: mlp(FRIEDMAN, 4, relu), {
        "optimizer": partial(Adam, lr=2e-3, weight_decay=1.0), "epochs": 14}
    yield R, "relu 2, dropout 0.6", "dropout 0.95", DIGITS, lambda: mlp(DIGITS, 3, relu, dropout=0.95), {
        "optimizer": adam, "epochs": 16}
    yield R, "cnn 3, dropout 0.5, RMSprop", "decay 5", IMAGES, lambda: cnn(depth=3), {
        "optimizer": partial(AdamW, lr=2e-3, weight_decay=30.0), "epochs": 8}
    yield U, "relu 2, SGD", "two units", DIGITS, lambda: mlp(DIGITS, 1, relu, width=2), {
        "optimizer": adam, "epochs": 60}
    yield U, "lstm of waves", "two states", WAVES, lambda: _Recurrent(WAVES, nn.GRU, 1), {
        "optimizer": partial(Adam, lr=1e-2), "epochs": 60}
    yield U, "cnn 2, Adam", "one channel, averaged", IMAGES, lambda: nn.Sequential(
        nn.Conv2d(1, 1, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 10)), {
        "optimizer": partial(Adam, lr=1e-2), "epochs": 30}
    yield U, "silu 6, moons", "no hidden layer", MOONS, lambda: mlp(MOONS, 0, relu), {
        "optimizer": partial(Adam, lr=1e-2), "epochs": 40}
    yield U, "relu 8, Friedman", "activations forgotten", FRIEDMAN, lambda: mlp(FRIEDMAN, 4, nn.Identity), {
        "optimizer": adam, "epochs": 14}
    yield U, "silu 6, moons", "activations forgotten", MOONS, lambda: mlp(MOONS, 6, nn.Identity, width=32), {
        "optimizer": adam, "epochs": 25}
    yield T, "relu 2, SGD", "two epochs of SGD 0.02", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.02), "epochs": 2}
    yield T, "cnn 2, Adam", "one epoch of 3e-4", IMAGES, lambda: cnn(), {
        "optimizer": partial(Adam, lr=3e-4), "epochs": 2}
    yield T, "relu 8, Friedman", "two epochs", FRIEDMAN, lambda: mlp(FRIEDMAN, 2, relu), {
        "optimizer": partial(Adam, lr=5e-4), "epochs": 3}
    yield T, "transformer, warm-up", "two epochs", TOKENS, lambda: _Attention(TOKENS), {
        "optimizer": partial(AdamW, lr=1e-4), "epochs": 3}
    yield T, "lstm of waves", "five epochs", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {
        "optimizer": partial(Adam, lr=5e-3), "epochs": 5}
    yield O, "relu 8, BatchNorm, SGD", "SGD 4", DIGITS, lambda: mlp(DIGITS, 3, relu, norm=BN), {
        "optimizer": partial(SGD, lr=4.0)}
    yield O, "lstm of waves", "Adam 0.2", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {
        "optimizer": partial(Adam, lr=0.2), "epochs": 24}
    yield O, "tanh 5, Friedman", "momentum 0.98", FRIEDMAN, lambda: mlp(FRIEDMAN, 3, tanh, xavier), {
        "optimizer": partial(SGD, lr=0.04, momentum=0.98), "epochs": 16}
    yield O, "relu 2, SGD", "momentum 0.995", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": partial(SGD, lr=0.1, momentum=0.995), "also": ("learning-rate-too-high",)}
    yield O, "resnet, momentum, cosine", "Adam 0.1", IMAGES, _ResNet, {
        "optimizer": partial(Adam, lr=0.1), "epochs": 12}
    # fmt: on


def healthy() -> tuple[Animal, ...]:
    """Those that train well."""
    return tuple(
        Animal(name, partial(_built, task, network, how), task.level) for name, task, network, how in _healthy()
    )


def faulty() -> tuple[Animal, ...]:
    """Those that suffer from one fault."""
    return tuple(
        Animal(name, partial(_built, task, network, how), task.level, problem, how.pop("also", ()), twin)
        for problem, twin, name, task, network, how in _faulty()
    )
