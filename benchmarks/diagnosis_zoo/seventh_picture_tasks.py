"""Pictures of the seventh part, see `Task.part`."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from diagnosis_zoo.seventh_tables import seventh
from diagnosis_zoo.tasks import MSE, Pair, standardized

DOWN, RIGHT = np.mgrid[:12, :12]


def _level(x: np.ndarray) -> torch.Tensor:
    """With mean 0 and deviation 1 over all pixels."""
    return torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)


@cache
def _kernels(seed: int) -> Pair:
    """A grain on a grey belt, in any direction: round, long, long with a crease, broken across, or two that touch."""
    draw = np.random.default_rng(seed)
    y, shape = draw.choice(5, 1800, p=(0.25, 0.2, 0.2, 0.2, 0.15)), (1800, 1, 1)
    up, left = DOWN - draw.uniform(4.5, 6.5, shape), RIGHT - draw.uniform(4.5, 6.5, shape)
    turn = draw.uniform(0, np.pi, shape)
    along, across = up * np.sin(turn) + left * np.cos(turn), up * np.cos(turn) - left * np.sin(turn)
    big = draw.uniform(0.85, 1.15, shape)

    def grain(middle: np.ndarray | float, long: float, wide: float) -> np.ndarray:
        far = np.hypot((along - middle) / (long * big), across / (wide * big))
        return 1 / (1 + np.exp(5 * (far - 1)))

    crease = grain(0, 4.6, 2.4) * (1 - 0.85 * np.exp(-((across / 0.7) ** 2)))
    broken = grain(0, 4.6, 2.2) * (along + 0.5 * np.sin(2 * across) < draw.uniform(-0.8, 0.8, shape))
    pair = np.maximum(grain(-2.6, 2.3, 2.2), grain(2.6, 2.3, 2.2))
    x = np.stack((grain(0, 3.2, 2.9), grain(0, 4.6, 2.2), crease, broken, pair))[y, np.arange(1800)]
    x = x * draw.uniform(0.6, 1.2, shape) * (1 + 0.25 * draw.normal(size=shape) * across / 6)
    x += 0.08 * draw.normal(size=shape) + 0.02 * draw.normal(size=shape) * RIGHT + draw.normal(0, 0.17, x.shape)
    wrong = draw.random(1800) < 0.03
    return _level(x[:, None]), torch.tensor(np.where(wrong, draw.integers(0, 5, 1800), y))


@cache
def _reefs(seed: int) -> Pair:
    """The bottom of a sea through more or less of blue water: sand in ripples, boulders, branching or brain coral."""
    draw = np.random.default_rng(seed)
    y, shape = draw.choice(4, 1700, p=(0.3, 0.25, 0.25, 0.2)), (1700, 1, 1)
    turn, phase = draw.uniform(0, np.pi, shape), draw.uniform(0, 6.3, shape)
    across = DOWN * np.sin(turn) + RIGHT * np.cos(turn)
    sand = 0.5 * np.sin(1.3 * across + phase + 0.5 * np.sin(0.5 * DOWN + phase))
    stones = np.zeros((1700, 12, 12))
    for _ in range(5):
        far = np.hypot(DOWN - draw.uniform(0, 11, shape), RIGHT - draw.uniform(0, 11, shape))
        stones = np.maximum(stones, 1.4 - (far / draw.uniform(1.6, 2.6, shape)) ** 2)
    twigs = np.zeros((1700, 12, 12))
    for _ in range(7):
        lean, up, left = draw.uniform(0, np.pi, shape), draw.uniform(0, 11, shape), draw.uniform(0, 11, shape)
        off = (DOWN - up) * np.cos(lean) - (RIGHT - left) * np.sin(lean)
        reach = (DOWN - up) * np.sin(lean) + (RIGHT - left) * np.cos(lean)
        twigs = np.maximum(twigs, np.exp(-((off / 0.6) ** 2) - (reach / 3) ** 4))
    bent = across + 1.6 * np.sin(0.8 * DOWN + phase) + 1.4 * np.cos(0.9 * RIGHT - 2 * phase)
    brain = 0.7 * np.abs(np.sin(0.9 * bent))
    ground = np.stack((sand, stones - 0.5, 1.3 * twigs - 0.4, 1.5 * brain - 0.6))[y, np.arange(1700)]
    tints = np.array(((0.8, 0.7, 0.4), (0.5, 0.5, 0.5), (0.9, 0.6, 0.5), (0.7, 0.7, 0.4)))[y]
    tints += draw.normal(0, 0.2, (1700, 3))
    x = tints[..., None, None] * (0.7 + 0.6 * ground[:, None])
    deep = np.exp(-draw.exponential(0.5, (1700, 1)) * (1.4, 0.6, 0.2))[..., None, None]
    x = x * deep + (1 - deep) * np.array((0.1, 0.35, 0.6))[:, None, None] + draw.normal(0, 0.13, x.shape)
    wrong = draw.random(1700) < 0.03
    return _level(x), torch.tensor(np.where(wrong, draw.integers(0, 4, 1700), y))


@cache
def _vanes(seed: int) -> Pair:
    """Where a weather vane points, as cosine and sine: the arrow's head is thicker than its tail; posts, rain, dusk."""
    draw = np.random.default_rng(seed)
    shape = (1800, 1, 1)
    turn = draw.uniform(0, 2 * np.pi, 1800)
    up, left = DOWN - draw.uniform(5.0, 6.0, shape), RIGHT - draw.uniform(5.0, 6.0, shape)
    cos, sin = np.cos(turn)[:, None, None], np.sin(turn)[:, None, None]
    along, across = left * cos + up * sin, up * cos - left * sin
    wide = np.where(along > 1.5, np.maximum(0.4, 0.75 * (4.6 - along)), 0.6)
    x = 1.1 * np.exp(-((across / wide) ** 4)) * (along > -4.2) * (along < 4.8)
    post = draw.uniform(3, 8, shape)
    x = np.maximum(x, 0.8 * (DOWN > 6) * (np.abs(RIGHT - post) < 0.7) * (draw.random(shape) < 0.7))
    for _ in range(3):
        drop = (DOWN - draw.uniform(0, 11, shape)) ** 2 + (RIGHT - draw.uniform(0, 11, shape)) ** 2
        x += draw.uniform(-0.7, 0.7, shape) * np.exp(-drop / 1.2)
    x = x * draw.uniform(0.6, 1.2, shape) + 0.04 * draw.normal(size=shape) * DOWN + draw.normal(0, 0.25, x.shape)
    seen = turn + draw.normal(0, 0.15, 1800)
    y = np.stack((np.cos(seen), np.sin(seen)), 1) + 0.1 * draw.normal(size=(1800, 2))
    return _level(x[:, None]), standardized(torch.tensor(y, dtype=torch.float32))


@cache
def _charts(seed: int) -> Pair:
    """An old sea chart with spots, a fold and grain; the targets are the coast and the depths as they were drawn."""
    draw = np.random.default_rng(seed)
    shape = (1400, 1, 1)
    land = np.zeros((1400, 12, 12))
    for _ in range(3):
        up, left = draw.uniform(-0.7, 0.7, (2, *shape))
        land += np.sin(up * DOWN + left * RIGHT + draw.uniform(0, 6.3, shape))
    land += draw.normal(0, 0.7, shape)
    coast = np.exp(-((land / 0.35) ** 2))
    clean = np.where(land > 0, 0.9, 0.3 + 0.25 * np.cos(5 * np.minimum(land, 0))) - 0.9 * coast
    clean = (clean - clean.mean()) / clean.std()
    x = clean + 0.55 * draw.normal(size=clean.shape)
    for _ in range(2):
        spot = (DOWN - draw.uniform(0, 11, shape)) ** 2 + (RIGHT - draw.uniform(0, 11, shape)) ** 2
        x -= 1.5 * np.exp(-spot / draw.uniform(0.5, 2.0, shape))
    x += 1.2 * (np.abs(RIGHT - draw.uniform(0, 11, shape)) < 0.6)
    return _level(x[:, None]), torch.tensor(clean[:, None], dtype=torch.float32)


KERNELS = seventh("kernels", _kernels, 1, 5, "accuracy", 0.86, sizes=(1000, 250, 550), length=12)
REEFS = seventh("reefs", _reefs, 3, 4, "accuracy", 0.8, sizes=(950, 250, 500), length=12)
VANES = seventh("vanes", _vanes, 1, 2, "r2", 0.66, MSE, (1000, 250, 500), 12)
CHARTS = seventh("charts", _charts, 1, 1, "r2", 0.74, MSE, (800, 200, 400), 12)
