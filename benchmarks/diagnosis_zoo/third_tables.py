"""Tables and pictures of the third part, see `Task.part`.

Written after the first two parts had been looked at, by someone who saw none of the rules. Themes as they come to a
practitioner: energy, credit, machines, patients. Many hold chance that nothing can learn away; columns have heavy
tails, go together, or are numbers of categories; some sets are small, some wide, one is a straight line.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, labels, numbers, standardized

third = partial(Task, part=3)


# -- tables


def _chained(draw: np.random.Generator, rows: int, width: int, share: float = 0.6) -> np.ndarray:
    """Normal columns of which each goes with the one before it."""
    z = draw.normal(size=(rows, width))
    for column in range(1, width):
        z[:, column] = share * z[:, column - 1] + np.sqrt(1 - share**2) * z[:, column]
    return z


@cache
def _buildings(seed: int) -> Pair:
    """What it takes to heat and to cool a building: by size, walls, glass, the way it faces, people and the weather."""
    draw = np.random.default_rng(seed)
    size, walls, glass, people = draw.uniform(0.5, 2, (4, 1900))
    facing, warm, wind, age = draw.uniform(0, 2 * np.pi, 1900), *draw.normal(size=(3, 1900))
    sun = glass * (1 + np.cos(facing)) * (1 + 0.3 * warm)
    heat = np.maximum(size * walls * (1.2 - 0.7 * warm) * (1 + 0.2 * age) + 0.3 * wind - 0.4 * sun, 0)
    cool = np.maximum(0.8 * sun + 0.5 * people * size + 0.7 * warm - 0.5, 0)
    x = np.stack((size, walls, glass, people, np.cos(facing), np.sin(facing), warm, wind, age), 1)
    return numbers(x, np.stack((heat, cool), 1) + draw.normal(0, 0.35, (1900, 2)))


@cache
def _credit(seed: int) -> Pair:
    """Who does not pay back, three in ten: incomes and debts with heavy tails, counts, yes and no; and bad luck."""
    draw = np.random.default_rng(seed)
    z = _chained(draw, 2100, 6)
    late, job = draw.poisson(np.exp(0.5 * z[:, 1] - 0.5)), draw.random((2100, 3)) < (0.5, 0.3, 0.2)
    score = 0.9 * late + 1.2 * z[:, 0] - 1.4 * z[:, 3] + np.where(job[:, 0], 0.9, -0.6) * z[:, 4]
    score += 0.8 * job[:, 1] + draw.logistic(0, 0.9, 2100)
    money = np.sign(z) * np.expm1(0.8 * abs(z))
    return labels(np.column_stack((money, late, job)), score > np.quantile(score, 0.7), torch.float32)


@cache
def _coffee(seed: int) -> Pair:
    """How a coffee is marked: plain, good or choice (50 : 30 : 20), by ten skewed measurements and a taster's mood."""
    draw = np.random.default_rng(seed)
    z = _chained(draw, 2300, 10, 0.4)
    score = 1.4 * z[:, 0] - (z[:, 2] - 0.4) ** 2 + 1.1 * np.tanh(2 * z[:, 4]) + z[:, 6] * (z[:, 7] > 0)
    score += 0.45 * draw.normal(size=2300)
    return labels(draw.gamma(2.0, np.exp(0.05 * z)) * 0.02 + np.exp(0.5 * z),
                  np.digitize(score, np.quantile(score, (0.5, 0.8))))  # fmt: skip


@cache
def _assay(seed: int) -> Pair:
    """Ninety readings of which twelve say whether a probe reacts; few rows for so many columns."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(301)
    hidden = draw.normal(size=(1500, 10))
    x = hidden @ world.normal(0, 0.5, (10, 90)) + draw.normal(size=(1500, 90))
    score = x[:, :12] @ world.choice((-1.0, 1.0), 12) + 1.5 * np.abs(x[:, 0]) + draw.normal(0, 1.2, 1500)
    return labels(x, score > np.median(score))


@cache
def _alarms(seed: int) -> Pair:
    """Which of five alarms a machine gives, by sixteen sensors; they go together, and one in twenty is false."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(302)
    x = _chained(draw, 2200, 16, 0.5)
    load = np.maximum(x @ world.normal(0, 0.5, (16, 8)), 0)
    level = load @ world.normal(0, 1, (8, 5)) + 0.5 * x[:, :5]
    given = level > np.quantile(level, (0.5, 0.6, 0.6, 0.7, 0.7), axis=0).diagonal()
    return labels(x, given ^ (draw.random((2200, 5)) < 0.05), torch.float32)


@cache
def _rents(seed: int) -> Pair:
    """A rent that is a straight line in eleven columns, and errors with heavy tails."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(303)
    x = _chained(draw, 1900, 11, 0.3)
    x[:, 8:] = x[:, 8:] > 0
    return numbers(x, x @ world.uniform(-1, 1, 11) + 0.6 * draw.standard_t(4, 1900))


@cache
def _dunes(seed: int) -> Pair:
    """The height of a ground of dunes: waves over hills, five features of which one says nothing."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(-2, 2, (2200, 5))
    y = np.sin(2 * x[:, 0] + x[:, 1]) + 0.5 * x[:, 2] * np.cos(x[:, 1]) + np.exp(-(x[:, 3] ** 2))
    return numbers(x, y + draw.normal(0, 0.12, 2200))


@cache
def _trial(seed: int) -> Pair:
    """Three hundred patients, eleven columns with outliers: does the drug help?"""
    draw = np.random.default_rng(seed)
    z = _chained(draw, 1300, 11, 0.5)
    score = 1.5 * z[:, 0] - 1.3 * z[:, 3] + 1.2 * np.where(z[:, 6] > 0, z[:, 7], -0.5) + draw.logistic(0, 0.6, 1300)
    return labels(z + (draw.random(z.shape) < 0.03) * draw.normal(0, 3, z.shape), score > np.quantile(score, 0.45))


@cache
def _wear(seed: int) -> Pair:
    """How far a tool is worn: nine columns, three hundred rows, a third of it chance."""
    draw = np.random.default_rng(seed)
    z = _chained(draw, 1200, 9, 0.5)
    y = np.maximum(z[:, 0] + z[:, 2], 0) * 1.6 + z[:, 4] + 0.6 * z[:, 5] * z[:, 6] + 0.9 * draw.normal(size=1200)
    return numbers(np.sinh(0.8 * z), y)


@cache
def _wafers(seed: int) -> Pair:
    """Where on the round wafer a defect lies, and how large it is: core, inner or outer ring, a streak or an edge."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 5, 2400)
    radius = np.array((0.15, 0.5, 0.75, 0.5, 0.97))[y] + draw.normal(0, 0.06, 2400)
    angle = np.where(y == 3, 0.8 + draw.normal(0, 0.25, 2400) + 2 * radius, draw.uniform(0, 2 * np.pi, 2400))
    radius = np.where(y == 3, draw.uniform(0.2, 0.95, 2400), radius)
    size = np.exp(0.4 * draw.normal(size=2400) + 0.3 * (y == 3))
    return labels(np.stack((radius * np.cos(angle), radius * np.sin(angle), size), 1), y)


@cache
def _gauges(seed: int) -> Pair:
    """Twenty gauges that three causes move, a fifth of them without a reading; the targets are all of them, clean."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(304)
    causes = draw.normal(size=(2000, 3))
    clean = np.concatenate((causes, causes**2 - 1, np.sin(2 * causes)), 1) @ world.normal(0, 0.5, (9, 20))
    x = clean + draw.normal(0, 0.2, clean.shape)
    return numbers(np.where(draw.random(x.shape) < 0.2, 0, x), clean)


@cache
def _delivery(seed: int) -> Pair:
    """How long a delivery takes: numbers of a carrier, a district and a shop, of which many are rare, and four more."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(305)
    shares = np.arange(1, 31) ** -0.9
    codes = draw.choice(30, (2600, 3), p=shares / shares.sum())
    carrier, district, shop = world.normal(size=(3, 30))
    measured = draw.normal(size=(2600, 4))
    time = carrier[codes[:, 0]] * (1 + 0.5 * district[codes[:, 1]]) + shop[codes[:, 2]] + 0.8 * measured[:, 0]
    time += 0.6 * np.maximum(measured[:, 1], measured[:, 2]) + 0.5 * draw.normal(size=2600)
    return torch.tensor(np.concatenate((codes, measured), 1), dtype=torch.float32), standardized(
        torch.tensor(time, dtype=torch.float32)
    )


@cache
def _duels(seed: int) -> Pair:
    """Two players of seven marks each: does the first one win? Luck decides one game in eight."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(306)
    x = draw.normal(size=(2300, 2, 7))
    strength = x @ world.uniform(-1, 1, 7) + np.maximum(x[..., 0] + x[..., 1], 0) - 0.5 * x[..., 2] ** 2
    margin = strength[:, 0] - strength[:, 1] + draw.logistic(0, 0.7, 2300)
    return labels(x.reshape(2300, 14), margin > 0, torch.float32)


# -- pictures

ROWS, COLUMNS = np.mgrid[:12, :12]


def _pictures(x: np.ndarray, y: np.ndarray, kind: torch.dtype) -> Pair:
    x = torch.tensor(x, dtype=torch.float32)
    return (x - x.mean()) / x.std(), torch.tensor(y).to(kind)


#: bars of a meter's digit: top, upper left, upper right, middle, lower left, lower right, bottom
SEGMENTS = ("1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010")


@cache
def _meters(seed: int) -> Pair:
    """A digit from 0 to 7 on a meter of seven bars, a little out of place, some bars dim, under noise."""
    draw = np.random.default_rng(seed)
    y, x = draw.integers(0, 8, 1900), draw.normal(0, 0.3, (1900, 1, 12, 12))
    bars = ((0, 0, 1, 5), (0, 0, 5, 1), (0, 4, 5, 1), (4, 0, 1, 5), (4, 0, 5, 1), (4, 4, 5, 1), (8, 0, 1, 5))
    for picture, label in zip(x[:, 0], y, strict=True):
        up, left = draw.integers(0, 4), draw.integers(1, 6)
        for bar, lit in zip(bars, SEGMENTS[label], strict=True):
            if lit == "1":
                top, side = up + bar[0], left + bar[1]
                picture[top : top + bar[2], side : side + bar[3]] += draw.uniform(0.5, 1.2)
    return _pictures(x, y, torch.long)


@cache
def _leaves(seed: int) -> Pair:
    """A green leaf in colours: sound, with brown spots, with yellow veins, or pale at the rim."""
    draw = np.random.default_rng(seed)
    y, x = draw.integers(0, 4, 1700), draw.normal(0, 0.5, (1700, 3, 12, 12))
    x += np.array((0.2, 0.7, 0.2))[:, None, None] * draw.uniform(0.7, 1.3, (1700, 1, 1, 1))
    for picture, label in zip(x, y, strict=True):
        if label == 1:
            for place in draw.uniform(1, 10, (3, 2)):
                spot = np.exp(-((ROWS - place[0]) ** 2 + (COLUMNS - place[1]) ** 2) / 2)
                picture += np.array((0.5, -0.6, 0.0))[:, None, None] * spot
        elif label == 2:
            slope, phase = draw.uniform(-1, 1), draw.uniform(0, 6.3)
            vein = np.cos(1.5 * (COLUMNS + slope * ROWS) + phase) > 0.6
            picture += np.array((0.5, 0.3, -0.1))[:, None, None] * vein
        elif label == 3:
            rim = np.hypot(ROWS - 5.5, COLUMNS - 5.5) > draw.uniform(4.5, 5.5)
            picture += np.array((0.3, 0.1, 0.3))[:, None, None] * rim
    return _pictures(x, y, torch.long)


@cache
def _needles(seed: int) -> Pair:
    """A needle anywhere on the picture: the direction in which it lies, as cosine and sine of twice the angle."""
    draw = np.random.default_rng(seed)
    angle, place = draw.uniform(0, np.pi, (1700, 1, 1)), draw.uniform(4, 7, (2, 1700, 1, 1))
    down, right = ROWS - place[0], COLUMNS - place[1]
    along, across = right * np.cos(angle) + down * np.sin(angle), down * np.cos(angle) - right * np.sin(angle)
    x = np.exp(-((along / 3.2) ** 2) - (across / 1.1) ** 2) + draw.normal(0, 0.2, (1700, 12, 12))
    inputs, _ = _pictures(x[:, None], angle, torch.float32)
    turned = np.concatenate((np.cos(2 * angle), np.sin(2 * angle)), 1)[..., 0]
    return inputs, standardized(torch.tensor(turned, dtype=torch.float32))


BUILDINGS = third("buildings", _buildings, 9, 2, "r2", 0.85, MSE, (1200, 250, 450))
CREDIT = third("credit", _credit, 10, 1, "accuracy", 0.76, BCE, (1100, 350, 650))
COFFEE = third("coffee", _coffee, 10, 3, "accuracy", 0.77, sizes=(1300, 300, 700))
ASSAY = third("assay", _assay, 90, 2, "accuracy", 0.78, sizes=(600, 300, 600))
ALARMS = third("alarms", _alarms, 16, 5, "label_accuracy", 0.82, BCE, (1300, 300, 600))
RENTS = third("rents", _rents, 11, 1, "r2", 0.62, MSE, (1000, 300, 600))
DUNES = third("dunes", _dunes, 5, 1, "r2", 0.92, MSE, (1300, 300, 600))
TRIAL = third("trial", _trial, 11, 2, "accuracy", 0.74, sizes=(300, 300, 700))
WEAR = third("wear", _wear, 9, 1, "r2", 0.6, MSE, (300, 300, 600))
WAFERS = third("wafers", _wafers, 3, 5, "accuracy", 0.8, sizes=(1400, 300, 700))
GAUGES = third("gauges", _gauges, 20, 20, "r2", 0.86, MSE, (1200, 300, 500))
DELIVERY = third("delivery", _delivery, 7, 1, "r2", 0.66, MSE, (1700, 300, 600))
DUELS = third("duels", _duels, 14, 1, "accuracy", 0.8, BCE, (1300, 300, 700))
METERS = third("meters", _meters, 1, 8, "accuracy", 0.84, sizes=(1050, 300, 550), length=12)
LEAVES = third("leaves", _leaves, 3, 4, "accuracy", 0.78, sizes=(950, 300, 450), length=12)
NEEDLES = third("needles", _needles, 1, 2, "r2", 0.85, MSE, (950, 300, 450), 12)
