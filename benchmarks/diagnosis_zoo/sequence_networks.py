"""Networks for sequences, sets and graphs.

Inputs are (N, T) tokens or (N, T, features); targets of every position are read as (N, classes, T).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, head
from diagnosis_zoo.tasks import Task


def stem(task: Task, width: int) -> nn.Module:
    """Tokens or numbers to vectors."""
    return nn.Embedding(task.width, width) if task.tokens else nn.Linear(task.width, width)


class Output(nn.Module):
    """Every position's classes, or one answer for the sequence."""

    def __init__(self, width: int, task: Task, pool: str) -> None:
        super().__init__()
        self.head, self.each, self.pool = head(width, task), task.each, pool

    def forward(self, x: Tensor) -> Tensor:
        if self.each:
            return self.head(x).transpose(1, 2)
        return self.head({"mean": lambda: x.mean(1), "last": lambda: x[:, -1], "first": lambda: x[:, 0]}[self.pool]())


class Recurrent(nn.Module):
    """One of PyTorch's recurrent layers."""

    def __init__(
        self, task: Task, *, kind: type[nn.RNNBase] = nn.LSTM, width: int = 32, layers: int = 1, both: bool = False,
        pool: str = "last", dropout: float = 0.0, embed: int = 12,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, embed)
        self.rnn = kind(embed, width, layers, batch_first=True, bidirectional=both, dropout=dropout)
        self.output = Output(width * (1 + both), task, pool)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.rnn(self.stem(x))[0])


class Attended(nn.Module):
    """A GRU whose states are weighed by attention."""

    def __init__(self, task: Task, *, width: int = 32, kind: type[nn.RNNBase] = nn.GRU) -> None:
        super().__init__()
        self.stem, self.rnn = stem(task, 12), kind(12, width, batch_first=True)
        self.weigh, self.head = nn.Linear(width, 1), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        states = self.rnn(self.stem(x))[0]
        return self.head((torch.softmax(self.weigh(states), 1) * states).sum(1))


class Cell(nn.Module):
    """A plain recurrent net written by hand."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.Tanh) -> None:
        super().__init__()
        self.inward, self.recurrent = nn.Linear(task.width, width), nn.Linear(width, width, bias=False)
        self.act, self.head = act(), head(width, task)
        nn.init.orthogonal_(self.recurrent.weight)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), self.recurrent.in_features)
        for step in range(x.shape[1]):
            state = self.act(self.inward(x[:, step]) + self.recurrent(state))
        return self.head(state)


class Temporal(nn.Module):
    """Dilated convolutions over time with residuals; causal where every position is predicted."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 3, act: Act = nn.ReLU, pool: str = "mean") -> None:
        super().__init__()
        self.stem = stem(task, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=2**i, dilation=2**i) for i in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).transpose(1, 2)
        for layer, act in zip(self.layers, self.acts, strict=True):
            x = x + act(layer(x))
        return self.output(x.transpose(1, 2))


class Attention(nn.Module):
    """Several heads, written out."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.into, self.out, self.heads, self.causal = (
            nn.Linear(width, 3 * width),
            nn.Linear(width, width),
            heads,
            causal,
        )

    def forward(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        parts = self.into(x).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        found = nn.functional.scaled_dot_product_attention(*parts, is_causal=self.causal)
        return self.out(found.transpose(1, 2).reshape(n, length, width))


class Block(nn.Module):
    """Attention and two layers; the norms before (`pre`) or after the additions."""

    def __init__(self, width: int, act: Act, causal: bool, pre: bool, dropout: float) -> None:
        super().__init__()
        self.attention, self.pre = Attention(width, 4, causal), pre
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        if self.pre:
            x = x + self.attention(self.norm1(x))
            return x + self.body(self.norm2(x))
        x = self.norm1(x + self.attention(x))
        return self.norm2(x + self.body(x))


class Transformer(nn.Module):
    """A stack of blocks over positions with learned places; `tied` shares the embedding with the output."""

    def __init__(
        self, task: Task, *, width: int = 32, depth: int = 2, act: Act = nn.GELU, causal: bool = False,
        pre: bool = True, dropout: float = 0.0, pool: str = "mean", tied: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.places = stem(task, width), nn.Parameter(0.3 * torch.randn(task.length, width))
        self.blocks = nn.Sequential(*(Block(width, act, causal, pre, dropout) for _ in range(depth)))
        self.norm, self.output = nn.LayerNorm(width), Output(width, task, pool)
        if tied:
            nn.init.normal_(self.stem.weight, std=0.1)
            self.output.head[0].weight = self.stem.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.norm(self.blocks(self.stem(x) + self.places)))


class Vision(nn.Module):
    """A transformer over patches of 3 × 3 with a class token."""

    def __init__(
        self, task: Task, *, width: int = 32, depth: int = 2, act: Act = nn.GELU, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.cut = nn.Conv2d(task.width, width, 3, 3)
        self.answer, self.places = nn.Parameter(torch.zeros(1, 1, width)), nn.Parameter(0.02 * torch.randn(17, width))
        self.blocks = nn.Sequential(*(Block(width, act, False, True, dropout) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.cut(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.answer.expand(len(x), -1, -1), patches), 1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])


class Sets(nn.Module):
    """Deep Sets: a net for every point, the mean, a net for the set."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.point = nn.Sequential(nn.Linear(task.width, width), act(), nn.Linear(width, width), act())
        self.whole = nn.Sequential(nn.Linear(width, width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.whole(self.point(x).mean(1)))


class Graph(nn.Module):
    """Graph convolutions with normalized adjacency, read by sum and maximum."""

    def __init__(self, task: Task, *, width: int = 32, depth: int = 3, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.own = nn.ModuleList(nn.Linear(width if i else 2, width) for i in range(depth))
        self.near = nn.ModuleList(nn.Linear(width if i else 2, width, bias=False) for i in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2], x[..., -2:]
        edges = edges / edges.sum(-1, keepdim=True).clamp_min(1)
        for own, near, act in zip(self.own, self.near, self.acts, strict=True):
            x = act(own(x) + near(edges @ x))
        return self.head(torch.cat((x.mean(1), x.amax(1)), 1))
