"""The zoo: small trainings that are healthy, and the same trainings with one fault each.

A healthy animal must reach the level of its task, the same for every network on it; a faulty one differs in one line
from a healthy one and must miss that level. Both are checked on every seed by `benchmarks/limits.py`; one that does
not behave is left out of the statistics and named. The level was fixed before any limit was looked at, at what a
plain well-set network reaches with room to spare.

Among the healthy are many that look sick: dropout of a half, a gap between training and validation, clipping, label
smoothing, weight decay, a backbone frozen on purpose, tied weights, inputs that are not scaled where that does no
harm, noise that nothing can learn away, saturated codes, batches of 8 and 256.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler

from trainclinic.setup import Setup, train

# -- tasks: (inputs, targets), split anew by every seed


@dataclass(frozen=True)
class Task:
    """Data, the loss that goes with it, the metric and the level that a healthy training reaches."""

    data: Callable[[], tuple[Tensor, Tensor]]
    width: int
    outputs: int
    metric: str
    level: float
    loss: nn.Module = field(default_factory=nn.CrossEntropyLoss)
    validation: float = 0.2


def _table(load: Callable[..., Any], outputs: type | None = None) -> tuple[Tensor, Tensor]:
    inputs, targets = load(return_X_y=True)
    return _tensors(inputs, targets, outputs)


def _tensors(inputs: Any, targets: Any, kind: type | None = None, scale: bool = True) -> tuple[Tensor, Tensor]:
    x = torch.tensor(np.asarray(inputs), dtype=torch.float32)
    y = torch.tensor(np.asarray(targets), dtype=torch.float32 if kind is float else torch.long)
    return (standardized(x) if scale else x), (standardized(y) if kind is float and y.unique().numel() > 2 else y)


def standardized(x: Tensor) -> Tensor:
    """Each feature with mean 0 and deviation 1; one that never varies stays 0."""
    return (x - x.mean(0)) / x.std(0).clamp_min(1e-6)


@cache
def _digits() -> tuple[Tensor, Tensor]:
    return _table(datasets.load_digits)


@cache
def _raw_digits() -> tuple[Tensor, Tensor]:
    x, y = datasets.load_digits(return_X_y=True)
    return _tensors(x, y, scale=False)


def _images() -> tuple[Tensor, Tensor]:
    x, y = _raw_digits()
    return (x.view(-1, 1, 8, 8) - 4.9) / 6.0, y


@cache
def _friedman() -> tuple[Tensor, Tensor]:
    return _tensors(*datasets.make_friedman1(n_samples=2400, noise=0.5, random_state=0), float)


@cache
def _blobs() -> tuple[Tensor, Tensor]:
    """Labels of which one in ten is wrong."""
    return _tensors(*datasets.make_classification(800, 12, n_informative=6, flip_y=0.2, class_sep=1.5, random_state=0))


@cache
def _waves() -> tuple[Tensor, Tensor]:
    """Noisy sines of 24 samples; the class is the frequency."""
    draw = np.random.default_rng(0)
    y = draw.integers(0, 4, 900)
    time = np.arange(24) / 24
    phase = draw.uniform(0, 2 * np.pi, (900, 1))
    x = np.sin(2 * np.pi * (1.0 + 1.5 * y[:, None]) * time + phase) + draw.normal(0, 0.2, (900, 24))
    return torch.tensor(x, dtype=torch.float32).unsqueeze(-1), torch.tensor(y)


@cache
def _tokens() -> tuple[Tensor, Tensor]:
    """Sixteen tokens out of thirty; the class is which of three tokens occurs most often."""
    draw = np.random.default_rng(1)
    y = draw.integers(0, 3, 1200)
    x = draw.integers(3, 30, (1200, 16))
    for row, label in zip(x, y, strict=True):
        row[draw.choice(16, 4, replace=False)] = [label, label, label, (label + 1) % 3]
    return torch.tensor(x), torch.tensor(y)


@cache
def _chains() -> tuple[Tensor, Tensor]:
    """Text of a Markov chain: twelve tokens, each followed by a favourite three times in four."""
    draw = np.random.default_rng(2)
    favourite = draw.permutation(12)
    text = [0]
    for _ in range(500 * 13):
        text.append(int(favourite[text[-1]]) if draw.random() < 0.75 else int(draw.integers(12)))
    lines = torch.tensor(text[: 500 * 13]).view(500, 13)
    return lines[:, :-1], lines[:, 1:]


def _codes() -> tuple[Tensor, Tensor]:
    x = _raw_digits()[0] / 16
    return x, x


def _moons() -> tuple[Tensor, Tensor]:
    return _tensors(*datasets.make_moons(1000, noise=0.25, random_state=0))


MSE = nn.MSELoss
DIGITS = Task(_digits, 64, 10, "accuracy", 0.93)
RAW_DIGITS = Task(_raw_digits, 64, 10, "accuracy", 0.93)
UNIT_DIGITS = Task(lambda: (_raw_digits()[0] / 16, _raw_digits()[1]), 64, 10, "accuracy", 0.93)
IMAGES = Task(_images, 1, 10, "accuracy", 0.93)
ROWS = Task(lambda: (_images()[0][:, 0], _images()[1]), 8, 10, "accuracy", 0.9)
WINE = Task(partial(_table, datasets.load_wine), 13, 3, "accuracy", 0.9, validation=0.3)
CANCER = Task(partial(_table, datasets.load_breast_cancer, float), 30, 1, "accuracy", 0.92, nn.BCEWithLogitsLoss())
DIABETES = Task(partial(_table, datasets.load_diabetes, float), 10, 1, "r2", 0.3, MSE(), 0.3)
FRIEDMAN = Task(_friedman, 10, 1, "r2", 0.85, MSE())
NOISY = Task(_blobs, 12, 2, "accuracy", 0.75, validation=0.4)
MOONS = Task(_moons, 2, 2, "accuracy", 0.9)
WAVES = Task(_waves, 1, 4, "accuracy", 0.9)
TOKENS = Task(_tokens, 30, 3, "accuracy", 0.9)
CHAINS = Task(_chains, 12, 12, "accuracy", 0.72)
CODES = Task(_codes, 64, 64, "r2", 0.6, MSE())


# -- networks


def he(weight: Tensor) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu")


def lecun(weight: Tensor) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="linear")


xavier = nn.init.xavier_normal_
tanh_xavier = partial(nn.init.xavier_normal_, gain=5 / 3)


def normal(std: float) -> Callable[[Tensor], None]:
    return lambda weight: nn.init.normal_(weight, std=std)


def he_times(gain: float) -> Callable[[Tensor], None]:
    return lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu").mul_(gain)


class _Flat(nn.Module):
    """(N, 1) → (N,)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(-1)


class _Steep(nn.Module):
    """The input times a constant: it makes the next sigmoid or tanh a switch."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def mlp(
    task: Task,
    depth: int,
    act: Callable[[], nn.Module],
    init: Callable[[Tensor], Any] | None = he,
    *,
    width: int = 48,
    norm: Callable[[int], nn.Module] | None = None,
    before: tuple[nn.Module, ...] = (),
    dropout: float = 0.0,
    steep: float = 0.0,
) -> nn.Sequential:
    """`depth` hidden layers; `init` None keeps PyTorch's own."""
    layers: list[nn.Module] = list(before)
    wide = task.width
    for _ in range(depth):
        layers.append(nn.Linear(wide, width))
        layers += [norm(width)] if norm else []
        layers += [_Steep(steep)] if steep else []
        layers.append(act())
        layers += [nn.Dropout(dropout)] if dropout else []
        wide = width
    model = nn.Sequential(*layers, nn.Linear(wide, task.outputs), *([_Flat()] if task.outputs == 1 else []))
    return initialized(model, init) if init else model


def initialized(model: Any, init: Callable[[Tensor], Any]) -> Any:
    """Every weight by `init`, the output layer by Xavier, biases 0."""
    weights = [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    with torch.no_grad():
        for module in weights:
            (init if module is not weights[-1] else xavier)(module.weight)
            if module.bias is not None:
                module.bias.zero_()
    return model


class _Residual(nn.Module):
    """x + Linear(act(Linear(norm(x)))); `zero` begins with the identity."""

    def __init__(self, width: int, norm: Callable[[int], nn.Module], act: Callable[[], nn.Module], zero: bool) -> None:
        super().__init__()
        self.norm, self.up, self.act, self.down = norm(width), nn.Linear(width, width), act(), nn.Linear(width, width)
        if zero:
            nn.init.zeros_(self.down.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.act(self.up(self.norm(x))))


def residual(
    task: Task,
    blocks: int,
    act: Callable[[], nn.Module],
    *,
    norm: Callable[[int], nn.Module] = nn.LayerNorm,
    zero: bool = False,
    width: int = 48,
    init: Callable[[Tensor], Any] | None = None,
) -> nn.Sequential:
    body = [_Residual(width, norm, act, zero) for _ in range(blocks)]
    tail = [_Flat()] if task.outputs == 1 else []
    model = nn.Sequential(nn.Linear(task.width, width), *body, norm(width), nn.Linear(width, task.outputs), *tail)
    return initialized(model, init) if init else model


def cnn(
    act: Callable[[], nn.Module] = nn.ReLU,
    *,
    depth: int = 2,
    norm: Callable[[int], nn.Module] | None = None,
    dropout: float = 0.0,
    init: Callable[[Tensor], Any] | None = he,
) -> nn.Sequential:
    """`depth` convolutions of 16 channels on 8 × 8 pixels, one pooling, one linear layer."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layers.append(nn.Conv2d(16 if index else 1, 16, 3, padding=1))
        layers += [norm(16)] if norm else []
        layers.append(act())
        layers += [nn.MaxPool2d(2)] if index == 0 else []
    layers += [nn.Flatten(), nn.Dropout(dropout), nn.Linear(256, 10)]
    model = nn.Sequential(*layers)
    return initialized(model, init) if init else model


class _ResNet(nn.Module):
    """Three residual blocks of two convolutions with BatchNorm."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
            ) for _ in range(3)
        )  # fmt: skip
        self.head = nn.Linear(width * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = torch.relu(x + block(x))
        return self.head(x.flatten(1))


class _Recurrent(nn.Module):
    """One of PyTorch's recurrent layers, read at the last time step."""

    def __init__(self, task: Task, kind: type[nn.RNNBase], width: int = 32) -> None:
        super().__init__()
        self.rnn, self.head = kind(task.width, width, batch_first=True), nn.Linear(width, task.outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


class _Unrolled(nn.Module):
    """A cell called once per time step; `gain` scales its orthogonal recurrent weights."""

    def __init__(self, task: Task, width: int = 32, gain: float = 1.0, act: Callable[..., Tensor] = torch.tanh) -> None:
        super().__init__()
        self.inward, self.recurrent = nn.Linear(task.width, width), nn.Linear(width, width)
        self.head, self.act = nn.Linear(width, task.outputs), act
        nn.init.orthogonal_(self.recurrent.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), self.recurrent.in_features)
        for step in range(x.shape[1]):
            state = self.act(self.inward(x[:, step]) + self.recurrent(state))
        return self.head(state)


class _Attention(nn.Module):
    """A transformer of two layers over tokens, with learned positions, averaged."""

    def __init__(self, task: Task, width: int = 32, length: int = 16) -> None:
        super().__init__()
        self.embed, self.position = nn.Embedding(task.width, width), nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 64, 0.1, "gelu", batch_first=True, norm_first=True) for _ in range(2)
        )
        self.head = nn.Linear(width, task.outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(1))


class _Bag(nn.Module):
    """Mean of the tokens' embeddings, one hidden layer."""

    def __init__(self, task: Task, width: int = 24) -> None:
        super().__init__()
        self.embed, self.body = nn.Embedding(task.width, width), nn.Sequential(nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, task.outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.body(self.embed(tokens).mean(1)))


class _Tied(nn.Module):
    """A language model of one GRU whose output layer is its embedding."""

    def __init__(self, task: Task, width: int = 32, kind: type[nn.RNNBase] = nn.GRU) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(task.width, width), kind(width, width, batch_first=True)
        self.head = nn.Linear(width, task.outputs)
        self.head.weight = self.embed.weight
        nn.init.normal_(self.embed.weight, std=0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.rnn(self.embed(tokens))[0]).transpose(1, 2)


def coder(act: Callable[[], nn.Module], code: Callable[[], nn.Module], last: Callable[[], nn.Module]) -> nn.Sequential:
    """An autoencoder, 64 → 48 → 16 → 48 → 64."""
    return nn.Sequential(
        nn.Linear(64, 48), act(), nn.Linear(48, 16), code(), nn.Linear(16, 48), act(), nn.Linear(48, 64), last()
    )


# -- trainings


class _Batches:
    """A shuffled loader: whole batches are indexed at once, which is quicker than PyTorch's own for tensors."""

    def __init__(self, x: Tensor, y: Tensor, size: int, shuffle: bool) -> None:
        self.dataset = torch.utils.data.TensorDataset(x, y)
        self.size, self.shuffle = size, shuffle

    def __len__(self) -> int:
        full, rest = divmod(len(self.dataset), self.size)
        return full + (rest > 1)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        x, y = self.dataset.tensors
        order = torch.randperm(len(x)) if self.shuffle else torch.arange(len(x))
        for part in order.split(self.size):
            if len(part) > 1:
                yield x[part], y[part]


def cosine(optimizer: Optimizer, epochs: int) -> LRScheduler:
    return CosineAnnealingLR(optimizer, epochs)


def warm_up(optimizer: Optimizer, epochs: int, over: int = 3) -> LRScheduler:
    return LambdaLR(optimizer, lambda epoch: min(1.0, (epoch + 1) / over))


Make = Callable[[int], Setup]
Scheduled = Callable[[Optimizer, int], LRScheduler]


def fit(
    task: Task,
    model: nn.Module,
    optimizer: Callable[..., Optimizer],
    *,
    epochs: int = 16,
    batch: int = 64,
    schedule: Scheduled | None = None,
    samples: int | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    labels: Callable[[Tensor], Tensor] | None = None,
    **more: Any,
) -> Setup:
    """A Setup; `samples` cuts the training set, `change` alters every input, `labels` the training targets."""
    x, y = task.data()
    x = change(x) if change else x
    order = torch.randperm(len(x))
    held = int(len(x) * task.validation)
    val, train = order[:held], order[held:][:samples]
    targets = labels(y[train]) if labels else y[train]
    moving = optimizer([parameter for parameter in model.parameters() if parameter.requires_grad])
    return Setup(
        model,
        more.pop("loss", task.loss),
        moving,
        _Batches(x[train], targets, batch, True),
        _Batches(x[val], y[val], 512, False),
        epochs=epochs,
        metric=more.pop("metric", task.metric),
        scheduler=schedule(moving, epochs) if schedule else None,
        **more,
    )


@dataclass(frozen=True)
class Animal:
    """One training.

    Attributes:
        name: of this entry.
        build: called with the generators seeded; the split, the weights and the batches follow from the seed.
        level: of the last validation that a healthy run reaches and a faulty one does not [the metric; for "loss"
            less is better].
        problem: the root cause that was built in, or "" for a healthy one.
        also: problems that follow from it and count for their own limits, too.
        twin: the healthy entry from which it differs in one thing.
    """

    name: str
    build: Callable[[], Setup]
    level: float
    problem: str = ""
    also: tuple[str, ...] = ()
    twin: str = ""

    def make(self, seed: int) -> Setup:
        """As `trainclinic.run` wants it; it has seeded everything."""
        return self.build()


adam, sgd, momentum = partial(Adam, lr=2e-3), partial(SGD, lr=0.1), partial(SGD, lr=0.05, momentum=0.9)
adamw = partial(AdamW, lr=2e-3, weight_decay=0.01)
tanh, sigmoid, relu, gelu = nn.Tanh, nn.Sigmoid, nn.ReLU, nn.GELU
groups = partial(nn.GroupNorm, 4)
SMOOTH = nn.CrossEntropyLoss(label_smoothing=0.1)


def frozen(model: nn.Sequential, layers: int) -> nn.Sequential:
    """The first `layers` modules get no gradient, on purpose."""
    for parameter in model[:layers].parameters():
        parameter.requires_grad_(False)
    return model


def learned(model: nn.Module, task: Task) -> nn.Module:
    """After five epochs: the start of a fine-tuning."""
    train(fit(task, model, adam, epochs=5))
    return model


def _healthy() -> Iterator[tuple[str, Task, Callable[[], nn.Module], dict[str, Any]]]:
    """Name, task, network, how it is trained."""
    # fmt: off
    yield "relu 2, SGD", DIGITS, lambda: mlp(DIGITS, 2, relu), {"optimizer": sgd}
    yield "relu 4, momentum, cosine", DIGITS, lambda: mlp(DIGITS, 4, relu), {"optimizer": momentum, "schedule": cosine}
    yield "relu 4, Adam", DIGITS, lambda: mlp(DIGITS, 4, relu), {"optimizer": adam}
    yield "relu 8, Adam", DIGITS, lambda: mlp(DIGITS, 8, relu), {"optimizer": adam}
    yield "relu 8, BatchNorm, SGD", DIGITS, lambda: mlp(DIGITS, 8, relu, norm=nn.BatchNorm1d), {"optimizer": sgd}
    yield "relu 4, default init", UNIT_DIGITS, lambda: mlp(UNIT_DIGITS, 4, relu, None), {"optimizer": adam}
    yield "relu 6, default init", DIGITS, lambda: mlp(DIGITS, 6, relu, None), {"optimizer": adam}
    yield "relu 8, Friedman", FRIEDMAN, lambda: mlp(FRIEDMAN, 8, relu), {"optimizer": adam, "epochs": 14}
    yield "relu 4, default init, diabetes", DIABETES, lambda: mlp(DIABETES, 4, relu, None, width=24), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9, weight_decay=0.02), "epochs": 25, "batch": 32}
    yield "relu 2, batch 8", DIGITS, lambda: mlp(DIGITS, 2, relu), {"optimizer": partial(SGD, lr=0.05), "batch": 8,
                                                                    "epochs": 5}
    yield "relu 2, batch 256", DIGITS, lambda: mlp(DIGITS, 2, relu, width=128), {
        "optimizer": partial(AdamW, lr=5e-3), "batch": 256, "epochs": 40}
    yield "relu 2, dropout 0.5", DIGITS, lambda: mlp(DIGITS, 2, relu, width=128, dropout=0.5), {"optimizer": adam,
                                                                                             "epochs": 24}
    yield "relu 3, label smoothing", DIGITS, lambda: mlp(DIGITS, 3, relu), {"optimizer": adam, "loss": SMOOTH}
    yield "relu 2, frozen features", DIGITS, lambda: frozen(mlp(DIGITS, 2, relu, width=256), 2), {"optimizer": adam}
    yield "relu 2, raw pixels", RAW_DIGITS, lambda: mlp(RAW_DIGITS, 2, relu), {"optimizer": adam}
    yield "relu 2, raw pixels times 16, norm first", RAW_DIGITS, lambda: mlp(
        RAW_DIGITS, 2, relu, before=(nn.BatchNorm1d(64),)), {"optimizer": adam, "change": lambda x: 16 * x}
    yield "relu 2, wrong labels, weight decay", NOISY, lambda: mlp(NOISY, 2, relu), {
        "optimizer": partial(AdamW, lr=1e-3, weight_decay=0.1), "epochs": 30}
    yield "relu 3, fine-tuned", DIGITS, lambda: learned(mlp(DIGITS, 3, relu), DIGITS), {
        "optimizer": partial(Adam, lr=2e-5), "epochs": 8}
    yield "leaky relu 4, Adagrad", WINE, lambda: mlp(WINE, 4, nn.LeakyReLU), {
        "optimizer": partial(Adagrad, lr=0.02), "batch": 16, "epochs": 30}
    yield "tanh 2, SGD", WINE, lambda: mlp(WINE, 2, tanh, xavier), {
        "optimizer": partial(SGD, lr=0.05), "batch": 16, "epochs": 30}
    yield "gelu 4, AdamW, warm-up", WINE, lambda: mlp(WINE, 4, gelu), {
        "optimizer": adamw, "schedule": warm_up, "batch": 16, "epochs": 30}
    yield "tanh 4, Adam", CANCER, lambda: mlp(CANCER, 4, tanh, tanh_xavier), {"optimizer": adam, "epochs": 25}
    yield "tanh 8, momentum", DIGITS, lambda: mlp(DIGITS, 8, tanh, tanh_xavier), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9)}
    yield "tanh 5, Friedman", FRIEDMAN, lambda: mlp(FRIEDMAN, 5, tanh, xavier), {
        "optimizer": partial(Adam, lr=2e-3), "epochs": 16}
    yield "selu 8, NAdam", DIGITS, lambda: mlp(DIGITS, 8, nn.SELU, lecun), {"optimizer": partial(NAdam, lr=1e-3)}
    yield "sigmoid 1, Adam", DIGITS, lambda: mlp(DIGITS, 1, sigmoid, xavier, width=64), {
        "optimizer": partial(Adam, lr=1e-2)}
    yield "sigmoid 2, RMSprop", CANCER, lambda: mlp(CANCER, 2, sigmoid, xavier), {
        "optimizer": partial(RMSprop, lr=3e-3), "epochs": 25}
    yield "sigmoid 8, BatchNorm", DIGITS, lambda: mlp(DIGITS, 8, sigmoid, xavier, norm=nn.BatchNorm1d), {
        "optimizer": partial(Adam, lr=5e-3)}
    yield "elu 8, RMSprop", FRIEDMAN, lambda: mlp(FRIEDMAN, 8, nn.ELU, lecun), {
        "optimizer": partial(RMSprop, lr=1e-3), "epochs": 14}
    yield "silu 6, moons", MOONS, lambda: mlp(MOONS, 6, nn.SiLU, width=32), {"optimizer": adam, "epochs": 25}
    yield "relu 3, LayerNorm, diabetes", DIABETES, lambda: mlp(DIABETES, 3, relu, norm=nn.LayerNorm, width=24), {
        "optimizer": partial(AdamW, lr=1e-3, weight_decay=0.1), "epochs": 6, "batch": 16}
    yield "residual 12, gelu, LayerNorm", DIGITS, lambda: residual(DIGITS, 12, gelu), {"optimizer": adamw,
                                                                                      "schedule": warm_up}
    yield "residual 12, Friedman", FRIEDMAN, lambda: residual(FRIEDMAN, 12, gelu, init=he), {
        "optimizer": partial(AdamW, lr=1e-3), "schedule": cosine, "epochs": 14}
    yield "residual 8, no norm, zero start", DIGITS, lambda: residual(
        DIGITS, 8, relu, norm=lambda _: nn.Identity(), zero=True), {"optimizer": partial(SGD, lr=0.05)}
    yield "cnn 2, Adam", IMAGES, lambda: cnn(), {"optimizer": adam, "epochs": 8}
    yield "cnn 3, dropout 0.5, RMSprop", IMAGES, lambda: cnn(depth=3, dropout=0.5), {
        "optimizer": partial(RMSprop, lr=1e-3), "epochs": 8}
    yield "cnn 3, GroupNorm, NAdam", IMAGES, lambda: cnn(nn.SiLU, depth=3, norm=groups), {
        "optimizer": partial(NAdam, lr=1e-3), "epochs": 8}
    yield "cnn 6, elu, NAdam", IMAGES, lambda: cnn(nn.ELU, depth=6), {
        "optimizer": partial(NAdam, lr=1e-3), "epochs": 8}
    yield "resnet, momentum, cosine", IMAGES, _ResNet, {"optimizer": momentum, "schedule": cosine, "epochs": 9}
    yield "rnn of rows, clipped", ROWS, lambda: _Unrolled(ROWS, 48), {"optimizer": partial(Adam, lr=3e-3),
                                                                   "clip_grad_norm": 1.0, "epochs": 24}
    yield "rnn of waves", WAVES, lambda: _Unrolled(WAVES, 32), {"optimizer": partial(Adam, lr=3e-3), "epochs": 24}
    yield "relu rnn of waves", WAVES, lambda: _Unrolled(WAVES, 32, act=torch.relu), {
        "optimizer": partial(Adam, lr=1e-3), "clip_grad_norm": 1.0, "epochs": 24}
    yield "lstm of waves", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {"optimizer": partial(Adam, lr=1e-2),
                                                                     "epochs": 24}
    yield "gru of waves, AdamW", WAVES, lambda: _Recurrent(WAVES, nn.GRU), {"optimizer": partial(AdamW, lr=1e-2),
                                                                         "clip_grad_norm": 1.0, "epochs": 24}
    yield "transformer, warm-up", TOKENS, lambda: _Attention(TOKENS), {"optimizer": adamw, "schedule": warm_up,
                                                                    "epochs": 14}
    yield "embeddings, Adagrad", TOKENS, lambda: _Bag(TOKENS), {"optimizer": partial(Adagrad, lr=0.05), "epochs": 24}
    yield "tied language model", CHAINS, lambda: _Tied(CHAINS), {"optimizer": partial(Adam, lr=5e-3), "batch": 32,
                                                               "epochs": 20}
    yield "autoencoder, relu", CODES, lambda: coder(relu, nn.Identity, nn.Identity), {"optimizer": adam, "epochs": 24}
    yield "autoencoder, sigmoid codes", CODES, lambda: coder(gelu, sigmoid, sigmoid), {
        "optimizer": partial(Adam, lr=5e-3), "epochs": 30}
    # fmt: on


def healthy() -> tuple[Animal, ...]:
    """Those that train well."""
    return tuple(
        Animal(name, partial(_built, task, network, how), task.level) for name, task, network, how in _healthy()
    )


def _built(task: Task, network: Callable[[], nn.Module], how: dict[str, Any]) -> Setup:
    return fit(task, network(), **how)


V, E, P, S = "vanishing-gradient", "exploding-gradient", "poor-initialization", "saturated-activation"
D, H, L, U = "dead-relu", "learning-rate-too-high", "learning-rate-too-low", "unscaled-inputs"
O, N, W = "overfitting", "non-finite", "noisy-labels"  # noqa: E741


def biased(model: Any, bias: float, every: int = 1) -> Any:
    """The biases of every `every`-th hidden layer at `bias`, the others at 0."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)][:-1]
    with torch.no_grad():
        for module in layers[every - 1 :: every]:
            module.bias.fill_(bias)
    return model


def negative(model: nn.Sequential, layer: int) -> nn.Sequential:
    """The weights of one layer that follows a ReLU all below zero."""
    with torch.no_grad():
        model[layer].weight.abs_().neg_()
    return model


class _Apply(nn.Module):
    """A plain function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def stretched(x: Tensor) -> Tensor:
    """As stored by someone who mixed metres and millimetres: the first feature is a thousand times too large."""
    return torch.cat((1000 * x[:, :1], x[:, 1:]), 1)


def mislabelled(share: float, classes: int) -> Callable[[Tensor], Tensor]:
    """That share of the labels drawn anew."""

    def change(y: Tensor) -> Tensor:
        return torch.where(torch.rand(len(y)) < share, torch.randint(classes, (len(y),)), y)

    return change


def _faulty() -> Iterator[tuple[str, str, str, Task, Callable[[], nn.Module], dict[str, Any]]]:
    """Problem, twin, name, task, network, how it is trained; "also" names what follows from it."""
    # fmt: off
    yield V, "tanh 8, momentum", "sigmoid for tanh, depth 8", DIGITS, lambda: mlp(DIGITS, 8, sigmoid, xavier), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9)}
    yield V, "sigmoid 8, BatchNorm", "without BatchNorm", DIGITS, lambda: mlp(DIGITS, 8, sigmoid, xavier), {
        "optimizer": partial(Adam, lr=5e-3)}
    yield V, "sigmoid 2, RMSprop", "20 layers for 2", CANCER, lambda: mlp(CANCER, 20, sigmoid, xavier), {
        "optimizer": partial(RMSprop, lr=3e-3), "epochs": 25}
    yield V, "relu 6, default init", "24 layers for 6", DIGITS, lambda: mlp(DIGITS, 24, relu, None), {
        "optimizer": adam}
    yield V, "cnn 6, elu, NAdam", "sigmoid for elu", IMAGES, lambda: cnn(sigmoid, depth=6, init=xavier), {
        "optimizer": partial(NAdam, lr=1e-3), "epochs": 8}
    yield V, "relu 8, Friedman", "sigmoid for relu", FRIEDMAN, lambda: mlp(FRIEDMAN, 8, sigmoid, xavier), {
        "optimizer": adam, "epochs": 14}
    yield V, "rnn of waves", "sigmoid for tanh", WAVES, lambda: _Unrolled(WAVES, 32, act=torch.sigmoid), {
        "optimizer": partial(Adam, lr=3e-3), "epochs": 24}
    yield E, "relu 8, Adam", "gain 2.5", DIGITS, lambda: mlp(DIGITS, 8, relu, he_times(2.5)), {"optimizer": adam}
    yield E, "elu 8, RMSprop", "gain 3", FRIEDMAN, lambda: mlp(FRIEDMAN, 8, nn.ELU, he_times(3)), {
        "optimizer": partial(RMSprop, lr=1e-3), "epochs": 14}
    yield E, "rnn of waves", "recurrent gain 4", WAVES, lambda: _Unrolled(WAVES, 32, gain=4.0), {
        "optimizer": partial(Adam, lr=3e-3), "epochs": 24}
    yield E, "relu rnn of waves", "relu, recurrent gain 2.5", WAVES, lambda: _Unrolled(
        WAVES, 32, gain=2.5, act=torch.relu), {"optimizer": partial(Adam, lr=1e-3), "clip_grad_norm": 1.0, "epochs": 24}
    yield E, "relu 8, BatchNorm, SGD", "32 layers for 8", DIGITS, lambda: mlp(DIGITS, 32, relu, norm=nn.BatchNorm1d), {
        "optimizer": sgd}
    yield P, "relu 8, Adam", "deviation 0.01", DIGITS, lambda: mlp(DIGITS, 8, relu, normal(0.01)), {"optimizer": adam}
    yield P, "silu 6, moons", "deviation 0.02", MOONS, lambda: mlp(MOONS, 6, nn.SiLU, normal(0.02), width=32), {
        "optimizer": adam, "epochs": 25}
    yield P, "tanh 8, momentum", "deviation 1", DIGITS, lambda: mlp(DIGITS, 8, tanh, normal(1)), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9), "also": (S,)}
    yield P, "tanh 5, Friedman", "deviation 1.5", FRIEDMAN, lambda: mlp(FRIEDMAN, 5, tanh, normal(1.5)), {
        "optimizer": adam, "epochs": 16, "also": (S,)}
    yield S, "tanh 8, momentum", "tanh(10 z)", DIGITS, lambda: mlp(DIGITS, 8, tanh, tanh_xavier, steep=10), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9)}
    yield S, "tanh 8, momentum", "tanh, biases 5", DIGITS, lambda: biased(mlp(DIGITS, 8, tanh, tanh_xavier), 5.0), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9)}
    yield S, "sigmoid 8, BatchNorm", "sigmoid(30 z)", DIGITS, lambda: mlp(
        DIGITS, 8, sigmoid, xavier, norm=nn.BatchNorm1d, steep=30), {"optimizer": partial(Adam, lr=5e-3)}
    yield D, "relu 4, Adam", "biases -8 in half the layers", DIGITS, lambda: biased(mlp(DIGITS, 4, relu), -8.0, 2), {
        "optimizer": adam}
    yield D, "cnn 2, Adam", "cnn, biases -6", IMAGES, lambda: biased(cnn(), -6.0), {"optimizer": adam, "epochs": 8}
    yield D, "relu 8, Friedman", "weights below 0", FRIEDMAN, lambda: negative(mlp(FRIEDMAN, 8, relu), 6), {
        "optimizer": adam, "epochs": 14}
    yield H, "relu 4, Adam", "Adam 0.3", DIGITS, lambda: mlp(DIGITS, 4, relu), {
        "optimizer": partial(Adam, lr=0.3), "also": (D,)}
    yield H, "relu 4, momentum, cosine", "momentum 2", DIGITS, lambda: mlp(DIGITS, 4, relu), {
        "optimizer": partial(SGD, lr=2.0, momentum=0.9), "schedule": cosine, "also": (N,)}
    yield H, "residual 8, no norm, zero start", "SGD 3", DIGITS, lambda: residual(
        DIGITS, 8, relu, norm=lambda _: nn.Identity(), zero=True), {"optimizer": partial(SGD, lr=3.0), "also": (N,)}
    yield H, "gru of waves, AdamW", "AdamW 1", WAVES, lambda: _Recurrent(WAVES, nn.GRU), {
        "optimizer": partial(AdamW, lr=1.0), "clip_grad_norm": 1.0, "epochs": 24}
    yield H, "cnn 3, dropout 0.5, RMSprop", "RMSprop 0.1", IMAGES, lambda: cnn(depth=3, dropout=0.5), {
        "optimizer": partial(RMSprop, lr=0.1), "epochs": 8}
    yield H, "tanh 5, Friedman", "Adam 0.5", FRIEDMAN, lambda: mlp(FRIEDMAN, 5, tanh, xavier), {
        "optimizer": partial(Adam, lr=0.5), "epochs": 16}
    yield L, "relu 4, Adam", "Adam 1e-6", DIGITS, lambda: mlp(DIGITS, 4, relu), {"optimizer": partial(Adam, lr=1e-6)}
    yield L, "relu 4, momentum, cosine", "momentum 1e-5", DIGITS, lambda: mlp(DIGITS, 4, relu), {
        "optimizer": partial(SGD, lr=1e-5, momentum=0.9), "schedule": cosine}
    yield L, "lstm of waves", "Adam 1e-5", WAVES, lambda: _Recurrent(WAVES, nn.LSTM), {
        "optimizer": partial(Adam, lr=1e-5), "epochs": 24}
    yield L, "transformer, warm-up", "warm-up over 3,000 epochs", TOKENS, lambda: _Attention(TOKENS), {
        "optimizer": adamw, "schedule": partial(warm_up, over=3000), "epochs": 14}
    yield U, "relu 2, SGD", "times 300", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": sgd, "change": lambda x: 300 * x}
    yield U, "tanh 5, Friedman", "one feature times 1,000", FRIEDMAN, lambda: mlp(FRIEDMAN, 5, tanh, xavier), {
        "optimizer": adam, "change": stretched, "epochs": 16}
    yield U, "tanh 4, Adam", "1,000 off center", CANCER, lambda: mlp(CANCER, 4, tanh, tanh_xavier), {
        "optimizer": adam, "change": lambda x: x + 1000, "epochs": 25}
    yield U, "relu 2, SGD", "a ten-thousandth", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": sgd, "change": lambda x: x / 10000}
    yield O, "relu 2, wrong labels, weight decay", "60 samples for 480", NOISY, lambda: mlp(NOISY, 2, relu), {
        "optimizer": partial(AdamW, lr=1e-3, weight_decay=0.1), "samples": 60, "epochs": 240}
    yield O, "relu 4, default init, diabetes", "40 patients for 310", DIABETES, lambda: mlp(
        DIABETES, 4, relu, None, width=24), {
        "optimizer": partial(SGD, lr=0.02, momentum=0.9, weight_decay=0.02), "epochs": 125, "batch": 32, "samples": 40}
    yield W, "relu 2, batch 256", "three labels in ten wrong", DIGITS, lambda: mlp(DIGITS, 2, relu, width=128), {
        "optimizer": partial(AdamW, lr=5e-3), "batch": 256, "epochs": 40, "labels": mislabelled(0.3, 10), "also": (O,)}
    yield O, "tied language model", "30 lines for 400", CHAINS, lambda: _Tied(CHAINS), {
        "optimizer": partial(Adam, lr=5e-3), "batch": 32, "epochs": 260, "samples": 30}
    yield N, "autoencoder, relu", "root of a negative", CODES, lambda: coder(
        relu, lambda: _Apply(lambda z: torch.sqrt(z + 1)), nn.Identity), {"optimizer": adam, "epochs": 24}
    yield N, "relu 2, SGD", "logarithm by hand", DIGITS, lambda: mlp(DIGITS, 2, relu), {
        "optimizer": sgd, "loss": by_hand}
    # fmt: on


def by_hand(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy as the textbook writes it: it fails once the exponential of an output overflows or rounds to 0."""
    powers = torch.exp(6 * output)
    return -torch.log(powers[torch.arange(len(target)), target] / powers.sum(1)).mean()


def faulty() -> tuple[Animal, ...]:
    """Those that suffer from one fault."""
    found = []
    for problem, twin, name, task, network, options in _faulty():
        how = {key: value for key, value in options.items() if key != "also"}
        build = partial(_built, task, network, how)
        found.append(Animal(name, build, task.level, problem, options.get("also", ()), twin))
    return tuple(found)
