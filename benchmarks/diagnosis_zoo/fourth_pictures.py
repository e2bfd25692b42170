"""More networks for the pictures of the fourth part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


class TwoSizes(nn.Module):
    """The picture at full and at half size side by side; they tell each other what they see once in between."""

    def __init__(self, task: Task, *, width: int = 8, act: Act = nn.ReLU, norm: Norm = nn.Identity) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(task.width, width, 3, padding=1), norm(width), act())
        self.rough = nn.Sequential(nn.Conv2d(width, 2 * width, 3, 2, 1), norm(2 * width), act())
        self.down, self.up = nn.Conv2d(width, 2 * width, 3, 2, 1), nn.Conv2d(2 * width, width, 1)
        self.fine2 = nn.Sequential(norm(width), act(), nn.Conv2d(width, width, 3, 2, 1), act())
        self.rough2 = nn.Sequential(norm(2 * width), act(), nn.Conv2d(2 * width, 2 * width, 3, padding=1), act())
        self.whole = nn.Sequential(nn.Linear(27 * width, 32), act())
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(x)
        rough = self.rough(fine)
        fine, rough = fine + F.interpolate(self.up(rough), scale_factor=2), rough + self.down(fine)
        both = torch.cat((self.fine2(fine), self.rough2(rough)), 1)
        return self.head(self.whole(F.max_pool2d(both, 2).flatten(1)))


class Pooling(nn.Module):
    """The mean around each place less the place itself, then two layers at each place; both added to the input."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.norm1, self.norm2, self.pool = norm(width), norm(width), nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.scale = nn.Parameter(torch.ones(width, 1, 1))
        self.body = nn.Sequential(nn.Conv2d(width, 3 * width, 1), act(), nn.Conv2d(3 * width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        z = self.norm1(x)
        x = x + self.scale * (self.pool(z) - z)
        return x + self.body(self.norm2(x))


class PoolFormer(nn.Module):
    """A transformer's blocks with a pooling in the place of the attention."""

    def __init__(
        self, task: Task, *, width: int = 20, blocks: int = 2, act: Act = nn.GELU,
        norm: Norm = lambda width: nn.GroupNorm(1, width),
    ) -> None:  # fmt: skip
        super().__init__()
        self.cut = nn.Conv2d(task.width, width, 3, 2, 1)
        self.body = nn.Sequential(*(Pooling(width, act, norm) for _ in range(blocks)))
        self.last = nn.Sequential(norm(width), nn.Conv2d(width, width, 3, 2, 1), act(), nn.Flatten())
        self.head = head(9 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.last(self.body(self.cut(x))))
