"""Networks for the sets and graphs of the third part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


class PointNet(nn.Module):
    """Layers for every point, told of the largest answers of all once in between; the maximum, and layers."""

    def __init__(self, task: Task, *, width: int = 32, act: Act = nn.ReLU, norm: Norm = nn.Identity) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(task.width, width), act(), nn.Linear(width, width), act())
        self.second = nn.Sequential(nn.Linear(2 * width, 2 * width), act())
        self.whole = nn.Sequential(nn.Linear(2 * width, width), norm(width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = self.second(torch.cat((x, x.amax(1, keepdim=True).expand_as(x)), -1))
        return self.head(self.whole(x.amax(1)))


class Neighbours(nn.Module):
    """Every point looks at the four nearest ones: their differences through layers, the largest answer of each."""

    def __init__(self, task: Task, *, width: int = 24, near: int = 4, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.near = near
        self.edge = nn.Sequential(nn.Linear(2 * task.width, width), act(), nn.Linear(width, width), act())
        self.whole = nn.Sequential(nn.Linear(2 * width, width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        nearest = torch.cdist(x, x).topk(self.near + 1, largest=False).indices[..., 1:]
        others = x[torch.arange(len(x))[:, None, None], nearest]
        own = x.unsqueeze(2).expand_as(others)
        found = self.edge(torch.cat((own, others - own), -1)).amax(2)
        return self.head(self.whole(torch.cat((found.mean(1), found.amax(1)), 1)))


class Isomorphism(nn.Module):
    """Each node and the sum of its neighbours (of about `degree`) through two layers, read by mean and maximum."""

    def __init__(self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.ReLU, degree: float = 2.5) -> None:
        super().__init__()
        self.own, self.degree = nn.Parameter(torch.zeros(depth)), degree
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width if i else 2, width), act(), nn.Linear(width, width), act())
            for i in range(depth)
        )
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2] / self.degree, x[..., -2:]
        for own, layer in zip(self.own, self.layers, strict=True):
            x = layer((1 + own) * x + edges @ x)
        return self.head(torch.cat((x.mean(1), x.amax(1)), 1))
