"""Tables and pictures: what there is to learn, and the level of the metric that tells a good training.

Every task is drawn by a seed of its own, once; a run's seed splits it anew. The level was fixed at what a plain
well-set network reaches, with room to spare, before any diagnosis was looked at, and holds for every network on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor, nn

Pair = tuple[Tensor, Tensor]

SEALED = 6  # the part that the report is made of
BEFORE = 7  # the part that the report of checkups is made of, before any training

#: how much worse hurts, fixed before any fault was tried: 3 points of accuracy, 5 points of explained variance
MARGINS = {"accuracy": 0.03, "label_accuracy": 0.03, "r2": 0.05}


def label_accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Share of right labels, where a sample may have several."""
    return float(((outputs > 0) == (targets > 0.5)).float().mean())


@dataclass(frozen=True)
class Task:
    """Data and what goes with them.

    Attributes:
        draw: (inputs, targets) of a seed.
        width: features of a sample, channels of a picture, or the number of different tokens.
        outputs: of the network; 1 is read as (N,).
        metric: its name in `MARGINS`.
        level: of the metric, on rows that were not trained on, that a good training reaches.
        loss: that goes with the targets.
        sizes: rows to train on, to validate on and to test on.
        length: of a sequence or a side of a picture; 0 for a table.
        tokens: whether the inputs are whole numbers below `width`.
        each: whether every position of the sequence has a target of its own.
        part: of the benchmark. Each was the report's until it had been looked at; then another one was written.
    """

    name: str
    draw: Callable[[int], Pair]
    width: int
    outputs: int
    metric: str
    level: float
    loss: Callable[..., Tensor] = field(default_factory=nn.CrossEntropyLoss)
    sizes: tuple[int, int, int] = (800, 300, 600)
    length: int = 0
    tokens: bool = False
    each: bool = False
    part: int = 1

    @property
    def sealed(self) -> bool:
        """Whether it is held back for a report: no rule or limit is looked at on it."""
        return self.part in (SEALED, BEFORE)

    @property
    def judge(self) -> Any:
        """The metric as a Setup wants it."""
        return label_accuracy if self.metric == "label_accuracy" else self.metric

    @property
    def classes(self) -> bool:
        """Whether the targets are class numbers."""
        return isinstance(self.loss, nn.CrossEntropyLoss)

    @property
    def rows(self) -> int:
        return sum(self.sizes)


def standardized(x: Tensor) -> Tensor:
    """Each feature with mean 0 and deviation 1."""
    return (x - x.mean(0)) / x.std(0).clamp_min(1e-6)


def numbers(x: Any, y: Any) -> Pair:
    """Standardized inputs and standardized targets."""
    inputs, targets = (torch.tensor(np.asarray(part), dtype=torch.float32) for part in (x, y))
    return standardized(inputs), standardized(targets)


def labels(x: Any, y: Any, kind: torch.dtype = torch.long) -> Pair:
    """Standardized inputs and class numbers, or zeros and ones where `kind` is a float."""
    return standardized(torch.tensor(np.asarray(x), dtype=torch.float32)), torch.tensor(np.asarray(y)).to(kind)


# -- tables


@cache
def _iris(seed: int) -> Pair:
    return labels(*datasets.load_iris(return_X_y=True))


@cache
def _friedman2(seed: int) -> Pair:
    return numbers(*datasets.make_friedman2(n_samples=1700, noise=20, random_state=seed))


@cache
def _friedman3(seed: int) -> Pair:
    return numbers(*datasets.make_friedman3(n_samples=1700, noise=0.05, random_state=seed))


@cache
def _quantiles(seed: int) -> Pair:
    return labels(*datasets.make_gaussian_quantiles(n_samples=1700, n_features=5, n_classes=3, random_state=seed))


@cache
def _hastie(seed: int) -> Pair:
    x, y = datasets.make_hastie_10_2(n_samples=2400, random_state=seed)
    return labels(x, y > 0, torch.float32)


@cache
def _swiss(seed: int) -> Pair:
    return numbers(*datasets.make_swiss_roll(1700, noise=0.3, random_state=seed))


@cache
def _s_curve(seed: int) -> Pair:
    return numbers(*datasets.make_s_curve(1700, noise=0.05, random_state=seed))


@cache
def _circles(seed: int) -> Pair:
    return labels(*datasets.make_circles(1700, noise=0.08, factor=0.5, random_state=seed), torch.float32)


@cache
def _spirals(seed: int) -> Pair:
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 3, 1700)
    radius = draw.uniform(0.1, 1, 1700)
    angle = 4 * radius + 2 * np.pi * y / 3 + draw.normal(0, 0.08, 1700)
    return labels(np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1), y)


@cache
def _arm(seed: int) -> Pair:
    """Where the hand of an arm of two joints is, by their angles."""
    angles = np.random.default_rng(seed).uniform(-np.pi / 2, np.pi / 2, (1700, 2))
    total = angles.sum(1)
    hand = np.stack((np.cos(angles[:, 0]) + np.cos(total), np.sin(angles[:, 0]) + np.sin(total)), 1)
    return numbers(angles, hand)


@cache
def _tags(seed: int) -> Pair:
    """Eight labels of twenty features: on which side of a plane the sample lies."""
    x = np.random.default_rng(seed).normal(size=(1700, 20))
    planes = np.random.default_rng(99).normal(size=(20, 8))
    return labels(x, x @ planes + 0.8 * np.abs(x[:, :8]) > 0.6, torch.float32)


@cache
def _doubtful(seed: int) -> Pair:
    """Two classes on overlapping hills, and one label in ten wrong by nature."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(1700, 8))
    y = (x[:, 0] * x[:, 1] + x[:, 2] + 0.3 * draw.normal(size=1700)) > 0
    return labels(x, np.where(draw.random(1700) < 0.1, ~y, y))


@cache
def _categories(seed: int) -> Pair:
    """Three columns of category numbers, of which many are rare, and four of measurements; the answer is yes or no."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(98)
    worth = world.normal(size=(3, 30))
    codes = np.minimum(draw.geometric(0.12, (1700, 3)) - 1, 29)
    numeric = draw.normal(size=(1700, 4))
    score = sum(worth[column, codes[:, column]] for column in range(3)) + numeric[:, 0] + numeric[:, 1] * numeric[:, 2]
    return torch.tensor(np.concatenate((codes, numeric), 1), dtype=torch.float32), torch.tensor(score > 0).float()


@cache
def _ratings(seed: int) -> Pair:
    """What a user thinks of a film: the product of hidden tastes; a few of the 60 users and 40 films never occur."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(97)
    users, films = world.normal(size=(60, 3)), world.normal(size=(40, 3))
    who, what = draw.integers(0, 56, 3400), draw.integers(0, 37, 3400)
    rating = (users[who] * films[what]).sum(1) + 0.2 * draw.normal(size=3400)
    return torch.tensor(np.stack((who, what), 1)), standardized(torch.tensor(rating, dtype=torch.float32))


# -- pictures


@cache
def _shapes(seed: int) -> Pair:
    """A ring, a square, a cross or two bars, anywhere on 12 × 12 noisy pixels."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 4, 1700)
    rows, columns = np.mgrid[:12, :12]
    pictures = []
    for label in y:
        up, left, size = draw.uniform(3.5, 7.5), draw.uniform(3.5, 7.5), draw.uniform(2.2, 3.4)
        down, right = rows - up, columns - left
        near = np.maximum(abs(down), abs(right)) <= size
        drawn = (
            abs(np.hypot(down, right) - size) < 0.7,
            near & (np.maximum(abs(down), abs(right)) > size - 1.1),
            near & (np.minimum(abs(down), abs(right)) < 0.7),
            near & (abs(abs(right) - size + 0.5) < 0.6),
        )[label]
        pictures.append(drawn + draw.normal(0, 0.25, (12, 12)))
    x = torch.tensor(np.array(pictures), dtype=torch.float32)
    return ((x - 0.2) / 0.45).unsqueeze(1), torch.tensor(y)


@cache
def _gratings(seed: int) -> Pair:
    """Stripes in one of six directions under noise."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 6, 1700)
    rows, columns = np.mgrid[:12, :12]
    angle = np.pi * y / 6 + draw.normal(0, 0.06, 1700)
    across = rows * np.sin(angle)[:, None, None] + columns * np.cos(angle)[:, None, None]
    waves = np.sin(across * draw.uniform(0.9, 1.5, (1700, 1, 1)) + draw.uniform(0, 6.3, (1700, 1, 1)))
    return torch.tensor(waves + draw.normal(0, 0.5, waves.shape), dtype=torch.float32).unsqueeze(1), torch.tensor(y)


@cache
def _dots(seed: int) -> Pair:
    """How many dots are on the picture."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 9, 1700)
    x = draw.normal(0, 0.1, (1700, 12, 12))
    for picture, count in zip(x, y, strict=True):
        picture.reshape(-1)[draw.choice(144, count, replace=False)] += 1
    return torch.tensor(x * 4, dtype=torch.float32).unsqueeze(1), standardized(torch.tensor(y).float())


def _cut(seed: int, side: int, count: int) -> tuple[Tensor, Tensor]:
    """Square patches, none over another, of scikit-learn's two photographs, and which of the two each is from."""
    patches, y = [], []
    for label, name in enumerate(("china.jpg", "flower.jpg")):
        photograph = datasets.load_sample_image(name) / 255
        height, width = (extent // side for extent in photograph.shape[:2])
        grid = photograph[: height * side, : width * side].reshape(height, side, width, side, 3)
        patches.append(grid.transpose(0, 2, 4, 1, 3).reshape(-1, 3, side, side))
        y.append(np.full(height * width, label))
    chosen = np.random.default_rng(seed).permutation(sum(map(len, y)))[:count]
    return torch.tensor(np.concatenate(patches)[chosen], dtype=torch.float32), torch.tensor(np.concatenate(y)[chosen])


@cache
def _patches(seed: int) -> Pair:
    x, y = _cut(seed, 12, 1700)
    return (x - 0.45) / 0.28, y


@cache
def _noisy_patches(seed: int) -> Pair:
    """Grey patches under noise; the targets are the patches without."""
    x = (_cut(seed, 12, 1700)[0].mean(1, keepdim=True) - 0.45) / 0.28
    return x + 0.6 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)), x


MSE, BCE = nn.MSELoss(), nn.BCEWithLogitsLoss()
IRIS = Task("iris", _iris, 4, 3, "accuracy", 0.85, sizes=(75, 30, 45))
FRIEDMAN2 = Task("friedman 2", _friedman2, 4, 1, "r2", 0.9, MSE)
FRIEDMAN3 = Task("friedman 3", _friedman3, 4, 1, "r2", 0.8, MSE)
QUANTILES = Task("quantiles", _quantiles, 5, 3, "accuracy", 0.8)
HASTIE = Task("hastie", _hastie, 10, 1, "accuracy", 0.85, BCE, (1400, 300, 700))
SWISS = Task("swiss roll", _swiss, 3, 1, "r2", 0.9, MSE)
S_CURVE = Task("s-curve", _s_curve, 3, 1, "r2", 0.9, MSE)
CIRCLES = Task("circles", _circles, 2, 1, "accuracy", 0.95, BCE)
SPIRALS = Task("spirals", _spirals, 2, 3, "accuracy", 0.9)
ARM = Task("arm", _arm, 2, 2, "r2", 0.95, MSE)
TAGS = Task("tags", _tags, 20, 8, "label_accuracy", 0.85, BCE)
DOUBTFUL = Task("doubtful", _doubtful, 8, 2, "accuracy", 0.76)
FEW = Task("doubtful, few rows", _doubtful, 8, 2, "accuracy", 0.68, sizes=(240, 200, 700))
CATEGORIES = Task("categories", _categories, 7, 1, "accuracy", 0.78, BCE)
RATINGS = Task("ratings", _ratings, 100, 1, "r2", 0.7, MSE, (2200, 400, 800), tokens=True)
SHAPES = Task("shapes", _shapes, 1, 4, "accuracy", 0.9, length=12)
GRATINGS = Task("gratings", _gratings, 1, 6, "accuracy", 0.8, length=12)
DOTS = Task("dots", _dots, 1, 1, "r2", 0.9, MSE, length=12)
PATCHES = Task("patches", _patches, 3, 2, "accuracy", 0.8, length=12)
DENOISE = Task("denoise", _noisy_patches, 1, 1, "r2", 0.8, MSE, length=12)
