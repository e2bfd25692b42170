"""Networks for tables and pictures.

Each is called with the task, keeps PyTorch's own initialization unless told otherwise, and uses modules for its
activations.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from diagnosis_zoo.tasks import Task

Act = Callable[[], nn.Module]
Norm = Callable[[int], nn.Module]


class Flat(nn.Module):
    """(N, 1) → (N,)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(-1)


def head(width: int, task: Task) -> nn.Sequential:
    """The output layer."""
    return nn.Sequential(nn.Linear(width, task.outputs), *([Flat()] if task.outputs == 1 else []))


def he(model: nn.Module) -> nn.Module:
    """Weights by He, biases 0, the output layer left as it is."""
    for module in [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)][:-1]:
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return model


# -- tables


def mlp(
    task: Task, *, widths: tuple[int, ...] = (64, 32, 16), act: Act = nn.ReLU, norm: Norm | None = None,
    dropout: float = 0.0, bias: bool = True,
) -> nn.Sequential:  # fmt: skip
    """A pyramid: every layer narrower than the one before."""
    layers: list[nn.Module] = []
    wide = task.width
    for width in widths:
        layers += [nn.Linear(wide, width, bias), *([norm(width)] if norm else []), act()]
        layers += [nn.Dropout(dropout)] if dropout else []
        wide = width
    output = nn.Linear(wide, task.outputs, bias)
    return nn.Sequential(*layers, output, *([Flat()] if task.outputs == 1 else []))


def norm_first(task: Task, *, norm: nn.Module, network: Callable[[Task], nn.Module]) -> nn.Sequential:
    """Inputs that are not scaled, and a norm that scales them."""
    return nn.Sequential(copy.deepcopy(norm), *network(task).children())


class Gate(nn.Module):
    """A linear layer times the sigmoid of another."""

    def __init__(self, wide: int, width: int) -> None:
        super().__init__()
        self.value, self.gate, self.act = nn.Linear(wide, width), nn.Linear(wide, width), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.value(x) * self.act(self.gate(x))


def gated(task: Task, *, width: int = 32, depth: int = 3, norm: Norm | None = nn.LayerNorm) -> nn.Sequential:
    """Gated linear units."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += [Gate(width if index else task.width, width), *([norm(width)] if norm else [])]
    return nn.Sequential(*layers, head(width, task))


class Dense(nn.Module):
    """Every layer sees all the layers before it."""

    def __init__(self, task: Task, *, width: int = 16, depth: int = 4, act: Act = nn.SiLU) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(task.width + i * width, width), act()) for i in range(depth)
        )
        self.head = head(task.width + depth * width, task)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat((x, layer(x)), 1)
        return self.head(x)


class Fourier(nn.Module):
    """Sines and cosines of fixed random directions, then two layers."""

    def __init__(self, task: Task, *, count: int = 32, pitch: float = 1.0, act: Act = nn.GELU) -> None:
        super().__init__()
        self.register_buffer("directions", pitch * torch.randn(task.width, count))
        self.body = nn.Sequential(nn.Linear(2 * count, 48), act(), nn.Linear(48, 48), act())
        self.head = head(48, task)

    def forward(self, x: Tensor) -> Tensor:
        angles = x @ self.directions
        return self.head(self.body(torch.cat((angles.sin(), angles.cos()), 1)))


class Bottleneck(nn.Module):
    """x + up(act(norm(down(x)))), after the addition an activation."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width // 2), norm(width // 2), act(), nn.Linear(width // 2, width))
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.inner(x))


def residual(
    task: Task, *, width: int = 48, blocks: int = 4, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm1d
) -> nn.Module:
    """Residual bottlenecks, activation last."""
    body = [Bottleneck(width, act, norm) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(task.width, width), *body, head(width, task))


class WideDeep(nn.Module):
    """Embeddings of three category columns; a linear part beside a deep one."""

    def __init__(self, task: Task, *, width: int = 8, act: Act = nn.ReLU, dropout: float = 0.0) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(30, width) for _ in range(3))
        self.wide = nn.Linear(4, task.outputs)
        self.deep = nn.Sequential(nn.Linear(3 * width + 4, 32), act(), nn.Dropout(dropout), nn.Linear(32, 16), act())
        self.head = nn.Linear(16, task.outputs)

    def forward(self, x: Tensor) -> Tensor:
        codes, measured = x[:, :3].long(), x[:, 3:]
        found = [embedding(codes[:, column]) for column, embedding in enumerate(self.embeddings)]
        return (self.head(self.deep(torch.cat((*found, measured), 1))) + self.wide(measured)).squeeze(-1)


class TwoTower(nn.Module):
    """A tower for the user, one for the film; the product of what they say."""

    def __init__(self, task: Task, *, width: int = 16, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.users, self.films = nn.Embedding(60, width), nn.Embedding(40, width)
        self.user_tower = nn.Sequential(nn.Linear(width, 24), act(), nn.Linear(24, 8))
        self.film_tower = nn.Sequential(nn.Linear(width, 24), act(), nn.Linear(24, 8))

    def forward(self, pairs: Tensor) -> Tensor:
        return (self.user_tower(self.users(pairs[:, 0])) * self.film_tower(self.films(pairs[:, 1]))).sum(1)


# -- pictures


def vgg(
    task: Task, *, channels: tuple[int, ...] = (12, 24), act: Act = nn.ReLU, norm: Norm | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Convolutions and poolings, then the mean over the picture."""
    layers: list[nn.Module] = []
    wide = task.width
    for index, width in enumerate(channels):
        layers += [nn.Conv2d(wide, width, 3, padding=1), *([norm(width)] if norm else []), act()]
        layers += [nn.MaxPool2d(2)] if index < 2 else []
        wide = width
    flat = [nn.Flatten(), nn.Linear(wide * 9, 32), act(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, *flat, head(32, task))


class ConvBottleneck(nn.Module):
    """1 × 1, grouped 3 × 3, 1 × 1, added to the input."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        inner = width // 2
        self.inner = nn.Sequential(
            nn.Conv2d(width, inner, 1, bias=False), norm(inner), act(),
            nn.Conv2d(inner, inner, 3, padding=1, groups=2, bias=False), norm(inner), act(),
            nn.Conv2d(inner, width, 1, bias=False), norm(width),
        )  # fmt: skip
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.inner(x))


def resnet(
    task: Task, *, width: int = 16, blocks: int = 2, norm: Norm = nn.BatchNorm2d, act: Act = nn.ReLU
) -> nn.Module:
    """A grouped bottleneck ResNet."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1, bias=False), norm(width), act())
    body = [ConvBottleneck(width, norm, act) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class DenseNet(nn.Module):
    """Convolutions that each see all before them."""

    def __init__(
        self, task: Task, *, growth: int = 8, depth: int = 3, norm: Norm = nn.BatchNorm2d, act: Act = nn.ReLU
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(task.width, 8, 3, 2, 1)
        self.layers = nn.ModuleList(
            nn.Sequential(norm(8 + i * growth), act(), nn.Conv2d(8 + i * growth, growth, 3, padding=1))
            for i in range(depth)
        )
        self.head = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), head(9 * (8 + depth * growth), task))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer in self.layers:
            x = torch.cat((x, layer(x)), 1)
        return self.head(x)


def separable(
    task: Task, *, width: int = 24, blocks: int = 2, act: Act = nn.SiLU, norm: Norm = nn.BatchNorm2d
) -> nn.Module:
    """Depthwise and pointwise convolutions."""
    layers: list[nn.Module] = [nn.Conv2d(task.width, width, 3, 2, 1), norm(width), act()]
    for _ in range(blocks):
        layers += [nn.Conv2d(width, width, 3, padding=1, groups=width), nn.Conv2d(width, width, 1), norm(width), act()]
    return nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class UNet(nn.Module):
    """Down once and up again, with a skip between; pictures in, pictures out."""

    def __init__(self, task: Task, *, width: int = 12, act: Act = nn.ReLU, norm: Norm = nn.Identity) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(task.width, width, 3, padding=1), norm(width), act())
        self.deep = nn.Sequential(nn.Conv2d(width, width, 3, 2, 1), norm(width), act(),
                                  nn.Conv2d(width, width, 3, padding=1), norm(width), act())  # fmt: skip
        self.up = nn.ConvTranspose2d(width, width, 2, 2)
        self.last = nn.Conv2d(2 * width, task.outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return self.last(torch.cat((x, self.up(self.deep(x))), 1))


def coder(task: Task, *, width: int = 12, act: Act = nn.ELU, norm: Norm = nn.Identity) -> nn.Sequential:
    """A convolutional autoencoder."""
    return nn.Sequential(
        nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.Conv2d(width, 2 * width, 4, 2, 1), act(),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1), norm(width), act(), nn.Conv2d(width, task.outputs, 3, padding=1),
    )  # fmt: skip


class Mixer(nn.Module):
    """Patches of 3 × 3; layers across the patches and across the channels in turn."""

    def __init__(self, task: Task, *, width: int = 24, blocks: int = 2, act: Act = nn.GELU) -> None:
        super().__init__()
        self.cut = nn.Conv2d(task.width, width, 3, 3)
        self.across = nn.ModuleList(nn.Sequential(nn.Linear(16, 32), act(), nn.Linear(32, 16)) for _ in range(blocks))
        self.within = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 48), act(), nn.Linear(48, width)) for _ in range(blocks)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cut(x).flatten(2).transpose(1, 2)
        for across, within, norm in zip(self.across, self.within, self.norms, strict=True):
            x = x + across(norm(x).transpose(1, 2)).transpose(1, 2)
            x = x + within(x)
        return self.head(x.mean(1))
