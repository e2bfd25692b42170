"""Networks for the sets and graphs of the sixth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


class Sorted(nn.Module):
    """Layers for every point; each feature is put in order over the points, and a weight for every rank adds it up."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.first = nn.Sequential(nn.Linear(task.width, width), act())
        self.points = nn.Sequential(*(nn.Sequential(nn.Linear(width, width), act()) for _ in range(depth - 1)))
        self.ranks = nn.Parameter((1 + 0.3 * torch.randn(task.length, width)) / task.length)
        self.whole = nn.Sequential(nn.Linear(width, width), norm(width), act(), nn.Dropout(dropout))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.points(self.first(x)).sort(1).values
        return self.head(self.whole((x * self.ranks).sum(1)))


class Chebyshev(nn.Module):
    """Layers over a graph that see each node beside the first polynomials of its Laplacian; read by sum and maximum."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, order: int = 3, act: Act = nn.ReLU,
        norm: Norm = nn.Identity,
    ) -> None:  # fmt: skip
        super().__init__()
        self.order = order
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(order * (width if index else 2), width), norm(width), act())
            for index in range(depth)
        )
        self.head = head(2 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2], x[..., -2:]
        root = edges.sum(-1, keepdim=True).clamp_min(1).sqrt()
        edges = -edges / root / root.transpose(1, 2)
        for layer in self.layers:
            seen = [x, edges @ x]
            while len(seen) < self.order:
                seen.append(2 * edges @ seen[-1] - seen[-2])
            x = layer(torch.cat(seen, -1))
        return self.head(torch.cat((x.mean(1), x.amax(1)), 1))
