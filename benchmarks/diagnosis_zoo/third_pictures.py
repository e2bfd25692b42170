"""Networks for the pictures of the third part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


def strided(
    task: Task, *, channels: tuple[int, ...] = (12, 24, 24), act: Act = nn.ELU, norm: Norm | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:  # fmt: skip
    """Convolutions alone: strides in the place of poolings, one as large as the picture at the end."""
    layers: list[nn.Module] = []
    wide = task.width
    for index, width in enumerate(channels):
        layers += [nn.Conv2d(wide, width, 3, 2 if index < 2 else 1, 1), *([norm(width)] if norm else []), act()]
        wide = width
    return nn.Sequential(*layers, nn.Conv2d(wide, 32, 3), act(), nn.Flatten(), nn.Dropout(dropout), head(32, task))


class PreAct(nn.Module):
    """Norm, activation, convolution, twice; added to the input."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        self.body = nn.Sequential(
            norm(width), act(), nn.Conv2d(width, width, 3, padding=1, bias=False),
            norm(width), act(), nn.Conv2d(width, width, 3, padding=1, bias=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def pre_resnet(
    task: Task, *, width: int = 14, blocks: int = 2, norm: Norm = nn.BatchNorm2d, act: Act = nn.ReLU
) -> nn.Sequential:
    """A ResNet with the activations first, a narrow stage and a wide one."""
    return nn.Sequential(
        nn.Conv2d(task.width, width, 3, 2, 1, bias=False), *(PreAct(width, norm, act) for _ in range(blocks)),
        norm(width), act(), nn.Conv2d(width, 2 * width, 3, 2, 1), norm(2 * width), act(), nn.Flatten(),
        head(18 * width, task),
    )  # fmt: skip


class Shuffle(nn.Module):
    """Half the channels go by, half through 1 × 1, depthwise 3 × 3 and 1 × 1; then the halves are interleaved."""

    def __init__(self, width: int, norm: Norm, act: Act) -> None:
        super().__init__()
        half = width // 2
        self.body = nn.Sequential(
            nn.Conv2d(half, half, 1, bias=False), norm(half), act(),
            nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False), norm(half),
            nn.Conv2d(half, half, 1, bias=False), norm(half), act(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        by, through = x.chunk(2, 1)
        return torch.stack((by, self.body(through)), 2).flatten(1, 2)


def shuffled(
    task: Task, *, width: int = 24, blocks: int = 3, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """ShuffleNet."""
    body = [Shuffle(width, norm, act) for _ in range(blocks)]
    stem = (nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.MaxPool2d(2))
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class Coordinates(nn.Module):
    """Convolutions that are told where they are, then the places where each channel is brightest."""

    def __init__(self, task: Task, *, width: int = 16, act: Act = nn.ReLU, norm: Norm = nn.Identity) -> None:
        super().__init__()
        line = torch.linspace(-1, 1, 12)
        self.register_buffer("where", torch.stack(torch.meshgrid(line, line, indexing="ij")).unsqueeze(0))
        self.body = nn.Sequential(
            nn.Conv2d(task.width + 2, width, 3, padding=1), norm(width), act(),
            nn.Conv2d(width, width, 3, 2, padding=1), norm(width), act(),
        )  # fmt: skip
        self.mix = nn.Sequential(nn.Linear(36 * width, 32), act())
        self.head = head(32, task)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.body(torch.cat((x, self.where.expand(len(x), -1, -1, -1)), 1))
        return self.head(self.mix(seen.flatten(1)))


class Around(nn.Module):
    """x + norm(act(depthwise(x))), then norm(act(pointwise))."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.around = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, groups=width), act(), norm(width))
        self.point = nn.Sequential(nn.Conv2d(width, width, 1), act(), norm(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.point(x + self.around(x))


def conv_mixer(
    task: Task, *, width: int = 32, blocks: int = 2, act: Act = nn.GELU, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """ConvMixer: patches of 2 × 2, then filters for each channel and across them."""
    stem = (nn.Conv2d(task.width, width, 2, 2), act(), norm(width))
    body = [Around(width, act, norm) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class Attentive(nn.Module):
    """Convolutions with two attentions: which channels matter, and which places."""

    def __init__(self, task: Task, *, width: int = 16, act: Act = nn.ReLU, norm: Norm = nn.Identity) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.MaxPool2d(2))
        self.channels = nn.Sequential(nn.Linear(width, width // 2), act(), nn.Linear(width // 2, width), nn.Sigmoid())
        self.places = nn.Sequential(nn.Conv2d(2, 1, 5, padding=2), nn.Sigmoid())
        self.second = nn.Sequential(nn.Conv2d(width, 2 * width, 3, 2, 1), norm(2 * width), act(), nn.Flatten())
        self.head = head(18 * width, task)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = x * self.channels(x.amax((2, 3)))[..., None, None]
        x = x * self.places(torch.stack((x.mean(1), x.amax(1)), 1))
        return self.head(self.second(x))
