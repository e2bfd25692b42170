"""Networks for the sets and graphs of the fifth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


class Prototypes(nn.Module):
    """Every point goes in shares to a few kinds; how many went to each, and how they lie in it, through layers."""

    def __init__(
        self, task: Task, *, width: int = 12, kinds: int = 8, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.point = nn.Sequential(nn.Linear(task.width, 2 * width), act(), nn.Linear(2 * width, width))
        self.sort, self.middle = nn.Linear(width, kinds), nn.Parameter(0.5 * torch.randn(kinds, width))
        self.whole = nn.Sequential(nn.Linear(kinds * (width + 1), 32), norm(32), act(), nn.Dropout(dropout))
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.point(x)
        share = torch.softmax(self.sort(x), -1)
        many = share.mean(1)
        lies = share.transpose(1, 2) @ x / x.shape[1] - many.unsqueeze(-1) * self.middle
        return self.head(self.whole(torch.cat((3 * many, lies.flatten(1)), 1)))


class Largest(nn.Module):
    """Each node beside the largest answers of those it points to and of those that point to it, added to what it was.

    The largest of all nodes and their mean are read in the end.
    """

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 3, act: Act = nn.ReLU, norm: Norm = nn.Identity
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(2, width), act())
        self.tells = nn.ModuleList(nn.Sequential(nn.Linear(width, width), act()) for _ in range(depth))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(3 * width, width), norm(width), act()) for _ in range(depth)
        )
        self.whole = nn.Sequential(nn.Linear(2 * width, width), act())
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        edges, x = x[..., :-2], self.first(x[..., -2:])
        for tell, layer in zip(self.tells, self.layers, strict=True):
            said = tell(x).unsqueeze(1)
            ahead = (edges.unsqueeze(-1) * said).amax(2)
            behind = (edges.transpose(1, 2).unsqueeze(-1) * said).amax(2)
            x = x + layer(torch.cat((x, ahead, behind), -1))
        return self.head(self.whole(torch.cat((x.amax(1), x.mean(1)), 1)))
