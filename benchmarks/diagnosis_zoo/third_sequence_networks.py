"""Networks for the sequences of the third part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.sequence_networks import Output, stem
from diagnosis_zoo.tasks import Task

# -- recurrence


class Leaky(nn.Module):
    """A recurrent net by hand whose units move toward the new state, each at its learned speed."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.act = stem(task, width), act()
        self.recurrent, self.speed = nn.Linear(width, width), nn.Parameter(torch.linspace(-2, 2, width))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x, speed = self.stem(x), torch.sigmoid(self.speed)
        state, states = x.new_zeros(len(x), x.shape[2]), []
        for step in range(x.shape[1]):
            state = (1 - speed) * state + speed * self.act(x[:, step] + self.recurrent(state))
            states.append(state)
        return self.output(torch.stack(states, 1))


class Stacked(nn.Module):
    """Recurrent layers, each added to what it was given, with norms between; read at the end, by mean and maximum."""

    def __init__(
        self, task: Task, *, kind: type[nn.RNNBase] = nn.GRU, width: int = 24, layers: int = 2, dropout: float = 0.0,
        norm: Norm = nn.LayerNorm,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.layers = nn.ModuleList(kind(width, width, batch_first=True) for _ in range(layers))
        self.norms = nn.ModuleList(norm(width) for _ in range(layers))
        self.dropout, self.each = nn.Dropout(dropout), task.each
        self.head = head(width if task.each else 3 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = x + self.dropout(layer(norm(x))[0])
        if self.each:
            return self.head(x).transpose(1, 2)
        return self.head(torch.cat((x[:, -1], x.mean(1), x.amax(1)), 1))


class Quasi(nn.Module):
    """Convolutions find candidates and gates all at once; only the fading memory goes step by step."""

    def __init__(self, task: Task, *, width: int = 24, size: int = 2, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.size, self.act = stem(task, width), size, act()
        self.filters = nn.Conv1d(width, 3 * width, size)
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(self.stem(x).transpose(1, 2), (self.size - 1, 0))
        new, keep, show = self.filters(x).transpose(1, 2).chunk(3, -1)
        new, keep, show = self.act(new), torch.sigmoid(keep), torch.sigmoid(show)
        memory, states = torch.zeros_like(new[:, 0]), []
        for step in range(new.shape[1]):
            memory = keep[:, step] * memory + (1 - keep[:, step]) * new[:, step]
            states.append(show[:, step] * memory)
        return self.output(torch.stack(states, 1))


class Decoder(nn.Module):
    """A GRU reads the past; a cell writes the answers one after the other, each from the one before."""

    def __init__(self, task: Task, *, width: int = 32) -> None:
        super().__init__()
        self.stem, self.rnn = stem(task, 12), nn.GRU(12, width, batch_first=True)
        self.cell, self.steps = nn.GRUCell(1, width), task.outputs
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        state = self.rnn(self.stem(x))[1][0]
        said = [self.head(state)]
        while len(said) < self.steps:
            state = self.cell(said[-1], state)
            said.append(self.head(state))
        return torch.cat(said, 1)


# -- convolutions over time


class Residual1d(nn.Module):
    """x + two convolutions with norms; an activation last."""

    def __init__(self, width: int, size: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(width, width, size, padding=size // 2), norm(width), act(),
            nn.Conv1d(width, width, size, padding=size // 2), norm(width),
        )  # fmt: skip
        self.act = act()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.body(x))


class Resnet1d(nn.Module):
    """A ResNet over time, read by the mean, or at every place."""

    def __init__(
        self, task: Task, *, width: int = 16, blocks: int = 2, size: int = 5, act: Act = nn.ReLU,
        norm: Norm = nn.BatchNorm1d,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.body = nn.Sequential(*(Residual1d(width, size, act, norm) for _ in range(blocks)))
        self.output = Output(width, task, "mean")

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.body(self.stem(x).transpose(1, 2)).transpose(1, 2))


class Halving(nn.Module):
    """Convolutions of stride 2 until little is left; then one layer over all of it."""

    def __init__(
        self, task: Task, *, width: int = 16, depth: int = 3, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, layers, left = stem(task, width), [], task.length
        for _ in range(depth):
            layers += [nn.Conv1d(width, width, 3, 2, 1), norm(width), act()]
            left = (left + 1) // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        self.head = head(width * left, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.stem(x).transpose(1, 2)))


class Decomposed(nn.Module):
    """The sliding mean and what is left of the past, each through layers of its own; the answers are added up."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.ReLU, window: int = 5) -> None:
        super().__init__()
        wide = task.length * task.width
        self.smooth = nn.AvgPool1d(window, 1, window // 2, count_include_pad=False)
        self.trend = nn.Sequential(nn.Linear(wide, width), act())
        self.season = nn.Sequential(nn.Linear(wide, width), act())
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        trend = self.smooth(x)
        return self.head(torch.cat((self.trend(trend.flatten(1)), self.season((x - trend).flatten(1))), 1))


# -- attention and mixing


def turned(x: Tensor) -> Tensor:
    """Rotary places: pairs of features turned by an angle that grows with the position."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2]).unsqueeze(1) * 20.0 ** (-torch.arange(half) / half)
    one, other = x[..., :half], x[..., half:]
    return torch.cat((one * angle.cos() - other * angle.sin(), one * angle.sin() + other * angle.cos()), -1)


class RotaryBlock(nn.Module):
    """Attention with rotary places, few keys for many questions, and a gated layer; norms first, no biases."""

    def __init__(self, width: int, heads: int, act: Act, norm: Norm, causal: bool) -> None:
        super().__init__()
        size = width // heads
        self.heads, self.causal, self.act = heads, causal, act()
        self.norm1, self.norm2 = norm(width), norm(width)
        self.ask, self.offer = nn.Linear(width, width, bias=False), nn.Linear(width, 2 * size, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.gate, self.up = nn.Linear(width, 2 * width, bias=False), nn.Linear(width, 2 * width, bias=False)
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        z = self.norm1(x)
        query = self.ask(z).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        key, value = (part.unsqueeze(1) for part in self.offer(z).chunk(2, -1))
        key, value = turned(key).expand_as(query), value.expand_as(query)
        found = F.scaled_dot_product_attention(turned(query), key, value, is_causal=self.causal)
        x = x + self.out(found.transpose(1, 2).flatten(2))
        z = self.norm2(x)
        return x + self.down(self.act(self.gate(z)) * self.up(z))


class Rotary(nn.Module):
    """A language model's transformer of today."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, heads: int = 2, act: Act = nn.SiLU,
        norm: Norm = nn.RMSNorm, causal: bool = False, pool: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.blocks = nn.Sequential(*(RotaryBlock(width, heads, act, norm, causal) for _ in range(depth)))
        self.norm, self.output = norm(width), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.norm(self.blocks(self.stem(x))))


class Spatial(nn.Module):
    """Layers without attention: half the features gate the other half, mixed over the positions."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.GELU, pool: str = "mean") -> None:
        super().__init__()
        self.stem = stem(task, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.into = nn.ModuleList(nn.Sequential(nn.Linear(width, 4 * width), act()) for _ in range(depth))
        self.gates = nn.ModuleList(nn.LayerNorm(2 * width) for _ in range(depth))
        self.mixes = nn.ModuleList(nn.Conv1d(task.length, task.length, 1) for _ in range(depth))
        self.outs = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(depth))
        for mix in self.mixes:
            nn.init.ones_(mix.bias)
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for norm, into, gate, mix, out in zip(self.norms, self.into, self.gates, self.mixes, self.outs, strict=True):
            value, other = into(norm(x)).chunk(2, -1)
            x = x + out(value * mix(gate(other)))
        return self.output(x)


class Weighed(nn.Module):
    """A bag of tokens, each with a learned weight; layers on their sum."""

    def __init__(self, task: Task, *, width: int = 16, act: Act = nn.ReLU, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem, self.weigh = stem(task, width), nn.Linear(width, 1)
        self.body = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, 24), act(), nn.Dropout(dropout))
        self.head = head(24, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.head(self.body((torch.sigmoid(self.weigh(x)) * x).sum(1)))
