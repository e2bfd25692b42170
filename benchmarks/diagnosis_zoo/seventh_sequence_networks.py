"""Networks for the sequences of the seventh part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.sequence_networks import Output, stem
from diagnosis_zoo.tasks import Task

# -- recurrence


class Averages(nn.Module):
    """A recurrent net by hand whose only memory are averages that fade slowly, less slowly and fast of what it found.

    What it finds at a step comes of the input and a summary of the averages.
    """

    def __init__(
        self, task: Task, *, width: int = 24, rates: tuple[float, ...] = (0.0, 0.5, 0.9, 0.98), act: Act = nn.ReLU,
        pool: str = "last",
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.inward = stem(task, width), nn.Linear(width, width)
        self.summary, self.heard = nn.Linear(len(rates) * width, width), nn.Linear(width, width, bias=False)
        self.act, self.summed = act(), act()
        self.register_buffer("keep", torch.tensor(rates).repeat_interleave(width))
        self.rates, self.output = rates, Output(len(rates) * width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(self.stem(x))
        kept, states = x.new_zeros(len(x), len(self.keep)), []
        for moment in range(x.shape[1]):
            found = self.act(x[:, moment] + self.heard(self.summed(self.summary(kept))))
            kept = self.keep * kept + (1 - self.keep) * found.repeat(1, len(self.rates))
            states.append(kept)
        return self.output(torch.stack(states, 1))


class Ranked(nn.Module):
    """A long short-term memory by hand whose units have ranks: what is forgotten or written reaches up to some rank.

    Two gates are sums of softmaxes along the ranks, so that high ones keep long and low ones change at every step.
    """

    def __init__(self, task: Task, *, width: int = 28, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.inward = stem(task, width), nn.Linear(width, 6 * width)
        self.recurrent, self.gate, self.act, self.shown = (
            nn.Linear(width, 6 * width, bias=False), nn.Sigmoid(), act(), act(),
        )  # fmt: skip
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(self.stem(x))
        state = memory = x.new_zeros(len(x), self.recurrent.in_features)
        states = []
        for moment in range(x.shape[1]):
            new, take, keep, show, low, high = (x[:, moment] + self.recurrent(state)).chunk(6, 1)
            kept, written = torch.softmax(high, 1).cumsum(1), 1 - torch.softmax(low, 1).cumsum(1)
            both = kept * written
            keep = self.gate(keep + 1) * both + (kept - both)
            take = self.gate(take) * both + (written - both)
            memory = keep * memory + take * self.act(new)
            state = self.gate(show) * self.shown(memory)
            states.append(state)
        return self.output(torch.stack(states, 1))


# -- convolutions over time


class Dynamic(nn.Module):
    """Each moment makes its own short filter, shares that add up to one, and takes its surroundings by it.

    Then two layers; norms before, all added to the input. To the past alone if `causal`.
    """

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, size: int = 5, heads: int = 4, act: Act = nn.GELU,
        norm: Norm = nn.LayerNorm, causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.size, self.heads = stem(task, width), size, heads
        self.pads = (size - 1, 0) if causal else (size // 2, size // 2)
        self.norms = nn.ModuleList(norm(width) for _ in range(2 * depth))
        self.values = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.filters = nn.ModuleList(nn.Linear(width, heads * size) for _ in range(depth))
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))
            for _ in range(depth)
        )
        self.norm, self.output = norm(width), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for index, (value, filters, body) in enumerate(zip(self.values, self.filters, self.bodies, strict=True)):
            seen = self.norms[2 * index](x)
            share = torch.softmax(filters(seen).unflatten(2, (self.heads, self.size)), -1)
            around = F.pad(value(seen), (0, 0, *self.pads)).unfold(1, self.size, 1)
            around = around.unflatten(2, (self.heads, -1))
            x = x + (around * share.unsqueeze(3)).sum(-1).flatten(2)
            x = x + body(self.norms[2 * index + 1](x))
        return self.output(self.norm(x))


class Lifting(nn.Module):
    """Even moments and odd ones: the odd are foretold by the even, and what is left of them corrects the even.

    This is done again with the even ones; all that was left over at any level is read by its mean size and its mean.
    """

    def __init__(
        self, task: Task, *, width: int = 16, depth: int = 3, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm1d,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.drop = stem(task, width), nn.Dropout(dropout)
        self.foretell, self.correct = (
            nn.ModuleList(
                nn.Sequential(nn.Conv1d(width, width, 3, padding=1), norm(width), act(), nn.Conv1d(width, width, 1))
                for _ in range(depth)
            )
            for _ in range(2)
        )
        self.whole = nn.Sequential(nn.Linear((2 * depth + 2) * width, 2 * width), act(), self.drop)
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).transpose(1, 2)
        read = []
        for foretell, correct in zip(self.foretell, self.correct, strict=True):
            if x.shape[2] % 2:
                x = F.pad(x, (1, 0), mode="replicate")
            even, odd = x[..., ::2], x[..., 1::2]
            left = odd - foretell(even)
            x = even + correct(left)
            read += [left.mean(2), left.abs().mean(2)]
        return self.head(self.whole(torch.cat((*read, x.mean(2), x[..., -1]), 1)))


# -- attention


class Differing(nn.Module):
    """Attention by the difference of two softmaxes, so that what both see cancels; a norm over each head's answer."""

    def __init__(self, width: int, heads: int, act: Act, norm: Norm, causal: bool, dropout: float) -> None:
        super().__init__()
        self.heads, self.causal, self.size = heads, causal, width // heads
        self.norm1, self.norm2, self.found = norm(width), norm(width), norm(self.size)
        self.into, self.out = nn.Linear(width, 5 * width), nn.Linear(width, width)
        self.less = nn.Parameter(torch.zeros(heads, 1, 1))
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        parts = self.into(self.norm1(x)).unflatten(2, (5, self.heads, -1)).permute(2, 0, 3, 1, 4)
        hidden = torch.ones(length, length).triu(1).bool() & self.causal
        one, other = (
            torch.softmax((query @ key.transpose(2, 3) / self.size**0.5).masked_fill(hidden, -torch.inf), -1)
            for query, key in ((parts[0], parts[1]), (parts[2], parts[3]))
        )
        found = self.found((one - torch.sigmoid(self.less - 0.5) * other) @ parts[4])
        x = x + self.drop(self.out(found.transpose(1, 2).flatten(2)))
        return x + self.drop(self.body(self.norm2(x)))


class Differential(nn.Module):
    """A transformer of differences; a short convolution tells each moment of the ones before instead of places."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, heads: int = 2, act: Act = nn.SiLU,
        norm: Norm = nn.RMSNorm, causal: bool = False, pool: str = "mean", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.before = stem(task, width), nn.Conv1d(width, width, 3)
        self.blocks = nn.Sequential(*(Differing(width, heads, act, norm, causal, dropout) for _ in range(depth)))
        self.norm, self.output = norm(width), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.before(F.pad(x.transpose(1, 2), (2, 0))).transpose(1, 2)
        return self.output(self.norm(self.blocks(x)))
