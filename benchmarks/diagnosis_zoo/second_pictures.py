"""Networks for the pictures of the second part: architectures that stood nowhere before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from diagnosis_zoo.networks import Act, Norm, head
from diagnosis_zoo.tasks import Task


class Squeeze(nn.Module):
    """A convolution, and its channels weighed by what the whole picture holds of each; added to the input."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width), act())
        self.weigh = nn.Sequential(nn.Linear(width, width // 4), act(), nn.Linear(width // 4, width))

    def forward(self, x: Tensor) -> Tensor:
        found = self.body(x)
        return x + found * torch.sigmoid(self.weigh(found.mean((2, 3))))[..., None, None]


def squeeze(
    task: Task, *, width: int = 16, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """Squeeze and excitation."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1, bias=False), norm(width), act())
    body = [Squeeze(width, act, norm) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


class Inception(nn.Module):
    """Filters of three sizes and a pooling side by side."""

    def __init__(self, wide: int, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        self.point = nn.Conv2d(wide, width, 1)
        self.near = nn.Sequential(nn.Conv2d(wide, width, 1), act(), nn.Conv2d(width, width, 3, padding=1))
        self.far = nn.Sequential(nn.Conv2d(wide, width // 2, 1), act(), nn.Conv2d(width // 2, width, 5, padding=2))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(wide, width, 1))
        self.norm, self.act = norm(4 * width), act()

    def forward(self, x: Tensor) -> Tensor:
        parts = (self.point(x), self.near(x), self.far(x), self.pooled(x))
        return self.act(self.norm(torch.cat(parts, 1)))


def inception(
    task: Task, *, width: int = 6, blocks: int = 2, act: Act = nn.ReLU, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """Inception blocks."""
    layers: list[nn.Module] = [nn.Conv2d(task.width, 8, 3, padding=1), act(), nn.MaxPool2d(2)]
    layers += [Inception(4 * width if index else 8, width, act, norm) for index in range(blocks)]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), head(36 * width, task))


class Next(nn.Module):
    """A wide convolution for each channel, a LayerNorm over the channels, two linear layers; added to the input."""

    def __init__(self, width: int, act: Act) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width))
        self.scale = nn.Parameter(torch.full((width,), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        found = self.body(self.norm(self.around(x).permute(0, 2, 3, 1)))
        return x + (self.scale * found).permute(0, 3, 1, 2)


def convnext(task: Task, *, width: int = 24, blocks: int = 2, act: Act = nn.GELU) -> nn.Sequential:
    """ConvNeXt."""
    body = [Next(width, act) for _ in range(blocks)]
    return nn.Sequential(
        nn.Conv2d(task.width, width, 2, 2), *body, nn.AvgPool2d(2), nn.Flatten(), nn.LayerNorm(9 * width),
        head(9 * width, task),
    )  # fmt: skip


class Inverted(nn.Module):
    """Wider, a convolution for each channel, narrower again without an activation; added to the input."""

    def __init__(self, width: int, act: Act, norm: Norm) -> None:
        super().__init__()
        inner = 3 * width
        self.inner = nn.Sequential(
            nn.Conv2d(width, inner, 1, bias=False), norm(inner), act(),
            nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False), norm(inner), act(),
            nn.Conv2d(inner, width, 1, bias=False), norm(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def inverted(
    task: Task, *, width: int = 10, blocks: int = 2, act: Act = nn.ReLU6, norm: Norm = nn.BatchNorm2d
) -> nn.Sequential:
    """MobileNet's inverted residuals."""
    stem = (nn.Conv2d(task.width, width, 3, 2, 1, bias=False), norm(width), act())
    body = [Inverted(width, act, norm) for _ in range(blocks)]
    return nn.Sequential(*stem, *body, nn.AvgPool2d(2), nn.Flatten(), head(9 * width, task))


def nested(task: Task, *, width: int = 24, act: Act = nn.ReLU, dropout: float = 0.0) -> nn.Sequential:
    """Network in network: each convolution is followed by two of 1 × 1, and the mean over the picture is the answer."""
    layers: list[nn.Module] = []
    for index in range(2):
        layers += [nn.Conv2d(width if index else task.width, width, 5 - 2 * index, padding=2 - index), act()]
        layers += [nn.Conv2d(width, width, 1), act(), nn.Conv2d(width, width, 1), act()]
        layers += [nn.MaxPool2d(2), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), head(width, task))


class Perceiver(nn.Module):
    """Eight learned vectors look at the patches of the picture, and then at each other."""

    def __init__(self, task: Task, *, width: int = 32, count: int = 8, act: Act = nn.GELU) -> None:
        super().__init__()
        self.cut = nn.Conv2d(task.width, width, 3, 3)
        self.places = nn.Parameter(0.3 * torch.randn(16, width))
        self.latents = nn.Parameter(0.3 * torch.randn(count, width))
        self.look, self.talk = (nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.body = nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Linear(2 * width, width))
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.norms[0](self.cut(x).flatten(2).transpose(1, 2) + self.places)
        latents = self.latents.expand(len(x), -1, -1)
        latents = latents + self.look(latents, seen, seen, need_weights=False)[0]
        own = self.norms[1](latents)
        latents = latents + self.talk(own, own, own, need_weights=False)[0]
        latents = latents + self.body(self.norms[2](latents))
        return self.head(self.norms[3](latents).mean(1))


class Hybrid(nn.Module):
    """Convolutions whose places are the tokens of one transformer layer."""

    def __init__(self, task: Task, *, width: int = 24, norm: Norm = nn.BatchNorm2d, act: Act = nn.ReLU) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(task.width, width, 3, padding=1), norm(width), act(), nn.MaxPool2d(2),
            nn.Conv2d(width, width, 3, 2, 1), norm(width), act(),
        )  # fmt: skip
        self.places = nn.Parameter(0.1 * torch.randn(9, width))
        self.block = nn.TransformerEncoderLayer(width, 4, 48, 0.0, "gelu", batch_first=True, norm_first=True)
        self.head = head(width, task)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.stem(x).flatten(2).transpose(1, 2) + self.places
        return self.head(self.block(tokens).mean(1))
