"""Networks for the words, sets and graphs of the fourth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.sequence_networks import stem
from diagnosis_zoo.tasks import Task


class Neighbourly(nn.Module):
    """Tokens, and each with the next three as a product; the largest of each feature, and layers."""

    def __init__(
        self, task: Task, *, width: int = 24, act: Act = nn.ReLU, dropout: float = 0.0, reach: int = 4
    ) -> None:
        super().__init__()
        self.stem, self.reach = stem(task, width), reach
        self.turns = nn.ModuleList(nn.Linear(width, width) for _ in range(reach))
        self.body = nn.Sequential(nn.Dropout(dropout), nn.Linear((reach + 1) * width, 32), act(), nn.Dropout(dropout))
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        found = [x.amax(1)]
        for away, turn in enumerate(self.turns, 1):
            found.append((x[:, :-away] * turn(x[:, away:])).amax(1))
        return self.head(self.body(torch.cat(found, 1)))


class Equivariant(nn.Module):
    """Layers that see each point and the mean and spread of all of them; at the end the mean and the maximum."""

    def __init__(self, task: Task, *, width: int = 24, act: Act = nn.ReLU, norm: Norm = nn.Identity) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2 * task.width, width), act(), nn.Linear(width, width), act())
        self.second = nn.Sequential(nn.Linear(3 * width, 2 * width), act())
        self.whole = nn.Sequential(nn.Linear(4 * width, width), norm(width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(torch.cat((x, x - x.mean(1, keepdim=True)), -1))
        mean, spread = x.mean(1, keepdim=True), x.std(1, keepdim=True)
        x = self.second(torch.cat((x, mean.expand_as(x), spread.expand_as(x)), -1))
        return self.head(self.whole(torch.cat((x.mean(1), x.amax(1)), 1)))


class Jumping(nn.Module):
    """Each node beside the sum and the mean of its neighbours; the states of every layer are read in the end."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.ReLU, norm: Norm = nn.Identity
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2, width), act())
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(3 * width, width), norm(width), act()) for _ in range(depth)
        )
        self.whole = nn.Sequential(nn.Linear((depth + 1) * width, width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2], self.first(x[..., -2:])
        count, read = edges.sum(-1, keepdim=True), [x.mean(1)]
        for layer in self.layers:
            near = edges @ x
            x = layer(torch.cat((x, near / 3, near / (1 + count)), -1))
            read.append(x.mean(1))
        return self.head(self.whole(torch.cat(read, 1)))
