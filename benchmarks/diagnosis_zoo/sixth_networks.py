"""Networks for the tables and pictures of the sixth part: architectures that stood nowhere before."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Flat, Norm, head
from diagnosis_zoo.tasks import Task

# -- tables


class Winners(nn.Module):
    """Of every few neighbours only the largest is let through, the others are 0."""

    def __init__(self, few: int) -> None:
        super().__init__()
        self.few = few

    def forward(self, z: Tensor) -> Tensor:
        groups = z.unflatten(1, (-1, self.few if z.shape[1] % self.few == 0 else 1))
        return (groups * (groups == groups.amax(2, keepdim=True))).flatten(1)


def winners(
    task: Task, *, widths: tuple[int, ...] = (48, 32), act: Act = nn.LeakyReLU, norm: Norm | None = None,
    dropout: float = 0.0, few: int = 2,
) -> nn.Sequential:  # fmt: skip
    """Layers in which neighbours compete."""
    layers: list[nn.Module] = []
    wide = task.width
    for width in widths:
        layers += [nn.Linear(wide, width), *([norm(width)] if norm else []), act(), Winners(few)]
        layers += [nn.Dropout(dropout)] if dropout else []
        wide = width
    return nn.Sequential(*layers, nn.Linear(wide, task.outputs), *([Flat()] if task.outputs == 1 else []))


class Exits(nn.Module):
    """Every layer gives an answer of its own; what is said is their mean, weighed as is learned."""

    def __init__(
        self, task: Task, *, width: int = 40, depth: int = 3, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width if i else task.width, width), norm(width), act(), nn.Dropout(dropout))
            for i in range(depth)
        )
        self.exits = nn.ModuleList(head(width, task) for _ in range(depth))
        self.weights = nn.Parameter(torch.zeros(depth))

    def forward(self, x: Tensor) -> Tensor:
        said = []
        for layer, leave in zip(self.layers, self.exits, strict=True):
            x = layer(x)
            said.append(leave(x))
        return torch.einsum("d,d...->...", torch.softmax(self.weights, 0), torch.stack(said))


class Hourglass(nn.Module):
    """Narrower and narrower, then wider again; what was there on the way down is added on the way up."""

    def __init__(
        self, task: Task, *, width: int = 48, depth: int = 2, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = [min(width, max(8, round(width * 0.6**step))) for step in range(depth + 1)]
        self.first = nn.Sequential(nn.Linear(task.width, width), norm(width), act())
        pairs = list(pairwise(sizes))
        self.down = nn.ModuleList(nn.Sequential(nn.Linear(a, b), norm(b), act(), nn.Dropout(dropout)) for a, b in pairs)
        self.up = nn.ModuleList(nn.Sequential(nn.Linear(b, a), norm(a), act()) for a, b in reversed(pairs))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        kept = []
        for layer in self.down:
            kept.append(x)
            x = layer(x)
        for layer, before in zip(self.up, reversed(kept), strict=True):
            x = layer(x) + before
        return self.head(x)


class Written(nn.Module):
    """A small net reads the row and writes, of a few layers kept in store, the blend that the row goes through."""

    def __init__(
        self, task: Task, *, width: int = 32, depth: int = 2, store: int = 4, act: Act = nn.ReLU,
        norm: Norm = nn.Identity, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.first = nn.Sequential(nn.Linear(task.width, width), norm(width), act())
        self.reader = nn.Sequential(nn.Linear(task.width, 16), act(), nn.Linear(16, depth * store))
        self.weights = nn.Parameter(torch.randn(depth, store, width, width) * (2 / width) ** 0.5)
        self.biases = nn.Parameter(torch.zeros(depth, store, width))
        self.ends = nn.ModuleList(nn.Sequential(norm(width), act(), nn.Dropout(dropout)) for _ in range(depth))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        blends = torch.softmax(self.reader(x).unflatten(1, self.weights.shape[:2]), 2)
        x = self.first(x)
        for index, end in enumerate(self.ends):
            told = torch.einsum("ni,kio->nko", x, self.weights[index]) + self.biases[index]
            x = end(torch.einsum("nk,nko->no", blends[:, index], told))
        return self.head(x)


class Coded(nn.Module):
    """A category is the sum of what its tens and its units say; every two of the columns meet through a matrix."""

    def __init__(
        self, task: Task, *, width: int = 8, hidden: int = 32, act: Act = nn.ReLU, dropout: float = 0.0,
        norm: Norm = nn.Identity,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tens = nn.ModuleList(nn.Embedding(6, width) for _ in range(3))
        self.units = nn.ModuleList(nn.Embedding(5, width) for _ in range(3))
        self.own = nn.ModuleList(nn.Embedding(30, 1) for _ in range(3))
        self.meet = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(3))
        self.body = nn.Sequential(
            nn.Linear(6 * width + 7, hidden), norm(hidden), act(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden // 2), act(),
        )  # fmt: skip
        self.head = head(hidden // 2, task)

    def forward(self, x: Tensor) -> Tensor:
        codes = x[:, :3].long().clamp(0, 29)
        found = [
            tens(codes[:, column] // 5) + units(codes[:, column] % 5)
            for column, (tens, units) in enumerate(zip(self.tens, self.units, strict=True))
        ]
        single = [own(codes[:, column]) for column, own in enumerate(self.own)]
        met = [meet(found[i]) * found[(i + 1) % 3] for i, meet in enumerate(self.meet)]
        return self.head(self.body(torch.cat((*found, *met, *single, x[:, 3:]), 1)))


# -- pictures


def _soft(width: int) -> Tensor:
    """1 2 1 down and across, once for each channel."""
    line = torch.tensor((0.25, 0.5, 0.25))
    return (line[:, None] * line).expand(width, 1, 3, 3).contiguous()


class Blur(nn.Module):
    """The largest of each 2 × 2, softened, every other one of them kept."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("soft", _soft(width))

    def forward(self, x: Tensor) -> Tensor:
        high = F.max_pool2d(F.pad(x, (0, 1, 0, 1), mode="replicate"), 2, 1)
        return F.conv2d(high, self.soft, stride=2, padding=1, groups=len(self.soft))


def blurred(
    task: Task, *, channels: tuple[int, ...] = (12, 24), act: Act = nn.ReLU, norm: Norm | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Convolutions with poolings that do not mind a shift by a pixel."""
    layers: list[nn.Module] = []
    wide = task.width
    for index, width in enumerate(channels):
        layers += [nn.Conv2d(wide, width, 3, padding=1), *([norm(width)] if norm else []), act()]
        layers += [Blur(width)] if index < 2 else []
        wide = width
    flat = [nn.Flatten(), nn.Dropout(dropout), nn.Linear(wide * 9, 32), act()]
    return nn.Sequential(*layers, *flat, head(32, task))


class Stairs(nn.Module):
    """The channels in four parts; each goes through a filter together with what came out of the part before."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        part = width // 4
        self.into = nn.Sequential(nn.Conv2d(width, 4 * part, 1, bias=False), norm(4 * part), act())
        self.steps = nn.ModuleList(nn.Sequential(nn.Conv2d(part, part, 3, padding=1), act()) for _ in range(3))
        self.out, self.act = nn.Sequential(nn.Conv2d(4 * part, width, 1, bias=False), norm(width)), act()

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = self.into(x).chunk(4, 1)
        parts = [first]
        for step, part in zip(self.steps, rest, strict=True):
            parts.append(step(part + parts[-1] if len(parts) > 1 else part))
        return self.act(x + self.out(torch.cat(parts, 1)))


def stairs(
    task: Task, *, width: int = 16, blocks: int = 2, norm: Norm = nn.BatchNorm2d, act: Act = nn.ReLU
) -> nn.Sequential:
    """Res2Net."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1, bias=False), norm(width), act())
    body = [Stairs(width, norm, act) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class Quarters(nn.Module):
    """One filter in four turns of a quarter; at every place and for every channel the most they find."""

    def __init__(self, wide: int, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, wide, 3, 3) * (2 / (9 * wide)) ** 0.5)
        self.bias, self.norm, self.act = nn.Parameter(torch.zeros(width)), norm(width), act()

    def forward(self, x: Tensor) -> Tensor:
        turned = torch.cat([self.weight.rot90(turn, (2, 3)) for turn in range(4)])
        found = F.conv2d(x, turned, padding=1).unflatten(1, (4, -1)).amax(1)
        return self.act(self.norm(found + self.bias[:, None, None]))


class Turning(nn.Module):
    """Filters that find the same whichever way the picture lies."""

    def __init__(
        self, task: Task, *, width: int = 12, act: Act = nn.ReLU, norm: Norm = nn.Identity, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Quarters(task.width, width, act, norm), nn.MaxPool2d(2), Quarters(width, 2 * width, act, norm),
            nn.MaxPool2d(2),
        )  # fmt: skip
        self.whole = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(18 * width, 32), act())
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.whole(self.body(x)))
