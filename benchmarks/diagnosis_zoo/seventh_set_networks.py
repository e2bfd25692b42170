"""Networks for the sets and graphs of the seventh part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


class Tempered(nn.Module):
    """Layers for every point; each feature is a mean in which large values count more, or less, by a learned warmth.

    At a warmth of 0 it is the plain mean, at a high one the maximum, below 0 toward the minimum.
    """

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.GELU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.first = nn.Sequential(nn.Linear(task.width, width), act())
        self.points = nn.Sequential(*(nn.Sequential(nn.Linear(width, width), act()) for _ in range(depth - 1)))
        self.warmth = nn.Parameter(torch.linspace(-1, 2, 2 * width))
        self.spread = nn.Linear(width, 2 * width)
        self.whole = nn.Sequential(nn.Linear(2 * width, width), norm(width), act(), nn.Dropout(dropout))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.spread(self.points(self.first(x)))
        return self.head(self.whole((torch.softmax(self.warmth * x, 1) * x).sum(1)))


class Distances(nn.Module):
    """Points that attend to each other by how far apart they are, at widths that are learned, several at once.

    What each finds at every width goes through layers; mean and spread are read.
    """

    def __init__(
        self, task: Task, *, width: int = 24, scales: int = 4, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.scales = nn.Parameter(torch.linspace(-1.5, 1.0, scales))
        self.own, self.told = nn.Linear(task.width, width), nn.Linear(task.width, width)
        self.acts = nn.ModuleList((act(), act()))
        self.point = nn.Sequential(nn.Linear((scales + 1) * width + scales, width), act())
        self.whole = nn.Sequential(nn.Linear(2 * width, width), norm(width), act(), nn.Dropout(dropout))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        own, told = self.acts[0](self.own(x)), self.acts[1](self.told(x))
        squares = (x.unsqueeze(2) - x.unsqueeze(1)).square().sum(-1)
        near = torch.exp(-squares.unsqueeze(1) / (2 * torch.exp(2 * self.scales)[:, None, None]))
        many = near.mean(3).transpose(1, 2)
        found = (near @ told.unsqueeze(1) / x.shape[1]).transpose(1, 2).flatten(2)
        found = self.point(torch.cat((own, found, 2 * many), -1))
        return self.head(self.whole(torch.cat((found.mean(1), found.std(1)), 1)))


class Diffusion(nn.Module):
    """Layers for each node alone; what they say then spreads over the graph many times, each time with some fed anew.

    How much is fed is learned. Read by mean and maximum.
    """

    def __init__(
        self, task: Task, *, width: int = 32, times: int = 6, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.node = nn.Sequential(nn.Linear(3, width), act(), nn.Linear(width, width), act())
        self.fed, self.times = nn.Parameter(torch.linspace(-2, 2, width)), times
        self.after = nn.Sequential(nn.Linear(2 * width, width), act())
        self.whole = nn.Sequential(nn.Linear(2 * width, width), norm(width), act(), nn.Dropout(dropout))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges = x[..., :-2]
        count = edges.sum(-1, keepdim=True)
        told = self.node(torch.cat((x[..., -2:], count / 2 - 1), -1))
        loops = edges + torch.eye(edges.shape[1])
        loops, fed, state = loops / (1 + count), torch.sigmoid(self.fed), told
        for _ in range(self.times):
            state = (1 - fed) * (loops @ state) + fed * told
        state = self.after(torch.cat((told, state), -1))
        return self.head(self.whole(torch.cat((state.mean(1), state.amax(1)), 1)))


class Gathered(nn.Module):
    """Each node beside the mean, the largest, the smallest and the spread of its neighbours, and how many they are."""

    def __init__(
        self, task: Task, *, width: int = 20, depth: int = 2, act: Act = nn.ReLU, norm: Norm = nn.LayerNorm
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2, width), act())
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(5 * width + 1, width), norm(width), act()) for _ in range(depth)
        )
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2], self.first(x[..., -2:])
        count, met = edges.sum(-1, keepdim=True), edges.unsqueeze(-1) > 0
        alone = count == 0
        for layer in self.layers:
            mean, square = (edges @ part / count.clamp_min(1) for part in (x, x**2))
            spread = torch.sqrt((square - mean**2).clamp_min(0) + 1e-4)
            most, least = (
                sign * (sign * x).unsqueeze(1).masked_fill(~met, -torch.inf).amax(2).masked_fill(alone, 0.0)
                for sign in (1, -1)
            )
            x = x + layer(torch.cat((x, mean, spread, most, least, count / 3), -1))
        return self.head(torch.cat((x.mean(1), x.amax(1)), 1))
