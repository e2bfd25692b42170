"""Networks for the sequences, sets and graphs of the second part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, head
from diagnosis_zoo.sequence_networks import Output, stem
from diagnosis_zoo.tasks import Task

# -- recurrence by hand


class Minimal(nn.Module):
    """A minimal gated unit: one gate forgets and updates."""

    def __init__(self, task: Task, *, width: int = 28, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem = stem(task, 12)
        self.gate, self.inward = nn.Linear(12 + width, width), nn.Linear(12, width)
        self.recurrent, self.act = nn.Linear(width, width, bias=False), act()
        nn.init.orthogonal_(self.recurrent.weight)
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        state, states = x.new_zeros(len(x), self.recurrent.in_features), []
        for step in range(x.shape[1]):
            new = torch.sigmoid(self.gate(torch.cat((x[:, step], state), 1)))
            state = (1 - new) * state + new * self.act(self.inward(x[:, step]) + self.recurrent(new * state))
            states.append(state)
        return self.output(torch.stack(states, 1))


class Independent(nn.Module):
    """A recurrent layer whose units hear only themselves, read by a second one."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.ReLU, pool: str = "last") -> None:
        super().__init__()
        self.stem = stem(task, width)
        self.between = nn.Linear(width, width)
        self.own = nn.ParameterList(nn.Parameter(torch.rand(width)) for _ in range(2))
        self.act, self.output = act(), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer, own in enumerate(self.own):
            x = self.between(x) if layer else x
            state, states = torch.zeros_like(x[:, 0]), []
            for step in range(x.shape[1]):
                state = self.act(x[:, step] + own.clamp(-1, 1) * state)
                states.append(state)
            x = torch.stack(states, 1)
        return self.output(x)


class NormedLstm(nn.Module):
    """A long short-term memory by hand with a LayerNorm before its gates and before its output."""

    def __init__(self, task: Task, *, width: int = 28, pool: str = "last") -> None:
        super().__init__()
        self.stem = stem(task, 12)
        self.inward, self.recurrent = nn.Linear(12, 4 * width), nn.Linear(width, 4 * width, bias=False)
        self.norms = nn.ModuleList((nn.LayerNorm(4 * width), nn.LayerNorm(width)))
        self.acts = nn.ModuleList((nn.Tanh(), nn.Tanh()))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        state = memory = x.new_zeros(len(x), self.recurrent.in_features)
        states = []
        for step in range(x.shape[1]):
            parts = self.norms[0](self.inward(x[:, step]) + self.recurrent(state)).chunk(4, 1)
            take, keep, show = (torch.sigmoid(part) for part in parts[:3])
            memory = keep * memory + take * self.acts[0](parts[3])
            state = show * self.acts[1](self.norms[1](memory))
            states.append(state)
        return self.output(torch.stack(states, 1))


class StateSpace(nn.Module):
    """Linear states that fade at learned speeds, mixed at every step; added to the input, twice."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.GELU, pool: str = "mean") -> None:
        super().__init__()
        self.stem = stem(task, width)
        self.fading = nn.Parameter(torch.linspace(-1.0, 3.0, width).repeat(depth, 1))
        self.mix = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.acts = nn.ModuleList(act() for _ in range(depth))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        passed = torch.arange(x.shape[1]).unsqueeze(1) - torch.arange(x.shape[1])
        for fading, mix, norm, act in zip(self.fading, self.mix, self.norms, self.acts, strict=True):
            keep = torch.sigmoid(fading)
            kernel = torch.where(passed.unsqueeze(-1) < 0, 0.0, keep ** passed.clamp_min(0).unsqueeze(-1)) * (1 - keep)
            now = norm(x)
            x = x + act(mix(torch.cat((now, torch.einsum("tsw,nsw->ntw", kernel, now)), -1)))
        return self.output(x)


# -- convolutions over time


class Wave(nn.Module):
    """Dilated convolutions to the past with a gate; all their outputs are added up before the answer."""

    def __init__(self, task: Task, *, width: int = 20, depth: int = 3, pool: str = "last") -> None:
        super().__init__()
        self.stem = stem(task, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, 2 * width, 2, dilation=2**i) for i in range(depth))
        self.values, self.gates = nn.ModuleList(nn.Tanh() for _ in range(depth)), nn.Sigmoid()
        self.skips = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(depth))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).transpose(1, 2)
        total = torch.zeros_like(x)
        for layer, act, skip in zip(self.layers, self.values, self.skips, strict=True):
            value, gate = layer(nn.functional.pad(x, (layer.dilation[0], 0))).chunk(2, 1)
            found = skip(act(value) * self.gates(gate))
            total, x = total + found, x + found
        return self.output(torch.relu(total).transpose(1, 2))


class ConvGru(nn.Module):
    """Two convolutions that halve the length, then a GRU."""

    def __init__(self, task: Task, *, width: int = 24, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.stem = stem(task, 16)
        self.body = nn.Sequential(
            nn.Conv1d(16, width, 3, padding=1), act(), nn.MaxPool1d(2), nn.Conv1d(width, width, 3, padding=1), act()
        )
        self.rnn, self.head = nn.GRU(width, width, batch_first=True), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        found = self.body(self.stem(x).transpose(1, 2)).transpose(1, 2)
        return self.head(self.rnn(found)[0][:, -1])


class Words(nn.Module):
    """Convolutions of three widths over the tokens, of each the largest answer anywhere."""

    def __init__(self, task: Task, *, width: int = 12, act: Act = nn.ReLU, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem, self.act = stem(task, 16), act()
        self.filters = nn.ModuleList(nn.Conv1d(16, width, size) for size in (2, 3, 5))
        self.dropout, self.head = nn.Dropout(dropout), head(3 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).transpose(1, 2)
        return self.head(self.dropout(torch.cat([self.act(one(x)).amax(2) for one in self.filters], 1)))


class Ladder(nn.Module):
    """Down twice and up again over time, the outputs of the way down joined in on the way up."""

    def __init__(self, task: Task, *, width: int = 12, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(task.width, width, 5, padding=2), act())
        self.second = nn.Sequential(nn.Conv1d(width, 2 * width, 4, 2, 1), act())
        self.third = nn.Sequential(nn.Conv1d(2 * width, 2 * width, 4, 2, 1), act())
        self.up = nn.Upsample(scale_factor=2)
        self.joined = nn.Sequential(nn.Conv1d(4 * width, width, 3, padding=1), act())
        self.last = nn.Conv1d(2 * width, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x.transpose(1, 2))
        second = self.second(first)
        joined = self.joined(torch.cat((self.up(self.third(second)), second), 1))
        return self.last(torch.cat((self.up(joined), first), 1)).squeeze(1)


class Backward(nn.Module):
    """Blocks that each explain a part of the past, which is then taken away, and add a part of the forecast."""

    def __init__(self, task: Task, *, width: int = 32, blocks: int = 3, act: Act = nn.ReLU) -> None:
        super().__init__()
        wide = task.length * task.width
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(wide, width), act(), nn.Linear(width, width), act()) for _ in range(blocks)
        )
        self.past = nn.ModuleList(nn.Linear(width, wide) for _ in range(blocks - 1))
        self.head = head(blocks * width, task)

    def forward(self, x: Tensor) -> Tensor:
        rest, told = x.flatten(1), []
        for index, body in enumerate(self.bodies):
            told.append(body(rest))
            if index < len(self.past):
                rest = rest - self.past[index](told[-1])
        return self.head(torch.cat(told, 1))


# -- attention and mixing


class TwoWayAttended(nn.Module):
    """A recurrent layer in both directions whose states are weighed by a small net."""

    def __init__(self, task: Task, *, kind: type[nn.RNNBase] = nn.LSTM, width: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem, self.rnn = stem(task, 12), kind(12, width, batch_first=True, bidirectional=True)
        self.weigh = nn.Sequential(nn.Linear(2 * width, 12), nn.Tanh(), nn.Linear(12, 1))
        self.dropout, self.head = nn.Dropout(dropout), head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        states = self.rnn(self.stem(x))[0]
        return self.head(self.dropout((torch.softmax(self.weigh(states), 1) * states).sum(1)))


class Linearly(nn.Module):
    """Attention whose cost grows with the length alone: elu + 1 in the place of the softmax. Two blocks."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.GELU, pool: str = "mean") -> None:
        super().__init__()
        self.stem, self.places = stem(task, width), nn.Parameter(0.3 * torch.randn(task.length, width))
        self.asks = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * depth))
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width)) for _ in range(depth)
        )
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x) + self.places
        for index, (asks, body) in enumerate(zip(self.asks, self.bodies, strict=True)):
            query, key, value = asks(self.norms[2 * index](x)).chunk(3, -1)
            query, key = (nn.functional.elu(part) + 1 for part in (query, key))
            weight = query @ key.sum(1).unsqueeze(-1)
            x = x + query @ (key.transpose(1, 2) @ value) / weight
            x = x + body(self.norms[2 * index + 1](x))
        return self.output(x)


class Frequencies(nn.Module):
    """Mixing over time and features by Fourier's transform alone, then two layers at each place."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.GELU, pool: str = "mean") -> None:
        super().__init__()
        self.stem, self.places = stem(task, width), nn.Parameter(0.3 * torch.randn(task.length, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * depth))
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width)) for _ in range(depth)
        )
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x) + self.places
        for index, body in enumerate(self.bodies):
            x = self.norms[2 * index](x + torch.fft.fft2(x).real)
            x = self.norms[2 * index + 1](x + body(x))
        return self.output(x)


class SetTransformer(nn.Module):
    """Points that look at each other, and one learned question to all of them."""

    def __init__(self, task: Task, *, width: int = 24, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.stem = nn.Linear(task.width, width)
        self.among, self.asked = (nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width))
        self.question, self.head = nn.Parameter(torch.randn(1, 1, width)), head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.norms[0](x + self.among(x, x, x, need_weights=False)[0])
        x = self.norms[1](x + self.body(x))
        said = self.asked(self.question.expand(len(x), -1, -1), x, x, need_weights=False)[0]
        return self.head(self.norms[2](said[:, 0]))
