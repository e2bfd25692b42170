"""Networks for the sequences of the sixth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.sequence_networks import Output, stem
from diagnosis_zoo.tasks import Task

# -- recurrence


class Oscillators(nn.Module):
    """A recurrent net by hand whose units swing: what drives them changes their speed, and the speed their place."""

    def __init__(
        self, task: Task, *, width: int = 32, act: Act = nn.Tanh, step: float = 0.5, pool: str = "last"
    ) -> None:
        super().__init__()
        self.stem, self.recurrent, self.act = stem(task, width), nn.Linear(2 * width, width), act()
        self.inward, self.step = nn.Linear(width, width, bias=False), step
        self.pull, self.drag = nn.Parameter(torch.rand(width)), nn.Parameter(torch.rand(width))
        self.output = Output(2 * width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(self.stem(x))
        place = speed = torch.zeros_like(x[:, 0])
        states = []
        for moment in range(x.shape[1]):
            driven = self.act(x[:, moment] + self.recurrent(torch.cat((place, speed), 1)))
            speed = speed + self.step * (driven - self.pull * place - self.drag * speed)
            place = place + self.step * speed
            states.append(torch.cat((place, speed), 1))
        return self.output(torch.stack(states, 1))


class Antisymmetric(nn.Module):
    """A recurrent net by hand that neither grows nor fades: its weights are a matrix less the same one turned over.

    The state is added to at each step; a gate of the same weights says by how much.
    """

    def __init__(
        self, task: Task, *, width: int = 32, act: Act = nn.Tanh, step: float = 0.5, pool: str = "last"
    ) -> None:
        super().__init__()
        self.stem, self.inward = stem(task, width), nn.Linear(width, 2 * width)
        self.turn, self.fade = nn.Parameter(0.5 * torch.randn(width, width) / width**0.5), 0.1
        self.gate, self.act, self.step = nn.Sigmoid(), act(), step
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(self.stem(x))
        state, states = x.new_zeros(len(x), len(self.turn)), []
        weight = self.turn - self.turn.T - self.fade * torch.eye(len(self.turn))
        for moment in range(x.shape[1]):
            heard = state @ weight
            new, gate = x[:, moment].chunk(2, 1)
            state = state + self.step * self.gate(heard + gate) * self.act(heard + new)
            states.append(state)
        return self.output(torch.stack(states, 1))


class Chapters(nn.Module):
    """A recurrent layer through every span alone, one more through what stands at the ends of the spans."""

    def __init__(
        self, task: Task, *, span: int = 4, width: int = 24, kind: type[nn.RNNBase] = nn.GRU, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.span, self.stem, self.drop = span, stem(task, width), nn.Dropout(dropout)
        self.lower = kind(width, width, batch_first=True)
        self.upper = kind(width, width, batch_first=True)
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        count = x.shape[1] // self.span
        spans = x[:, x.shape[1] - count * self.span :].reshape(len(x) * count, self.span, -1)
        ends = self.lower(spans)[0][:, -1].reshape(len(x), count, -1)
        return self.head(self.drop(self.upper(self.drop(ends))[0][:, -1]))


# -- convolutions and mixing over time


class Joined(nn.Module):
    """Convolutions that each see the outputs of all before them; every one gets further apart, up to a reach of four.

    To the past alone if `causal`.
    """

    def __init__(
        self, task: Task, *, width: int = 16, depth: int = 3, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm1d,
        causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.drop, self.causal = stem(task, width), nn.Dropout(dropout), causal
        self.layers = nn.ModuleList(
            nn.Conv1d((index + 1) * width, width, 3, dilation=2 ** min(index, 2)) for index in range(depth)
        )
        self.norms = nn.ModuleList(norm(width) for _ in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.output = Output((depth + 1) * width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).transpose(1, 2)
        for layer, norm, act in zip(self.layers, self.norms, self.acts, strict=True):
            reach = layer.dilation[0]
            padded = F.pad(x, (2 * reach, 0) if self.causal else (reach, reach))
            x = torch.cat((x, act(norm(layer(padded)))), 1)
        return self.output(self.drop(x.transpose(1, 2)))


class Carried(nn.Module):
    """Layers for each moment alone, but a third of what they see is carried over from before, a third from after.

    With `causal` both thirds come from before, the second from two steps back.
    """

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 3, act: Act = nn.GELU, norm: Norm = nn.LayerNorm,
        causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.shifts = stem(task, width), (1, 2) if causal else (1, -1)
        self.norms = nn.ModuleList(norm(width) for _ in range(depth))
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))
            for _ in range(depth)
        )
        self.norm, self.output = norm(width), Output(width, task, pool)

    def _moved(self, x: Tensor) -> Tensor:
        third, length = x.shape[2] // 3, x.shape[1]
        one, two, rest = x.split((third, third, x.shape[2] - 2 * third), 2)
        parts = [rest]
        for part, by in zip((one, two), self.shifts, strict=True):
            parts.append(F.pad(part, (0, 0, max(by, 0), max(-by, 0)))[:, max(-by, 0) :][:, :length])
        return torch.cat(parts, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for norm, body in zip(self.norms, self.bodies, strict=True):
            x = x + body(self._moved(norm(x)))
        return self.output(self.norm(x))


# -- attention


class Unit(nn.Module):
    """One gated attention unit: one set of queries and keys, squares of what is above nothing, and a wide gate."""

    def __init__(self, width: int, length: int, act: Act, norm: Norm, causal: bool, dropout: float) -> None:
        super().__init__()
        self.norm, self.wide, self.key = norm(width), 2 * width, 12
        self.into, self.act = nn.Linear(width, 4 * width + self.key), act()
        self.scales = nn.Parameter(1 + 0.1 * torch.randn(2, self.key))
        fade = torch.exp(-(torch.arange(2 * length - 1) - length + 1).abs() / 2)
        self.near = nn.Parameter(fade * (1 + torch.randn(2 * length - 1)))
        self.out, self.drop, self.causal = nn.Linear(2 * width, width), nn.Dropout(dropout), causal

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        gate, value, shared = self.act(self.into(self.norm(x))).split((self.wide, self.wide, self.key), 2)
        place = torch.arange(length)
        score = (shared * self.scales[0]) @ (shared * self.scales[1]).transpose(1, 2) / self.key**0.5
        weight = F.relu(score + self.near[place[:, None] - place + length - 1]) ** 2
        if self.causal:
            weight = weight.tril()
        return x + self.drop(self.out(gate * (weight @ value / 3)))


class GatedUnits(nn.Module):
    """A few gated attention units; the distance counts by learned numbers."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 2, act: Act = nn.SiLU, norm: Norm = nn.LayerNorm,
        causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.units = nn.Sequential(*(Unit(width, task.length, act, norm, causal, dropout) for _ in range(depth)))
        self.norm, self.output = norm(width), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.norm(self.units(self.stem(x))))


class Synthesized(nn.Module):
    """Each moment says by itself, in two layers, how much it takes from which place; no two are ever compared."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 2, heads: int = 2, act: Act = nn.ReLU,
        norm: Norm = nn.LayerNorm, causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.heads = stem(task, width), heads
        self.places = nn.Parameter(torch.randn(task.length, width))
        self.norms = nn.ModuleList(norm(width) for _ in range(2 * depth))
        self.asks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), act(), nn.Linear(width, heads * task.length)) for _ in range(depth)
        )
        self.values = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))
            for _ in range(depth)
        )
        later = torch.ones(task.length, task.length).triu(1).bool()
        self.register_buffer("hidden", later if causal else torch.zeros_like(later))
        self.norm, self.output = norm(width), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x) + self.places
        for index, (ask, value, body) in enumerate(zip(self.asks, self.values, self.bodies, strict=True)):
            seen = self.norms[2 * index](x)
            score = ask(seen).unflatten(2, (self.heads, -1)).transpose(1, 2)
            share = torch.softmax(score.masked_fill(self.hidden, -torch.inf), -1)
            found = share @ value(seen).unflatten(2, (self.heads, -1)).transpose(1, 2)
            x = x + found.transpose(1, 2).flatten(2)
            x = x + body(self.norms[2 * index + 1](x))
        return self.output(self.norm(x))
