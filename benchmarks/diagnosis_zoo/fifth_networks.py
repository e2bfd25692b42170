"""Networks for the tables and pictures of the fifth part: architectures that stood nowhere before."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task

# -- tables


class Coupling(nn.Module):
    """One half of the features moves the other, then is moved by it: the input can be had back from the output."""

    def __init__(self, width: int, act: Act, norm: Norm, dropout: float) -> None:
        super().__init__()
        half = width // 2
        self.first, self.second = (
            nn.Sequential(norm(half), nn.Linear(half, width), act(), nn.Dropout(dropout), nn.Linear(width, half))
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        one, other = x.chunk(2, 1)
        one = one + self.first(other)
        return torch.cat((one, other + self.second(one)), 1)


def reversible(
    task: Task, *, width: int = 32, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.LayerNorm,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Blocks that lose nothing (RevNet)."""
    body = [Coupling(width, act, norm, dropout) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(task.width, width), *body, norm(width), head(width, task))


class Boosted(nn.Module):
    """Small nets one after another; each sees the input and the answer so far, and adds to that."""

    def __init__(
        self, task: Task, *, width: int = 20, stages: int = 4, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.first = nn.Linear(task.width, task.outputs)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Linear(task.width + task.outputs, width), norm(width), act(), nn.Dropout(dropout),
                nn.Linear(width, width), act(), nn.Linear(width, task.outputs),
            )
            for _ in range(stages)
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        said = self.first(x)
        for stage in self.stages:
            said = said + stage(torch.cat((x, said), 1))
        return said.squeeze(-1) if said.shape[1] == 1 else said


class Dealt(nn.Module):
    """A linear layer in groups, whose outputs are dealt out among the groups of the next."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        groups = math.gcd(width, groups)
        self.weight = nn.Parameter(torch.randn(groups, width // groups, width // groups) * (2 * groups / width) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        parts = x.unflatten(1, (len(self.weight), -1))
        return torch.einsum("ngi,gio->ngo", parts, self.weight).transpose(1, 2).flatten(1) + self.bias


def grouped(
    task: Task, *, width: int = 48, depth: int = 3, groups: int = 4, act: Act = nn.ReLU,
    norm: Norm = nn.BatchNorm1d, dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Thin layers of groups, shuffled between."""
    layers: list[nn.Module] = [nn.Linear(task.width, width), norm(width), act()]
    for _ in range(depth - 1):
        layers += [Dealt(width, groups), norm(width), act(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers, head(width, task))


class Branches(nn.Module):
    """A trunk for all targets, and a small net for each of its own; every one of them also sees the input."""

    def __init__(
        self, task: Task, *, width: int = 40, own: int = 12, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(task.width, width), norm(width), act(), nn.Dropout(dropout), nn.Linear(width, width), act()
        )
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(width + task.width, own), act(), nn.Linear(own, 1)) for _ in range(task.outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat((self.trunk(x), x), 1)
        return torch.cat([branch(seen) for branch in self.branches], 1)


class Recalled(nn.Module):
    """A memory of learned keys, each with what it means: the row asks in several ways, and adds what it is told."""

    def __init__(
        self, task: Task, *, width: int = 32, slots: int = 24, asks: int = 4, act: Act = nn.ReLU,
        norm: Norm = nn.Identity, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.asks = asks = math.gcd(asks, width)
        self.first = nn.Sequential(nn.Linear(task.width, width), norm(width), act())
        self.ask, each = nn.Linear(width, width), width // asks
        self.keys, self.means = (
            nn.Parameter(torch.randn(asks, slots, each)),
            nn.Parameter(torch.randn(asks, slots, each)),
        )
        self.body = nn.Sequential(nn.Linear(2 * width, width), act(), nn.Dropout(dropout))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        near = torch.einsum("nad,asd->nas", self.ask(x).unflatten(1, (self.asks, -1)), self.keys)
        told = torch.einsum("nas,asd->nad", torch.softmax(near / self.keys.shape[2] ** 0.5, 2), self.means)
        return self.head(self.body(torch.cat((x, told.flatten(1)), 1)))


class Interacting(nn.Module):
    """Three category columns and four measurements as seven tokens that look at each other once, without order."""

    def __init__(
        self, task: Task, *, width: int = 12, act: Act = nn.ReLU, norm: Norm = nn.Identity, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(30, width) for _ in range(3))
        self.scale, self.shift = (nn.Parameter(0.5 * torch.randn(4, width)) for _ in range(2))
        self.look, self.itself = nn.MultiheadAttention(width, 2, dropout, batch_first=True), nn.Linear(width, width)
        self.act, self.drop = act(), nn.Dropout(dropout)
        self.body = nn.Sequential(nn.Linear(7 * width, 32), norm(32), act(), nn.Dropout(dropout))
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        codes = [embedding(x[:, column].long()) for column, embedding in enumerate(self.embeddings)]
        tokens = torch.cat((torch.stack(codes, 1), x[:, 3:].unsqueeze(-1) * self.scale + self.shift), 1)
        tokens = self.drop(tokens)
        seen = self.act(self.itself(tokens) + self.look(tokens, tokens, tokens, need_weights=False)[0])
        return self.head(self.body(seen.flatten(1)))


class Mended(nn.Module):
    """What is amiss in the input, found through a narrow code, is taken away from it; twice, by nets of their own."""

    def __init__(
        self, task: Task, *, width: int = 40, code: int = 8, times: int = 2, act: Act = nn.SiLU, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.nets = nn.ModuleList(
            nn.Sequential(
                nn.Linear(task.width, width), act(), nn.Dropout(dropout), nn.Linear(width, code),
                nn.Linear(code, width), act(), nn.Linear(width, task.width),
            )
            for _ in range(times)
        )  # fmt: skip
        self.keep = nn.Parameter(torch.full((times, task.width), 0.5))
        self.last = head(task.width, task)

    def forward(self, x: Tensor) -> Tensor:
        for net, keep in zip(self.nets, self.keep, strict=True):
            x = keep * x + net(x)
        return self.last(x)


# -- pictures


class Shifted(nn.Module):
    """A fifth of the channels moves up, down, left and right each; then 1 × 1 convolutions; added to the input."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        self.body = nn.Sequential(norm(width), nn.Conv2d(width, 2 * width, 1), act(), nn.Conv2d(2 * width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[1] // 5
        wide = F.pad(x, (1, 1, 1, 1))
        places = ((0, 1), (2, 1), (1, 0), (1, 2), (1, 1))
        height, breadth = x.shape[2:]
        parts = [
            wide[:, index * count : (index + 1) * count if index < 4 else None, up : up + height, left : left + breadth]
            for index, (up, left) in enumerate(places)
        ]
        return x + self.body(torch.cat(parts, 1))


def shifted(
    task: Task, *, width: int = 20, blocks: int = 3, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """ShiftNet: no filter but the first is larger than a pixel."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1), norm(width), act())
    body = [Shifted(width, norm, act) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.MaxPool2d(2), nn.Flatten(), head(9 * width, task))


class Fire(nn.Module):
    """A few channels by 1 × 1, from which 1 × 1 and 3 × 3 filters make many, side by side."""

    def __init__(self, wide: int, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        few = max(1, width // 3)
        self.few = nn.Sequential(nn.Conv2d(wide, few, 1), act())
        self.point, self.near = nn.Conv2d(few, width // 2, 1), nn.Conv2d(few, width // 2, 3, padding=1)
        self.last = nn.Sequential(norm(width), act())

    def forward(self, x: Tensor) -> Tensor:
        x = self.few(x)
        return self.last(torch.cat((self.point(x), self.near(x)), 1))


def fires(
    task: Task, *, width: int = 24, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.Identity,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """SqueezeNet."""
    layers: list[nn.Module] = [nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.MaxPool2d(2)]
    layers += [Fire(width, width, norm, act) for _ in range(blocks)]
    flat = (nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(dropout), nn.Linear(9 * width, 32), act())
    return nn.Sequential(*layers, *flat, head(32, task))


class Pyramid(nn.Module):
    """Convolutions, and what they find pooled over the whole picture, its quarters and its ninths, all at once."""

    def __init__(
        self, task: Task, *, width: int = 16, act: Act = nn.ReLU, norm: Norm = nn.Identity, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.Conv2d(width, width, 3, 2, 1),
            norm(width), act(), nn.Conv2d(width, width, 3, padding=1), norm(width), act(),
        )  # fmt: skip
        self.whole = nn.Sequential(nn.Dropout(dropout), nn.Linear(15 * width, 32), act())
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        pooled = (x.mean((2, 3)), x.amax((2, 3)), F.max_pool2d(x, 3).flatten(1), F.avg_pool2d(x, 2).flatten(1))
        return self.head(self.whole(torch.cat(pooled, 1)))
