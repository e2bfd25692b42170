"""Networks for the tables and pictures of the fourth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Flat, Norm, head
from diagnosis_zoo.tasks import Task

# -- tables


class BothSigns(nn.Module):
    """The activation of z and that of -z, side by side."""

    def __init__(self, act: Act) -> None:
        super().__init__()
        self.act = act()

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat((self.act(z), self.act(-z)), 1)


def both_signs(
    task: Task, *, widths: tuple[int, ...] = (24, 16), act: Act = nn.ReLU, norm: Norm | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Concatenated ReLUs: nothing that a layer finds is thrown away."""
    layers: list[nn.Module] = []
    wide = task.width
    for width in widths:
        layers += [nn.Linear(wide, width), *([norm(width)] if norm else []), BothSigns(act)]
        layers += [nn.Dropout(dropout)] if dropout else []
        wide = 2 * width
    return nn.Sequential(*layers, nn.Linear(wide, task.outputs), *([Flat()] if task.outputs == 1 else []))


class Injected(nn.Module):
    """Every layer sees the one before it, and the input again."""

    def __init__(
        self, task: Task, *, widths: tuple[int, ...] = (40, 32, 24), act: Act = nn.ReLU, norm: Norm | None = None,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        layers, wide = [], 0
        for width in widths:
            normed = [norm(width)] if norm else []
            layers.append(nn.Sequential(nn.Linear(task.width + wide, width), *normed, act(), nn.Dropout(dropout)))
            wide = width
        self.layers, self.head = nn.ModuleList(layers), head(wide, task)

    def forward(self, x: Tensor) -> Tensor:
        state = x[:, :0]
        for layer in self.layers:
            state = layer(torch.cat((x, state), 1))
        return self.head(state)


class Periodic(nn.Module):
    """Each column as sines and cosines of learned pitch, each through a small layer of its own; then layers."""

    def __init__(
        self, task: Task, *, count: int = 6, each: int = 4, width: int = 40, act: Act = nn.ReLU, pitch: float = 0.3,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.pitch = nn.Parameter(pitch * torch.randn(task.width, count))
        self.weight = nn.Parameter(torch.randn(task.width, 2 * count, each) / (2 * count) ** 0.5)
        self.first, self.drop = act(), nn.Dropout(dropout)
        self.body = nn.Sequential(nn.Linear(task.width * (each + 1), width), act(), nn.Dropout(dropout))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        angle = 2 * torch.pi * x.unsqueeze(-1) * self.pitch
        waves = torch.einsum("ncf,cfe->nce", torch.cat((angle.sin(), angle.cos()), -1), self.weight)
        return self.head(self.body(torch.cat((x, self.drop(self.first(waves.flatten(1)))), 1)))


class Posted(nn.Module):
    """act(x + norm(linear(act(norm(linear(x))))))."""

    def __init__(self, width: int, act: Act, norm: Norm, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(width, 2 * width, bias=False), norm(2 * width), act(), nn.Dropout(dropout),
            nn.Linear(2 * width, width, bias=False), norm(width),
        )  # fmt: skip
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.body(x))


def post_residual(
    task: Task, *, width: int = 24, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm1d,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Residual blocks, wide inside, as the first ResNets had them."""
    body = [Posted(width, act, norm, dropout) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(task.width, width, bias=False), norm(width), act(), *body, head(width, task))


class Selecting(nn.Module):
    """Like a GRU in depth: each layer chooses among the columns, and a gate says how much of its find is kept."""

    def __init__(self, task: Task, *, depth: int = 3, width: int = 32, act: Act = nn.Tanh) -> None:
        super().__init__()
        self.first = nn.Linear(task.width, width)
        self.chosen = nn.Parameter(torch.randn(depth, task.width))
        self.gates = nn.ModuleList(nn.Linear(task.width + width, 2 * width) for _ in range(depth))
        self.news = nn.ModuleList(nn.Linear(task.width + width, width) for _ in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        state = self.first(x)
        for chosen, gates, new, act in zip(self.chosen, self.gates, self.news, self.acts, strict=True):
            seen = x * torch.softmax(chosen, 0) * len(chosen)
            keep, reset = torch.sigmoid(gates(torch.cat((seen, state), 1))).chunk(2, 1)
            state = (1 - keep) * state + keep * act(new(torch.cat((seen, reset * state), 1)))
        return self.head(state)


class Repeated(nn.Module):
    """One layer, gone through again and again: x + step · f(x), an ordinary differential equation by Euler."""

    def __init__(
        self, task: Task, *, width: int = 32, times: int = 4, act: Act = nn.Softplus, norm: Norm = nn.Identity
    ) -> None:
        super().__init__()
        self.first, self.norm, self.times = nn.Linear(task.width, width), norm(width), times
        self.flow = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        state = self.first(x)
        for _ in range(self.times):
            state = state + self.flow(self.norm(state)) / self.times
        return self.head(state)


class Unrolled(nn.Module):
    """A code that is looked for in a few steps, each forgetting what is small; then layers from the code back."""

    def __init__(self, task: Task, *, code: int = 40, times: int = 2, act: Act = nn.SiLU, small: float = 0.1) -> None:
        super().__init__()
        self.into, self.again, self.times = nn.Linear(task.width, code), nn.Linear(code, code, bias=False), times
        self.forget = nn.Softshrink(small)
        self.back = nn.Sequential(nn.Linear(code, code), act())
        self.head = head(code, task)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.into(x)
        code = self.forget(seen)
        for _ in range(self.times):
            code = self.forget(seen + self.again(code))
        return self.head(self.back(code))


class Pooled(nn.Module):
    """Embeddings, the last row of each for what was never met; their products in pairs, pooled, beside them."""

    def __init__(
        self, task: Task, *, width: int = 10, hidden: int = 32, act: Act = nn.ReLU, dropout: float = 0.1,
        norm: Norm = nn.Identity,
    ) -> None:  # fmt: skip
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(31, width) for _ in range(3))
        self.into, self.drop = nn.Linear(4, width), nn.Dropout(dropout)
        self.body = nn.Sequential(nn.Linear(5 * width, hidden), norm(hidden), act(), nn.Dropout(dropout),
                                  nn.Linear(hidden, hidden // 2), act())  # fmt: skip
        self.head = head(hidden // 2, task)

    def forward(self, x: Tensor) -> Tensor:
        codes = x[:, :3].long().clamp(0, 30)
        found = [embedding(codes[:, column]) for column, embedding in enumerate(self.embeddings)]
        found.append(self.into(x[:, 3:]))
        one, other, third, measured = found
        pooled = (sum(found) ** 2 - sum(part**2 for part in found)) / 2
        return self.head(self.body(self.drop(torch.cat((pooled, one, other, third, measured), 1))))


class Weighted(nn.Module):
    """Embeddings of which a small net says, for each row, which matter; their products, pair by pair."""

    def __init__(
        self, task: Task, *, width: int = 8, hidden: int = 32, act: Act = nn.GELU, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(30, width) for _ in range(3))
        self.matter = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 3), nn.Sigmoid())
        self.body = nn.Sequential(nn.Linear(6 * width + 4, hidden), nn.LayerNorm(hidden), act(), nn.Dropout(dropout),
                                  nn.Linear(hidden, hidden), act())  # fmt: skip
        self.head = head(hidden, task)

    def forward(self, x: Tensor) -> Tensor:
        found = torch.stack([embedding(x[:, i].long()) for i, embedding in enumerate(self.embeddings)], 1)
        found = 2 * found * self.matter(found.mean(2)).unsqueeze(2)
        products = found * found.roll(1, 1)
        return self.head(self.body(torch.cat((found.flatten(1), products.flatten(1), x[:, 3:]), 1)))


# -- pictures


def dilated(
    task: Task, *, channels: tuple[int, ...] = (10, 16, 20), act: Act = nn.ReLU, norm: Norm | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Convolutions that see farther and farther at full size; one pooling at the end."""
    layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
    wide = 4 * task.width
    for index, width in enumerate(channels):
        far = (1, 2, 1)[index % 3]
        layers += [nn.Conv2d(wide, width, 3, padding=far, dilation=far), *([norm(width)] if norm else []), act()]
        wide = width
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(dropout), nn.Linear(9 * wide, 32), act(),
                         head(32, task))  # fmt: skip


class Branched(nn.Module):
    """3 × 3, 1 × 1 and nothing at all, each with a norm of its own, added up before the activation."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width))
        self.point = nn.Sequential(nn.Conv2d(width, width, 1, bias=False), norm(width))
        self.itself, self.act = norm(width), act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.wide(x) + self.point(x) + self.itself(x))


def branched(
    task: Task, *, width: int = 16, blocks: int = 2, norm: Norm = nn.BatchNorm2d, act: Act = nn.ReLU
) -> nn.Sequential:
    """RepVGG, before its branches are made one."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1, bias=False), norm(width), act())
    body = [Branched(width, norm, act) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class Ghost(nn.Module):
    """Half the channels by a 1 × 1, the other half cheaply from those; added to the input."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        half = width // 2
        self.main = nn.Sequential(nn.Conv2d(width, half, 1, bias=False), norm(half), act())
        self.cheap = nn.Sequential(nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False), norm(half), act())

    def forward(self, x: Tensor) -> Tensor:
        main = self.main(x)
        return x + torch.cat((main, self.cheap(main)), 1)


def ghosts(
    task: Task, *, width: int = 24, blocks: int = 3, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """GhostNet."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1), norm(width), act())
    body = [Ghost(width, norm, act) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.MaxPool2d(2), nn.Flatten(), head(9 * width, task))


class Crossed(nn.Module):
    """Layers along the rows, along the columns and across the channels in turn."""

    def __init__(self, task: Task, *, width: int = 16, blocks: int = 2, act: Act = nn.GELU) -> None:
        super().__init__()
        self.cut = nn.Conv2d(task.width, width, 2, 2)
        self.rows, self.columns = (nn.ModuleList(nn.Linear(6, 6) for _ in range(blocks)) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * blocks))
        self.mixes = nn.ModuleList(nn.Linear(3 * width, width) for _ in range(blocks))
        self.within = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 3 * width), act(), nn.Linear(3 * width, width)) for _ in range(blocks)
        )
        self.head = head(9 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cut(x).permute(0, 2, 3, 1)
        for index, (rows, columns, mix, within) in enumerate(
            zip(self.rows, self.columns, self.mixes, self.within, strict=True)
        ):
            z = self.norms[2 * index](x)
            across, down = rows(z.transpose(2, 3)).transpose(2, 3), columns(z.transpose(1, 3)).transpose(1, 3)
            x = x + mix(torch.cat((z, across, down), -1))
            x = x + within(self.norms[2 * index + 1](x))
        return self.head(F.avg_pool2d(x.permute(0, 3, 1, 2), 2).flatten(1))
