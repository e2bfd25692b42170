"""Networks for the tables and pictures of the seventh part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task

# -- tables


class Turned(nn.Module):
    """A layer of complex numbers, their real parts first; an activation of how long each is, not of where it points."""

    def __init__(self, wide: int, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.real, self.other = nn.Linear(wide, width), nn.Linear(wide, width)
        self.norm, self.act, self.longer = norm(2 * width), act(), nn.Parameter(torch.full((width,), -0.1))

    def forward(self, z: Tensor) -> Tensor:
        a, b = z.chunk(2, 1)
        turned = torch.cat((self.real(a) - self.other(b), self.other(a) + self.real(b)), 1)
        a, b = self.norm(turned).chunk(2, 1)
        long = torch.sqrt(a**2 + b**2 + 1e-4)
        share = self.act(long + self.longer) / long
        return torch.cat((a * share, b * share), 1)


class Complex(nn.Module):
    """Layers of complex numbers; the answer reads both parts and the length of each."""

    def __init__(
        self, task: Task, *, width: int = 24, depth: int = 2, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = nn.ModuleList(Turned(width if i else task.width, width, act, norm) for i in range(depth))
        self.drop, self.head = nn.Dropout(dropout), head(3 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        z = torch.cat((x, torch.zeros_like(x)), 1)
        for layer in self.layers:
            z = layer(z)
        a, b = z.chunk(2, 1)
        return self.head(self.drop(torch.cat((z, torch.sqrt(a**2 + b**2 + 1e-4)), 1)))


class Step(nn.Module):
    """x + share · body(x), the share as fixed."""

    def __init__(self, width: int, share: float, act: Act, norm: Norm, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(width, width), norm(width), act(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        return x + self.share * self.body(x)


def steady(
    task: Task, *, width: int = 32, blocks: int = 8, act: Act = nn.ReLU, norm: Norm = nn.Identity,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Many residual blocks, each the smaller the more there are, so that their sum stays as large as one."""
    body = [Step(width, blocks**-0.5, act, norm, dropout) for _ in range(blocks)]
    return nn.Sequential(nn.Linear(task.width, width), act(), *body, head(width, task))


class Slopes(nn.Module):
    """Every category says how much the measurements count for it, and what it adds; a deep part adds the rest."""

    def __init__(
        self, task: Task, *, width: int = 6, hidden: int = 32, act: Act = nn.ReLU, norm: Norm = nn.Identity,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.slopes = nn.ModuleList(nn.Embedding(30, 5) for _ in range(3))
        self.embeddings = nn.ModuleList(nn.Embedding(30, width) for _ in range(3))
        for slopes in self.slopes:
            nn.init.normal_(slopes.weight, 0, 0.1)
        self.deep = nn.Sequential(
            nn.Linear(3 * width + 4, hidden), norm(hidden), act(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden // 2), act(),
        )  # fmt: skip
        self.head = head(hidden // 2 + 3, task)

    def forward(self, x: Tensor) -> Tensor:
        codes, measured = x[:, :3].long(), F.pad(x[:, 3:], (0, 1), value=1.0)
        straight = [(slopes(codes[:, column]) * measured).sum(1) for column, slopes in enumerate(self.slopes)]
        found = [embedding(codes[:, column]) for column, embedding in enumerate(self.embeddings)]
        deep = self.deep(torch.cat((*found, x[:, 3:]), 1))
        return self.head(torch.cat((deep, torch.stack(straight, 1)), 1))


# -- pictures


class Keypoints(nn.Module):
    """Where on the picture each channel is strongest, by a softmax over the places, and how strong it is there."""

    def __init__(
        self, task: Task, *, width: int = 16, act: Act = nn.ReLU, norm: Norm = nn.Identity, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.Conv2d(width, 2 * width, 3, 2, 1),
            norm(2 * width), act(), nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        )  # fmt: skip
        self.warmth = nn.Parameter(torch.ones(2 * width, 1))
        side = torch.linspace(-1.5, 1.5, 6)
        self.register_buffer("places", torch.stack(torch.meshgrid(side, side, indexing="ij")).flatten(1))
        self.whole = nn.Sequential(nn.Dropout(dropout), nn.Linear(8 * width, 32), act())
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        found = self.body(x).flatten(2)
        look = torch.softmax(found * self.warmth, 2)
        where = torch.einsum("ncp,dp->ncd", look, self.places).flatten(1)
        return self.head(self.whole(torch.cat((where, (look * found).sum(2), found.mean(2)), 1)))


class Haar(nn.Module):
    """The mean of each 2 × 2, and how it changes down, across and over the corner: four channels for each."""

    def __init__(self) -> None:
        super().__init__()
        signs = ((1, 1, 1, 1), (1, 1, -1, -1), (1, -1, 1, -1), (1, -1, -1, 1))
        self.register_buffer("waves", torch.tensor(signs).float().view(4, 1, 2, 2) / 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.waves.repeat(x.shape[1], 1, 1, 1), stride=2, groups=x.shape[1])


def wavelets(
    task: Task, *, width: int = 16, act: Act = nn.ReLU, norm: Norm = nn.Identity, dropout: float = 0.0
) -> nn.Sequential:
    """Wavelets in the place of poolings: nothing is lost, the channels grow fourfold, and 1 × 1 filters choose."""
    return nn.Sequential(
        Haar(), nn.Conv2d(4 * task.width, width, 3, padding=1), norm(width), act(),
        nn.Conv2d(width, width, 3, padding=1), norm(width), act(),
        Haar(), nn.Conv2d(4 * width, 2 * width, 1), norm(2 * width), act(),
        nn.Flatten(), nn.Dropout(dropout), nn.Linear(18 * width, 32), act(), head(32, task),
    )  # fmt: skip


class Denoiser(nn.Module):
    """Convolutions at full size that say what is amiss; that is taken away from the picture (DnCNN)."""

    def __init__(
        self, task: Task, *, width: int = 16, depth: int = 4, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm2d
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(task.width, width, 3, padding=1), act()]
        for _ in range(depth - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width), act()]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, task.outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return x - self.body(x)
