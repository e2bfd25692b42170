"""Tables of the sixth part, see `Task.part`.

Written after the first five parts had been looked at, by someone who saw none of the rules. Themes as they come to a
practitioner: shards of glass, icy roads, kilns, yachts, auctions, pipes. Labels are now and then wrong, columns have
heavy tails, go together, hold zeros where nothing was measured, or are numbers of categories; two sets are small.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, labels, numbers, standardized

sixth = partial(Task, part=6)


def _kindred(draw: np.random.Generator, rows: int, width: int, near: float = 0.6) -> np.ndarray:
    """Columns of deviation 1 in a chain, each going with the one before it."""
    z = draw.normal(size=(rows, width))
    for column in range(1, width):
        z[:, column] = near * z[:, column - 1] + np.sqrt(1 - near**2) * z[:, column]
    return z


def _swapped(draw: np.random.Generator, y: np.ndarray, classes: int, share: float) -> np.ndarray:
    """Class numbers of which so many are the next class's."""
    return np.where(draw.random(len(y)) < share, (y + 1) % classes, y)


@cache
def _shards(seed: int) -> Pair:
    """Five kinds of glass, each of two recipes, by nine oxides; two of the oxides are often too few to be measured."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(601)
    y, recipe = draw.choice(5, 1800, p=(0.3, 0.25, 0.2, 0.15, 0.1)), draw.integers(0, 2, 1800)
    middle = world.normal(0, 1.3, (5, 2, 9))
    melt = _kindred(draw, 1800, 9, 0.5) * world.uniform(0.5, 1.1, 9)
    z = middle[y, recipe] + melt + 0.25 * draw.standard_t(3, (1800, 9))
    x = np.exp(0.4 * z)
    x[:, 7:] = np.where(z[:, 7:] < -0.3, 0, x[:, 7:])
    return labels(x, _swapped(draw, y, 5, 0.03))


@cache
def _ice(seed: int) -> Pair:
    """Does a road freeze tonight: warmth now, dew, cloud, wind, salt from yesterday, traffic, height, forest."""
    draw = np.random.default_rng(seed)
    warm, dew, wet = _kindred(draw, 2000, 3, 0.5).T
    cloud, salt = draw.beta(0.7, 0.7, 2000), draw.exponential(0.6, 2000) * (draw.random(2000) < 0.5)
    wind, cars = draw.weibull(1.8, 2000), draw.lognormal(0, 0.7, 2000)
    height, forest = draw.normal(size=2000), draw.random(2000) < 0.35
    fall = 1.4 * (1 - cloud) * np.exp(-0.7 * wind) + 0.5 * height
    ground = warm - fall + 0.4 * forest * (1 - cloud) + 0.15 * np.log(cars) + 0.5 * salt
    water = wet + 0.6 * np.maximum(dew - warm, 0)
    score = np.minimum(-1.6 * ground, 1.6 * water + 1.2) + draw.logistic(0, 0.12, 2000)
    x = np.column_stack((warm, dew, wet, cloud, salt, wind, cars, height, forest))
    return labels(x, (score > np.quantile(score, 0.6)) ^ (draw.random(2000) < 0.04), torch.float32)


@cache
def _kilns(seed: int) -> Pair:
    """A pot's shrinking, gloss and pores: the peak of the fire, how long it was held, clay, quartz, glaze, draught."""
    draw = np.random.default_rng(seed)
    peak, held, clay, quartz, glaze, draught = draw.normal(size=(6, 1600))
    batch = 0.7 * clay - 0.7 * quartz + 0.4 * draw.normal(size=1600)
    work = peak + 0.45 * held
    sinter = 1 / (1 + np.exp(-1.5 * (work - 0.4 * quartz)))
    shrink = sinter * (1 + 0.35 * clay) + 0.1 * batch
    gloss = np.exp(-0.5 * (work - 0.5 * glaze) ** 2) - 0.15 * np.maximum(draught, 0)
    pores = (1 - sinter) * (1.2 + 0.4 * np.tanh(quartz)) + 0.25 * np.maximum(work - 1.2, 0) ** 2 * (clay > -0.5)
    y = standardized(torch.tensor(np.stack((shrink, gloss, pores), 1), dtype=torch.float32)).numpy()
    y = y + 0.28 * draw.standard_t(5, y.shape)
    return numbers(np.column_stack((peak, held, clay, quartz, glaze, draught, batch)), y)


@cache
def _yachts(seed: int) -> Pair:
    """How fast a yacht goes: the wind and its angle, waves, length, weight, how much sail is set and how it heels."""
    draw = np.random.default_rng(seed)
    wind, angle = draw.gamma(4.0, 2.0, 1500), draw.uniform(0.5, np.pi, 1500)
    waves, length = 0.12 * wind * draw.lognormal(0, 0.4, 1500), draw.uniform(6, 16, 1500)
    weight, sail = length**2 * draw.lognormal(0, 0.2, 1500), draw.uniform(0.3, 1.0, 1500)
    polar = np.sin(angle) ** 0.7 + 0.35 * np.exp(-(((angle - 2.2) / 0.4) ** 2))
    push = sail * wind * polar
    heel = np.tanh(0.12 * sail * wind * np.sin(angle))
    hull = 2.4 * np.sqrt(length)
    speed = hull * np.tanh(1.1 * push / hull) * (1 - 0.3 * np.maximum(heel - 0.6, 0) / 0.4)
    speed -= 0.35 * waves * (np.cos(angle) > -0.2) + 0.8 * np.log(weight / length**2)
    x = np.column_stack((wind, np.cos(angle), np.sin(angle), waves, length, np.log(weight), sail, heel))
    return numbers(x, speed + 0.5 * draw.standard_t(5, 1500))


@cache
def _pests(seed: int) -> Pair:
    """Which of six pests a greenhouse has, by twelve readings: each comes when it is damp, still or dark enough for it.

    A pest needs two things at once, and a third drives it away.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(602)
    z = _kindred(draw, 1850, 12, 0.45)
    needs, fears = world.integers(0, 12, (2, 6)), world.integers(0, 12, 6)
    needs[1] = (needs[0] + world.integers(2, 6, 6)) % 12
    score = np.minimum(z[:, needs[0]], z[:, needs[1]] + 0.5) - 0.5 * np.maximum(z[:, fears], 0)
    score += 0.18 * draw.normal(size=score.shape)
    found = score > np.quantile(score, 0.6, axis=0)
    x = np.where(np.arange(12) % 4 == 1, np.sinh(0.9 * z), z)
    return labels(x, found ^ (draw.random(found.shape) < 0.04), torch.float32)


@cache
def _donors(seed: int) -> Pair:
    """Three hundred pairs of donor and patient, eleven columns: does the graft hold?"""
    draw = np.random.default_rng(seed)
    z = _kindred(draw, 1300, 7, 0.4)
    match, hours, boxes = draw.integers(0, 7, 1300), draw.gamma(3.0, 1.0, 1300), draw.random((1300, 2)) < 0.5
    score = 0.8 * (match - 3) - 0.55 * hours - 0.9 * np.maximum(z[:, 0], 0) + 0.8 * z[:, 2] + 0.5 * z[:, 3]
    score += 0.9 * (boxes[:, 0] == boxes[:, 1]) + draw.logistic(0, 0.45, 1300)
    holds = (score > np.quantile(score, 0.45)) ^ (draw.random(1300) < 0.04)
    return labels(np.column_stack((match, hours, boxes, z)), holds)


@cache
def _glaciers(seed: int) -> Pair:
    """How much ice a glacier loses in a year: three hundred of them, nine columns, a third of it chance."""
    draw = np.random.default_rng(seed)
    z = _kindred(draw, 1200, 5, 0.5)
    debris, snow = draw.gamma(1.0, 0.7, 1200), draw.lognormal(0, 0.4, 1200)
    north, lake = np.cos(draw.uniform(0, 2 * np.pi, 1200)), draw.random(1200) < 0.25
    y = 1.0 * np.logaddexp(0, 1.2 * z[:, 0]) * np.exp(-0.4 * debris) - 0.9 * np.log(snow) - 0.4 * north
    y += 0.8 * lake + 0.45 * z[:, 2] - 0.5 * z[:, 4] + 0.55 * draw.normal(size=1200)
    return numbers(np.column_stack((debris, snow, north, lake, z)), y)


@cache
def _auctions(seed: int) -> Pair:
    """What a lot fetches: numbers of a painter, a school and a house, of which many are rare, and four measurements.

    The painter says most; how large the picture is counts by the school, and houses add what they always add.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(603)
    codes = np.minimum(draw.gamma(1.1, 6.0, (2300, 3)), 27).astype(int)
    painter, school, house = world.standard_t(6, (3, 30))
    measured = draw.normal(size=(2300, 4))
    y = 1.1 * painter[codes[:, 0]] + 0.7 * np.tanh(school[codes[:, 1]]) * measured[:, 0] + 0.5 * house[codes[:, 2]]
    y += 0.7 * measured[:, 1] - 0.4 * measured[:, 2] ** 2 + 0.35 * draw.standard_t(4, 2300)
    x = torch.tensor(np.concatenate((codes, measured), 1), dtype=torch.float32)
    return x, standardized(torch.tensor(y, dtype=torch.float32))


@cache
def _pipes(seed: int) -> Pair:
    """Twenty-four gauges in the pipes of a town, four pumps that push; one in six says nothing; the targets are true.

    The pressure falls with the square of what flows, so it bends.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(604)
    pumps = draw.uniform(0, 1.5, (1500, 4))
    share = world.dirichlet((0.6,) * 4, 24)
    used = draw.lognormal(0, 0.3, (1500, 1)) * world.uniform(0.3, 0.9, 24)
    flow = pumps @ share.T - 0.5 * used
    true = flow * np.abs(flow) + 0.5 * pumps @ share.T
    true = (true - true.mean(0)) / true.std(0)
    seen = true + draw.normal(0, 0.35, true.shape)
    return numbers(np.where(draw.random(true.shape) < 0.17, 0, seen), true)


@cache
def _coins(seed: int) -> Pair:
    """Four mints by what a coin weighs, its two axes and its four metals; worn coins lose weight, one in five is worn.

    The metals of two of the mints changed in the course of time along a bow.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(605)
    y, time = draw.integers(0, 4, 1700), draw.uniform(-1, 1, 1700)
    bow = np.stack((time, time**2 - 0.4, np.sin(2.5 * time)), 1)
    ways = world.normal(0, 0.9, (4, 3, 4)) * np.array((1.4, 0.4, 1.2, 0.6))[:, None, None]
    metals = world.normal(0, 0.75, (4, 4))[y] + np.einsum("nb,nbm->nm", bow, ways[y])
    metals += 0.3 * draw.normal(size=(1700, 4))
    axes = world.normal(0, 0.5, (4, 1))[y] + draw.normal(0, 0.5, (1700, 1)) + 0.15 * draw.normal(size=(1700, 2))
    weight = axes.sum(1) + 0.5 * metals[:, 0] - draw.exponential(1.5, 1700) * (draw.random(1700) < 0.2)
    return labels(np.column_stack((weight, axes, metals)), _swapped(draw, y, 4, 0.04))


SHARDS = sixth("shards", _shards, 9, 5, "accuracy", 0.83, sizes=(1000, 300, 500))
COINS = sixth("coins", _coins, 7, 4, "accuracy", 0.82, sizes=(950, 300, 450))
ICE = sixth("ice", _ice, 9, 1, "accuracy", 0.85, BCE, (1100, 350, 550))
YACHTS = sixth("yachts", _yachts, 8, 1, "r2", 0.79, MSE, (800, 250, 450))
KILNS = sixth("kilns", _kilns, 7, 3, "r2", 0.82, MSE, (900, 250, 450))
PESTS = sixth("pests", _pests, 12, 6, "label_accuracy", 0.81, BCE, (1150, 250, 450))
DONORS = sixth("donors", _donors, 11, 2, "accuracy", 0.78, sizes=(300, 300, 700))
GLACIERS = sixth("glaciers", _glaciers, 9, 1, "r2", 0.69, MSE, (300, 300, 600))
AUCTIONS = sixth("auctions", _auctions, 7, 1, "r2", 0.72, MSE, (1400, 350, 550))
PIPES = sixth("pipes", _pipes, 24, 24, "r2", 0.9, MSE, (900, 250, 350))
