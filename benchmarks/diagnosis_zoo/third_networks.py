"""Networks for the tables and pictures of the third part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task

# -- tables


class PreNorm(nn.Module):
    """x + two layers of norm, activation, linear; in training the block is now and then left out (`skip`)."""

    def __init__(self, width: int, act: Act, norm: Norm, dropout: float, skip: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            norm(width),
            act(),
            nn.Linear(width, width),
            nn.Dropout(dropout),
            norm(width),
            act(),
            nn.Linear(width, width),
        )
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.skip:
            kept = (torch.rand(len(x), 1) >= self.skip) / (1 - self.skip)
            return x + kept * self.body(x)
        return x + self.body(x)


def pre_residual(
    task: Task, *, width: int = 40, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm1d,
    dropout: float = 0.0, skip: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Residual blocks, norm first, with stochastic depth."""
    body = [PreNorm(width, act, norm, dropout, skip) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(task.width, width), *body, norm(width), act(), head(width, task))


class GatedBlock(nn.Module):
    """x + down(act(gate(z)) · up(z)), z = norm(x)."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.norm, self.act = norm(width), act()
        self.gate, self.up = nn.Linear(width, 2 * width, bias=False), nn.Linear(width, 2 * width, bias=False)
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        z = self.norm(x)
        return x + self.down(self.act(self.gate(z)) * self.up(z))


def swiglu(
    task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.SiLU, norm: Norm = nn.RMSNorm
) -> nn.Sequential:
    """Gated blocks as language models have them."""
    blocks = [GatedBlock(width, act, norm) for _ in range(depth)]
    return nn.Sequential(nn.Linear(task.width, width), *blocks, norm(width), head(width, task))


class Focus(nn.Module):
    """A few times over: a mask says which columns to look at, a layer adds what it sees there."""

    def __init__(self, task: Task, *, width: int = 24, steps: int = 3, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.first = nn.Linear(task.width, width)
        self.masks = nn.ModuleList(nn.Linear(width, task.width) for _ in range(steps))
        self.looks = nn.ModuleList(nn.Sequential(nn.Linear(task.width, width), act()) for _ in range(steps))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        state = self.first(x)
        for mask, look in zip(self.masks, self.looks, strict=True):
            state = state + look(x.shape[1] ** 0.5 * torch.softmax(mask(state), 1) * x)
        return self.head(state)


class Binned(nn.Module):
    """Every column cut into bins, each filled as far as the value goes; then layers."""

    def __init__(self, task: Task, *, bins: int = 8, width: int = 32, act: Act = nn.ReLU, dropout: float = 0.0) -> None:
        super().__init__()
        edges = torch.linspace(-2.2, 2.2, bins + 1)
        self.register_buffer("low", edges[:-1])
        self.size = float(edges[1] - edges[0])
        self.body = nn.Sequential(
            nn.Linear(task.width * bins, width), act(), nn.Dropout(dropout), nn.Linear(width, width), act()
        )
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        filled = ((x.unsqueeze(-1) - self.low) / self.size).clamp(0, 1)
        return self.head(self.body(filled.flatten(1)))


class Products(nn.Module):
    """Two linear layers multiplied, plus a third: a polynomial of twice the degree."""

    def __init__(self, wide: int, width: int) -> None:
        super().__init__()
        self.left, self.right, self.plain = nn.Linear(wide, width), nn.Linear(wide, width), nn.Linear(wide, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.left(x) * self.right(x) + self.plain(x)


def polynomial(
    task: Task, *, width: int = 24, depth: int = 2, norm: Norm = nn.LayerNorm, act: Act = nn.Identity
) -> nn.Module:
    """Products of products, a norm after each."""
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += [Products(width if index else task.width, width), norm(width), act()]
    return nn.Sequential(*layers, head(width, task))


class Shared(nn.Module):
    """Members of an ensemble that share a layer's weights and scale its inputs and outputs each in its own way."""

    def __init__(self, wide: int, width: int, count: int) -> None:
        super().__init__()
        self.layer = nn.Linear(wide, width)
        self.inward = nn.Parameter(1 + 0.5 * torch.randn(count, wide))
        self.outward = nn.Parameter(1 + 0.5 * torch.randn(count, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x * self.inward) * self.outward


class Members(nn.Module):
    """An ensemble in one network; its members' features are averaged at the end."""

    def __init__(
        self, task: Task, *, width: int = 32, count: int = 6, depth: int = 2, act: Act = nn.ReLU, dropout: float = 0.0
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(depth):
            layers += [Shared(width if index else task.width, width, count), act(), nn.Dropout(dropout)]
        self.body, self.head = nn.Sequential(*layers), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x.unsqueeze(1)).mean(1))


class ColumnMixer(nn.Module):
    """A vector for each column; layers across the columns and within each in turn."""

    def __init__(self, task: Task, *, width: int = 12, blocks: int = 2, act: Act = nn.GELU) -> None:
        super().__init__()
        self.scale, self.shift = (nn.Parameter(torch.randn(task.width, width) / 2) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * blocks))
        self.across = nn.ModuleList(
            nn.Sequential(nn.Linear(task.width, 24), act(), nn.Linear(24, task.width)) for _ in range(blocks)
        )
        self.within = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 24), act(), nn.Linear(24, width)) for _ in range(blocks)
        )
        self.head = head(width * task.width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(-1) * self.scale + self.shift
        for index, (across, within) in enumerate(zip(self.across, self.within, strict=True)):
            x = x + across(self.norms[2 * index](x).transpose(1, 2)).transpose(1, 2)
            x = x + within(self.norms[2 * index + 1](x))
        return self.head(x.flatten(1))


class TiedCoder(nn.Module):
    """An autoencoder whose way back uses the way in's weights, transposed, but for the last layer."""

    def __init__(self, task: Task, *, width: int = 40, code: int = 8, act: Act = nn.SiLU, dropout: float = 0.0) -> None:
        super().__init__()
        self.drop, self.into, self.act = nn.Dropout(dropout), nn.Linear(task.width, width), act()
        self.code, self.back = nn.Linear(width, code), nn.Parameter(torch.zeros(width))
        self.again, self.last = act(), nn.Linear(width, task.outputs)

    def forward(self, x: Tensor) -> Tensor:
        code = self.code(self.act(self.into(self.drop(x))))
        return self.last(self.again(F.linear(code, self.code.weight.t(), self.back)))


class Spline(nn.Module):
    """A curve on every edge: bumps along each input, weighed, beside a linear layer of its activation."""

    def __init__(self, wide: int, width: int, bumps: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.register_buffer("places", torch.linspace(-2, 2, bumps))
        self.norm, self.act = norm(wide), act()
        self.plain, self.curve = nn.Linear(wide, width), nn.Linear(wide * bumps, width, bias=False)
        self.pitch = (bumps - 1) / 4

    def forward(self, x: Tensor) -> Tensor:
        bumps = torch.exp(-((self.pitch * (self.norm(x).unsqueeze(-1) - self.places)) ** 2))
        return self.plain(self.act(x)) + self.curve(bumps.flatten(-2))


def splines(task: Task, *, width: int = 16, depth: int = 2, bumps: int = 6, act: Act = nn.SiLU) -> nn.Sequential:
    """Layers that learn curves (Kolmogorov and Arnold)."""
    norms = (nn.Identity, *(nn.LayerNorm,) * (depth - 1))
    layers = [Spline(width if i else task.width, width, bumps, act, norm) for i, norm in enumerate(norms)]
    return nn.Sequential(*layers, head(width, task))


class Modulated(nn.Module):
    """The second half of the columns shifts and scales what is made of the first."""

    def __init__(self, task: Task, *, width: int = 32, depth: int = 2, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.split = task.width // 2
        self.stem = nn.Linear(self.split, width)
        self.says = nn.Sequential(nn.Linear(task.width - self.split, width), act(), nn.Linear(width, 2 * depth * width))
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        state, said = self.stem(x[:, : self.split]), self.says(x[:, self.split :]).chunk(2 * len(self.layers), 1)
        for index, (layer, act) in enumerate(zip(self.layers, self.acts, strict=True)):
            state = state + act(layer(state) * (1 + said[2 * index]) + said[2 * index + 1])
        return self.head(state)


class Entities(nn.Module):
    """Embeddings of three category columns with dropout and the normed measurements, then layers with norms."""

    def __init__(
        self, task: Task, *, width: int = 6, hidden: int = 40, act: Act = nn.ReLU, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(30, width) for _ in range(3))
        self.drop, self.norm = nn.Dropout(dropout), nn.BatchNorm1d(4)
        self.body = nn.Sequential(
            nn.Linear(3 * width + 4, hidden), nn.BatchNorm1d(hidden), act(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden // 2), nn.BatchNorm1d(hidden // 2), act(),
        )  # fmt: skip
        self.head = head(hidden // 2, task)

    def forward(self, x: Tensor) -> Tensor:
        found = [embedding(x[:, column].long()) for column, embedding in enumerate(self.embeddings)]
        return self.head(self.body(torch.cat((self.drop(torch.cat(found, 1)), self.norm(x[:, 3:])), 1)))


class Ranker(nn.Module):
    """One net gives each half of the row a score; the answer is the difference."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.ReLU, dropout: float = 0.0) -> None:
        super().__init__()
        self.tower = nn.Sequential(
            nn.Linear(task.width // 2, width), act(), nn.Dropout(dropout), nn.Linear(width, width), act()
        )
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        one, other = (self.score(self.tower(half)) for half in x.chunk(2, 1))
        return (one - other).squeeze(-1)
