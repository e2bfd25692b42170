"""Pictures of the sixth part, see `Task.part`."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from diagnosis_zoo.sixth_tables import sixth
from diagnosis_zoo.tasks import MSE, Pair, standardized

DOWN, RIGHT = np.mgrid[:12, :12]


def _even(x: np.ndarray) -> torch.Tensor:
    """With mean 0 and deviation 1 over all pixels."""
    return torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)


@cache
def _prints(seed: int) -> Pair:
    """A piece of a fingerprint: ridges that arch, loop to one side, whorl around a middle, or meet at a point."""
    draw = np.random.default_rng(seed)
    y, shape = draw.choice(4, 1700, p=(0.3, 0.3, 0.2, 0.2)), (1700, 1, 1)
    up, left = DOWN - draw.uniform(4.5, 6.5, shape), RIGHT - draw.uniform(4.5, 6.5, shape)
    bent = draw.uniform(0.8, 1.2, shape)
    arch = up + 4 * bent * (1 - np.exp(-(left**2) / 12))
    loop = np.where(left > 0, np.abs(up), np.hypot(up, left))
    whorl = np.hypot(up * bent, left)
    turn = np.arctan2(up, left) + draw.normal(0, 0.3, shape)
    point = np.hypot(up, left) * (0.55 + 0.45 * np.cos(3 * turn))
    ridge = np.stack((arch, loop, whorl, point))[y, np.arange(1700)]
    x = np.sin(draw.uniform(1.7, 2.1, shape) * ridge + draw.uniform(0, 6.3, shape))
    smudge = np.exp(-((DOWN - draw.uniform(0, 11, shape)) ** 2 + (RIGHT - draw.uniform(0, 11, shape)) ** 2) / 5)
    x = x * (1 - 0.8 * smudge) + 0.5 * smudge + draw.normal(0, 0.6, x.shape)
    wrong = draw.random(1700) < 0.03
    return _even(x[:, None]), torch.tensor(np.where(wrong, draw.integers(0, 4, 1700), y))


@cache
def _flags(seed: int) -> Pair:
    """A flag in two or three colours: bands across, bands down, a cross, a disc or a saltire, faded and in the wind."""
    draw = np.random.default_rng(seed)
    y, shape = draw.integers(0, 5, 1700), (1700, 1, 1)
    wave = draw.uniform(0, 0.8, shape) * np.sin(0.6 * RIGHT + draw.uniform(0, 6.3, shape))
    up, left = DOWN - 5.5 + wave - draw.normal(0, 0.5, shape), RIGHT - 5.5 - draw.normal(0, 0.5, shape)
    wide = draw.uniform(1.3, 2.0, shape)
    cross = np.minimum(np.abs(up), np.abs(left)) < wide
    disc = np.hypot(up, left) < 1.9 * wide
    saltire = np.minimum(np.abs(up - left), np.abs(up + left)) < 1.3 * wide
    inside = np.stack((np.abs(up) < wide, np.abs(left) < wide, cross, disc, saltire))[y, np.arange(1700)]
    ground = draw.uniform(0, 1, (1700, 3))
    figure = (ground + draw.uniform(0.35, 0.65, (1700, 3))) % 1.0
    x = np.where(inside[:, None], figure[..., None, None], ground[..., None, None])
    x = x * draw.uniform(0.6, 1.0, (1700, 1, 1, 1)) + draw.normal(0, 0.16, x.shape)
    wrong = draw.random(1700) < 0.03
    return _even(x), torch.tensor(np.where(wrong, draw.integers(0, 5, 1700), y))


@cache
def _rust(seed: int) -> Pair:
    """A sheet of iron: how much of it has rusted, whatever the light; drops of water shine and are no rust."""
    draw = np.random.default_rng(seed)
    shape, much = (1600, 1, 1), draw.beta(1.2, 1.2, 1600)
    field = np.zeros((1600, 12, 12))
    for _ in range(4):
        up, left = draw.uniform(0, 0.9, (2, *shape))
        field += np.cos(up * DOWN + left * RIGHT * draw.choice((-1, 1), shape) + draw.uniform(0, 6.3, shape))
    edge = np.quantile(field.reshape(1600, -1), 1 - 0.9 * much, axis=1).diagonal()
    rust = 1 / (1 + np.exp(-4 * (field - edge[:, None, None])))
    x = 0.9 * rust * draw.uniform(0.85, 1.15, shape) + rust * draw.normal(0, 0.25, rust.shape)
    for _ in range(2):
        up, left = draw.uniform(0, 11, (2, *shape))
        x -= 1.2 * np.exp(-((DOWN - up) ** 2 + (RIGHT - left) ** 2) / 0.8)
    x += 0.1 * draw.normal(size=shape) + 0.03 * draw.normal(size=shape) * DOWN + draw.normal(0, 0.2, x.shape)
    y = torch.tensor(rust.mean((1, 2)) + draw.normal(0, 0.04, 1600), dtype=torch.float32)
    return _even(x[:, None]), standardized(y)


PRINTS = sixth("prints", _prints, 1, 4, "accuracy", 0.9, sizes=(950, 250, 500), length=12)
FLAGS = sixth("flags", _flags, 3, 5, "accuracy", 0.9, sizes=(950, 250, 500), length=12)
RUST = sixth("rust", _rust, 1, 1, "r2", 0.75, MSE, (900, 250, 450), 12)
