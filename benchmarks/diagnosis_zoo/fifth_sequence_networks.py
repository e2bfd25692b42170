"""Networks for the sequences of the fifth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.sequence_networks import Attention, Output, stem
from diagnosis_zoo.tasks import Task

# -- recurrence


class Highway(nn.Module):
    """A recurrent net by hand that goes through several layers at each step; a gate says how much each changes."""

    def __init__(self, task: Task, *, width: int = 28, depth: int = 2, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.inward = stem(task, width), nn.Linear(width, 2 * width)
        self.layers = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(depth))
        self.act, self.gate, self.output = act(), nn.Sigmoid(), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inward(self.stem(x))
        state, states = x.new_zeros(len(x), x.shape[2] // 2), []
        for step in range(x.shape[1]):
            for index, layer in enumerate(self.layers):
                both = layer(state) if index else layer(state) + x[:, step]
                new, much = both.chunk(2, 1)
                state = state + self.gate(much - 1) * (self.act(new) - state)
            states.append(state)
        return self.output(torch.stack(states, 1))


class Reaching(nn.Module):
    """A recurrent net by hand whose state hears the one before and the one `back` steps before."""

    def __init__(self, task: Task, *, width: int = 32, back: int = 4, act: Act = nn.Tanh, pool: str = "last") -> None:
        super().__init__()
        self.stem, self.back, self.act = stem(task, width), back, act()
        self.near, self.far = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        for one in (self.near, self.far):
            nn.init.orthogonal_(one.weight, 0.6)
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        states = [torch.zeros_like(x[:, 0])] * self.back
        for step in range(x.shape[1]):
            states.append(self.act(x[:, step] + self.near(states[-1]) + self.far(states[-self.back])))
        return self.output(torch.stack(states[self.back :], 1))


class Memory(nn.Module):
    """A matrix that keeps values by their keys; what stands at a key is corrected as the new value comes (delta rule).

    Each step asks it for what is there, and two layers read the answer beside the input.
    """

    def __init__(
        self, task: Task, *, width: int = 20, act: Act = nn.SiLU, norm: Norm = nn.LayerNorm, pool: str = "last"
    ) -> None:
        super().__init__()
        self.stem, self.into, self.much = stem(task, width), nn.Linear(2 * width, 3 * width), nn.Linear(width, 1)
        self.norm = norm(width)
        self.body = nn.Sequential(nn.Linear(2 * width, 2 * width), act(), nn.Linear(2 * width, width))
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        two = torch.cat((x, F.pad(x, (0, 0, 1, 0))[:, :-1]), -1)
        query, key, value = self.into(two).chunk(3, -1)
        query, key, much = F.normalize(query, dim=-1), F.normalize(key, dim=-1), torch.sigmoid(self.much(x))
        kept, found = x.new_zeros(len(x), x.shape[2], x.shape[2]), []
        for step in range(x.shape[1]):
            at = key[:, step].unsqueeze(1)
            wrong = value[:, step] - (kept * at).sum(2)
            kept = kept + (much[:, step] * wrong).unsqueeze(2) * at
            found.append((kept * query[:, step].unsqueeze(1)).sum(2))
        return self.output(self.norm(x + self.body(torch.cat((two[..., : x.shape[2]], torch.stack(found, 1)), -1))))


# -- convolutions over time


class Sizes(nn.Module):
    """Convolutions of three sizes and a pooling side by side, joined, normed and added to the input."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        part = width // 4
        self.narrow = nn.Conv1d(width, part, 1, bias=False)
        self.sizes = nn.ModuleList(nn.Conv1d(part, part, size, padding=size // 2, bias=False) for size in (3, 5, 9))
        self.pooled = nn.Sequential(nn.MaxPool1d(3, 1, 1), nn.Conv1d(width, width - 3 * part, 1, bias=False))
        self.norm, self.act = norm(width), act()

    def forward(self, x: Tensor) -> Tensor:
        less = self.narrow(x)
        return self.act(x + self.norm(torch.cat((*(one(less) for one in self.sizes), self.pooled(x)), 1)))


class Inception(nn.Module):
    """Blocks of several sizes over time, read by the mean, or at every place."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 2, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm1d,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.body = nn.Sequential(*(Sizes(width, act, norm) for _ in range(depth)), nn.Dropout(dropout))
        self.output = Output(width, task, "mean")

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.body(self.stem(x).transpose(1, 2)).transpose(1, 2))


class Excited(nn.Module):
    """Depthwise filters over time, a norm and two layers, whose features the mean of all turns up or down."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 2, size: int = 7, act: Act = nn.GELU,
        norm: Norm = nn.LayerNorm, dropout: float = 0.0, pool: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.drop = stem(task, width), nn.Dropout(dropout)
        self.filters = nn.ModuleList(
            nn.Conv1d(width, width, size, padding=size // 2, groups=width) for _ in range(depth)
        )
        self.norms = nn.ModuleList(norm(width) for _ in range(depth))
        self.bodies = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width)) for _ in range(depth)
        )
        self.turns = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width // 2), act(), nn.Linear(width // 2, width), nn.Sigmoid())
            for _ in range(depth)
        )
        self.output = Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for filters, norm, body, turn in zip(self.filters, self.norms, self.bodies, self.turns, strict=True):
            found = body(norm(filters(x.transpose(1, 2)).transpose(1, 2)))
            x = x + self.drop(2 * found * turn(found.mean(1, keepdim=True)))
        return self.output(x)


# -- attention and mixing


class Sandwich(nn.Module):
    """Half of two layers, attention, a gated depthwise convolution, and the other half; each with a norm, and added."""

    def __init__(self, width: int, act: Act, norm: Norm, size: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(norm(width) for _ in range(5))
        self.first, self.second = (
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))
            for _ in range(2)
        )
        self.attention, self.into = Attention(width, 4, False), nn.Linear(width, 2 * width)
        self.filters = nn.Conv1d(width, width, size, padding=size // 2, groups=width)
        self.act, self.out, self.drop = act(), nn.Linear(width, width), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.first(self.norms[0](x)) / 2
        x = x + self.drop(self.attention(self.norms[1](x)))
        value = F.glu(self.into(self.norms[2](x)), -1)
        x = x + self.drop(self.out(self.act(self.norms[3](self.filters(value.transpose(1, 2)).transpose(1, 2)))))
        return x + self.second(self.norms[4](x)) / 2


class Conformer(nn.Module):
    """Attention for what is far and convolutions for what is near; places come by the convolutions alone."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 1, size: int = 5, act: Act = nn.SiLU,
        norm: Norm = nn.LayerNorm, dropout: float = 0.0, pool: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.blocks = nn.Sequential(*(Sandwich(width, act, norm, size, dropout) for _ in range(depth)))
        self.norm, self.output = norm(width), Output(width, task, pool)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.norm(self.blocks(self.stem(x))))


class Latents(nn.Module):
    """A few learned questions read the sequence, talk to each other, and read it again; one layer over all of them."""

    def __init__(
        self, task: Task, *, width: int = 24, count: int = 6, act: Act = nn.GELU, norm: Norm = nn.LayerNorm,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem, self.places = stem(task, width), nn.Parameter(0.3 * torch.randn(task.length, width))
        self.questions = nn.Parameter(0.5 * torch.randn(count, width))
        self.near = nn.Conv1d(width, width, 3, padding=1)
        self.reads = nn.ModuleList(nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(2))
        self.talk = Attention(width, 4, False)
        self.norms = nn.ModuleList(norm(width) for _ in range(4))
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width), nn.Dropout(dropout))
        self.head = head(count * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x) + self.places
        x = self.norms[0](x + self.near(x.transpose(1, 2)).transpose(1, 2))
        held = self.questions.expand(len(x), -1, -1)
        for read, norm in zip(self.reads, self.norms[1:3], strict=True):
            held = held + read(norm(held), x, x, need_weights=False)[0]
            held = held + self.talk(held)
        return self.head((held + self.body(self.norms[3](held))).flatten(1))


class Receptance(nn.Module):
    """Each place takes the past's values by how they call and how long ago they were; then layers with squares.

    Places see the one before through a learned blend. Nothing comes from the future.
    """

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, norm: Norm = nn.LayerNorm, act: Act = nn.ReLU,
        pool: str = "last",
    ) -> None:  # fmt: skip
        super().__init__()
        self.stem = stem(task, width)
        self.blend = nn.Parameter(torch.full((2 * depth, width), 0.5))
        self.fade = nn.Parameter(torch.linspace(-2, 1, width).repeat(depth, 1))
        self.norms = nn.ModuleList(norm(width) for _ in range(2 * depth + 1))
        self.into = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(depth))
        self.outs = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.ups = nn.ModuleList(nn.Sequential(nn.Linear(width, 2 * width), act()) for _ in range(depth))
        self.downs = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(depth))
        self.output = Output(width, task, pool)

    def _shifted(self, x: Tensor, index: int) -> Tensor:
        x = self.norms[index](x)
        return x + self.blend[index] * (F.pad(x, (0, 0, 1, 0))[:, :-1] - x)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        place = torch.arange(x.shape[1])
        ago = (place[:, None] - place).unsqueeze(-1)
        for index, (into, out, up, down) in enumerate(zip(self.into, self.outs, self.ups, self.downs, strict=True)):
            take, call, value = into(self._shifted(x, 2 * index)).chunk(3, -1)
            weight = call.unsqueeze(1) - F.softplus(self.fade[index]) * ago
            weight = torch.softmax(weight.masked_fill(ago < 0, -torch.inf), 2)
            x = x + out(torch.sigmoid(take) * (weight * value.unsqueeze(1)).sum(2))
            x = x + down(up(self._shifted(x, 2 * index + 1)) ** 2)
        return self.output(self.norms[-1](x))
