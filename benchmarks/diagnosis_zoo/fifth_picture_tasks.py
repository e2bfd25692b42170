"""Pictures of the fifth part, see `Task.part`."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from diagnosis_zoo.fifth_tables import fifth
from diagnosis_zoo.tasks import MSE, Pair, standardized

DOWN, RIGHT = np.mgrid[:12, :12]


def _scaled(x: np.ndarray) -> torch.Tensor:
    """With mean 0 and deviation 1 over all pixels."""
    return torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)


@cache
def _seams(seed: int) -> Pair:
    """An X-ray of a welded seam: sound, with pores, with a crack along it, or torn at its edge."""
    draw = np.random.default_rng(seed)
    y, shape = draw.choice(4, 1700, p=(0.3, 0.25, 0.25, 0.2)), (1700, 1, 1)
    middle, lean, wide = draw.uniform(4.5, 6.5, shape), draw.normal(0, 0.12, shape), draw.uniform(2.4, 3.2, shape)
    ripple = 0.12 * np.sin(1.6 * RIGHT + draw.uniform(0, 6.3, shape))
    off = DOWN - middle - lean * (RIGHT - 5.5)
    x = np.exp(-((off / wide) ** 4)) * (1 + ripple)
    for _ in range(5):
        up, left = middle + draw.uniform(-1.8, 1.8, shape), draw.uniform(1, 10, shape)
        x -= 0.7 * (y == 1)[:, None, None] * np.exp(-((DOWN - up) ** 2 + (RIGHT - left) ** 2) / 0.5)
    start, long = draw.uniform(0, 4, shape), draw.uniform(6, 9, shape)
    along = (start < RIGHT) & (start + long > RIGHT)
    jagged = off - draw.uniform(-1, 1, shape) + 0.3 * draw.normal(size=(1700, 1, 12))
    x -= 0.75 * (y == 2)[:, None, None] * along * np.exp(-((jagged / 0.6) ** 2))
    side = np.where(draw.random(shape) < 0.5, -1, 1)
    x -= 0.9 * (y == 3)[:, None, None] * along * np.exp(-(((side * off - wide + 0.7) / 0.7) ** 2))
    x = draw.uniform(0.7, 1.3, shape) * x + 0.03 * draw.normal(size=shape) * RIGHT + draw.normal(0, 0.12, x.shape)
    wrong = draw.random(1700) < 0.02
    return _scaled(x[:, None]), torch.tensor(np.where(wrong, draw.integers(0, 4, 1700), y))


@cache
def _skies(seed: int) -> Pair:
    """A piece of the sky in three colours: clear, heaps of cloud, feathers of it, a trail of a plane, or fog."""
    draw = np.random.default_rng(seed)
    y, shape = draw.integers(0, 5, 1700), (1700, 1, 1)
    blue = 1 - 0.04 * draw.normal(1, 0.5, shape) * DOWN
    heap = np.zeros((1700, 12, 12))
    for _ in range(3):
        up, left, size = draw.uniform(1, 11, shape), draw.uniform(1, 11, shape), draw.uniform(1.5, 2.6, shape)
        heap = np.maximum(heap, 1 / (1 + np.exp(3 * (np.hypot(DOWN - up, RIGHT - left) - size))))
    angle = draw.uniform(0, np.pi, shape)
    across = (DOWN - 5.5) * np.cos(angle) + (RIGHT - 5.5) * np.sin(angle)
    fibres = np.sin(1.3 * across + 0.5 * np.sin(0.9 * RIGHT + draw.uniform(0, 6.3, shape)))
    feather = 0.6 * np.maximum(fibres, 0) * draw.uniform(0.6, 1.2, shape)
    trail = np.exp(-(((across - draw.uniform(-3, 3, shape)) / 0.8) ** 2))
    kinds = np.stack((0 * heap, heap, feather, trail, 0 * heap + draw.uniform(0.3, 0.8, shape)))
    white = kinds[y, np.arange(1700)] * draw.uniform(0.6, 1.1, shape)
    dusk = draw.beta(1.0, 3.0, (1700, 1, 1, 1)) * np.array((0.5, 0.1, -0.4))[:, None, None]
    base = np.array((0.2, 0.4, 0.9))[:, None, None] * blue[:, None] + dusk
    x = base + white[:, None] * (0.95 - base) + draw.normal(0, 0.22, (1700, 3, 12, 12))
    wrong = draw.random(1700) < 0.03
    return _scaled(x), torch.tensor(np.where(wrong, draw.integers(0, 5, 1700), y))


@cache
def _foam(seed: int) -> Pair:
    """Foam: how large its bubbles are, whatever the light and however many of them have burst."""
    draw = np.random.default_rng(seed)
    size, shape = draw.uniform(0.9, 3.2, 1600), (1600, 1, 1)
    x = np.zeros((1600, 12, 12))
    for _ in range(7):
        up, left = draw.uniform(-1, 12, (2, *shape))
        radius = size[:, None, None] * draw.lognormal(0, 0.06, shape)
        rim = np.exp(-(((np.hypot(DOWN - up, RIGHT - left) - radius) / 0.6) ** 2))
        x = np.maximum(x, rim * (draw.random(shape) < 0.9))
    x = x * draw.uniform(0.75, 1.25, shape) + draw.normal(0, 0.08, x.shape) + 0.1 * draw.normal(size=shape)
    y = torch.tensor(size + draw.normal(0, 0.08, 1600), dtype=torch.float32)
    return _scaled(x[:, None]), standardized(y)


SEAMS = fifth("seams", _seams, 1, 4, "accuracy", 0.8, sizes=(950, 250, 500), length=12)
SKIES = fifth("skies", _skies, 3, 5, "accuracy", 0.81, sizes=(900, 250, 500), length=12)
FOAM = fifth("foam", _foam, 1, 1, "r2", 0.67, MSE, (950, 250, 400), 12)
