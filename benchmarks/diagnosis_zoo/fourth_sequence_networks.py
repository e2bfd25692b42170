"""Networks for the sequences, sets and graphs of the fourth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.sequence_networks import Output, stem
from diagnosis_zoo.tasks import Task

# -- recurrence


class Step(nn.Module):
    """One layer of a plain recurrent net: from below, from the step before, an activation."""

    def __init__(self, wide: int, width: int, act: Act) -> None:
        super().__init__()
        self.inward, self.recurrent, self.act = nn.Linear(wide, width), nn.Linear(width, width, bias=False), act()
        nn.init.orthogonal_(self.recurrent.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(x)
        state, states = x.new_zeros(len(x), x.shape[2]), []
        for step in range(x.shape[1]):
            state = self.act(x[:, step] + self.recurrent(state))
            states.append(state)
        return torch.stack(states, 1)


class TwoCells(nn.Module):
    """Two plain recurrent layers by hand, the upper one over what the lower one says."""

    def __init__(self, task: Task, *, width: int = 24, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem = stem(task, width)
        self.lower, self.upper = Step(width, width, act), Step(width, width, act)
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.upper(self.lower(self.stem(x))))


class Clockwork(nn.Module):
    """A recurrent net whose units move at every step, at every second or at every fourth."""

    def __init__(self, task: Task, *, width: int = 36, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.recurrent, self.act = stem(task, width), nn.Linear(width, width), act()
        self.register_buffer("period", 2 ** (3 * torch.arange(width) // width))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        state, states = x.new_zeros(len(x), x.shape[2]), []
        for step in range(x.shape[1]):
            moved = self.act(x[:, step] + self.recurrent(state))
            state = torch.where((x.shape[1] - 1 - step) % self.period == 0, moved, state)
            states.append(state)
        return self.output(torch.stack(states, 1))


class Peepholes(nn.Module):
    """A long short-term memory by hand: the gates see the memory, and what is not kept is what is written."""

    def __init__(self, task: Task, *, width: int = 24, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.inward = stem(task, width), nn.Linear(width, 3 * width)
        self.recurrent = nn.Linear(width, 3 * width, bias=False)
        self.peek = nn.Parameter(torch.zeros(2, width))
        self.gate, self.act = nn.Sigmoid(), nn.Tanh()
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(self.stem(x))
        state = memory = x.new_zeros(len(x), self.peek.shape[1])
        states = []
        for step in range(x.shape[1]):
            new, keep, show = (x[:, step] + self.recurrent(state)).chunk(3, 1)
            keep = self.gate(keep + 1 + self.peek[0] * memory)
            memory = keep * memory + (1 - keep) * self.act(new)
            state = self.gate(show + self.peek[1] * memory) * self.act(memory)
            states.append(state)
        return self.output(torch.stack(states, 1))


class Pyramid(nn.Module):
    """A recurrent layer both ways, every two steps made one, and another layer; read by the mean of its states."""

    def __init__(self, task: Task, *, width: int = 16, kind: type[nn.RNNBase] = nn.GRU, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem, self.drop = stem(task, width), nn.Dropout(dropout)
        self.lower = kind(width, width, batch_first=True, bidirectional=True)
        self.upper = kind(4 * width, width, batch_first=True, bidirectional=True)
        self.head = head(4 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.lower(self.stem(x))[0]
        x = self.upper(self.drop(x[:, : x.shape[1] // 2 * 2].reshape(len(x), -1, 2 * x.shape[2])))[0]
        return self.head(torch.cat((x.mean(1), x.amax(1)), 1))


# -- convolutions and mixing over time


class GatedConvolutions(nn.Module):
    """Convolutions, half of whose channels gate the other half, added to the input; to the past alone if `causal`."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 3, size: int = 3, act: Act = nn.Sigmoid,
        causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.drop = stem(task, width), nn.Dropout(dropout)
        self.layers = nn.ModuleList(nn.Conv1d(width, 2 * width, size) for _ in range(depth))
        self.gates = nn.ModuleList(act() for _ in range(depth))
        self.pads = (size - 1, 0) if causal else (size // 2, size // 2)
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop(self.stem(x)).transpose(1, 2)
        for layer, gate in zip(self.layers, self.gates, strict=True):
            value, by = layer(F.pad(x, self.pads)).chunk(2, 1)
            x = x + value * gate(by)
        return self.output(x.transpose(1, 2))


class LongFilters(nn.Module):
    """For every feature a filter as long as the sequence, between two gates; to the past alone if `causal`."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 2, norm: Norm = nn.LayerNorm, act: Act = nn.SiLU,
        causal: bool = False, pool: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.causal = stem(task, width), causal
        size = task.length if causal else 2 * task.length - 1
        fade = torch.exp(-(torch.arange(size) - (0 if causal else task.length - 1)).abs() / 4)
        self.filters = nn.ParameterList(0.5 * fade * torch.randn(width, 1, size) for _ in range(depth))
        self.norms = nn.ModuleList(norm(width) for _ in range(depth))
        self.into = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.outs = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x, past = self.stem(x), x.shape[1] - 1
        for kernel, norm, into, act, out in zip(self.filters, self.norms, self.into, self.acts, self.outs, strict=True):
            first, value, last = into(norm(x)).transpose(1, 2).chunk(3, 1)
            pads = (past, 0) if self.causal else (past, past)
            seen = F.conv1d(F.pad(act(first) * value, pads), kernel.flip(-1), groups=value.shape[1])
            x = x + out((seen * last).transpose(1, 2))
        return self.output(x)


class TimeMixer(nn.Module):
    """Layers over time and over features in turn, with norms; the answers are read from all of it."""

    def __init__(
        self, task: Task, *, width: int = 12, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.LayerNorm,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.norms = nn.ModuleList(norm(width) for _ in range(2 * blocks))
        self.times = nn.ModuleList(
            nn.Sequential(nn.Linear(task.length, task.length), act(), nn.Dropout(dropout)) for _ in range(blocks)
        )
        self.features = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))
            for _ in range(blocks)
        )
        self.head = head(width * task.length, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for index, (times, features) in enumerate(zip(self.times, self.features, strict=True)):
            x = x + times(self.norms[2 * index](x).transpose(1, 2)).transpose(1, 2)
            x = x + features(self.norms[2 * index + 1](x))
        return self.head(x.flatten(1))


# -- attention


class Beside(nn.Module):
    """Attention that fades with the distance, and two layers, side by side on one norm; both added to the input."""

    def __init__(self, width: int, heads: int, act: Act, norm: Norm, causal: bool, dropout: float) -> None:
        super().__init__()
        self.norm, self.heads, self.causal = norm(width), heads, causal
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        z = self.norm(x)
        query, key, value = self.into(z).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        place = torch.arange(x.shape[1])
        away = place[:, None] - place[None]
        slope = 2.0 ** (-2.0 * torch.arange(self.heads))[:, None, None]
        bias = -slope * away.abs()
        if self.causal:
            bias = bias.masked_fill(away < 0, -torch.inf)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return x + self.drop(self.out(found.transpose(1, 2).flatten(2)) + self.body(z))


class Fading(nn.Module):
    """A transformer without places: what is far away counts less (ALiBi)."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, heads: int = 4, act: Act = nn.GELU,
        norm: Norm = nn.LayerNorm, causal: bool = False, pool: str = "mean", dropout: float = 0.0, tied: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.blocks = nn.Sequential(*(Beside(width, heads, act, norm, causal, dropout) for _ in range(depth)))
        self.norm, self.output = norm(width), Output(width, task, pool)
        if tied:
            nn.init.normal_(self.stem.weight, std=0.2)
            self.output.head[0].weight = self.stem.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.norm(self.blocks(self.stem(x))))


class Spans(nn.Module):
    """Spans of time as the tokens of PyTorch's own transformer layers; one layer reads them all."""

    def __init__(
        self, task: Task, *, span: int = 4, width: int = 24, depth: int = 2, dropout: float = 0.0, act: str = "gelu"
    ) -> None:
        super().__init__()
        self.span, count = span, task.length // span
        self.stem, self.places = nn.Linear(span * task.width, width), nn.Parameter(0.1 * torch.randn(count, width))
        self.blocks = nn.Sequential(*(
            nn.TransformerEncoderLayer(width, 4, 2 * width, dropout, act, batch_first=True, norm_first=True)
            for _ in range(depth)
        ))  # fmt: skip
        self.norm, self.head = nn.LayerNorm(width), head(count * width, task)

    def forward(self, x: Tensor) -> Tensor:
        spans = x.unflatten(1, (-1, self.span)).flatten(2)
        return self.head(self.norm(self.blocks(self.stem(spans) + self.places)).flatten(1))
