"""Tables of the seventh part, see `Task.part`.

Written after the first six parts had been looked at, by someone who saw none of the rules. Themes as they come to a
practitioner: cheeses, dykes, pearls, ferries, wells, dyes, buoys, apprentices, truffles, frogs. Labels are now and then
wrong, some columns are shares of a whole, some count, some hold nothing where nobody measured; two sets are small.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, labels, numbers, standardized

seventh = partial(Task, part=7)


def _together(draw: np.random.Generator, rows: int, width: int, common: int, share: float = 0.5) -> np.ndarray:
    """Columns of deviation about 1, of whose variance a share comes from a few causes that they have in common."""
    loads = draw.normal(size=(common, width))
    loads /= np.sqrt((loads**2).sum(0))
    causes, own = draw.normal(size=(rows, common)), draw.normal(size=(rows, width))
    return np.sqrt(share) * causes @ loads + np.sqrt(1 - share) * own


def _mistaken(draw: np.random.Generator, y: np.ndarray, classes: int, share: float) -> np.ndarray:
    """Class numbers of which so many are drawn anew."""
    return np.where(draw.random(len(y)) < share, draw.integers(0, classes, len(y)), y)


def _logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


@cache
def _cheeses(seed: int) -> Pair:
    """Six cheeses by eleven readings, of which each ripens along a curve of its own; some of them were smoked."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(701)
    y, age = draw.choice(6, 1900, p=(0.28, 0.22, 0.18, 0.14, 0.1, 0.08)), draw.gamma(2.0, 0.5, (1900, 1))
    fresh, ripe = world.normal(0, 0.45, (6, 11)), world.normal(0, 0.7, (6, 11))
    z = fresh[y] + ripe[y] * np.log1p(age) + world.normal(0, 1.1, (6, 11))[y] * np.sin(2.5 * age)
    z += (draw.random((1900, 1)) < 0.3) * draw.exponential(1.0, (1900, 1)) * world.normal(0, 0.7, 11)
    z += 0.65 * draw.standard_t(5, z.shape)
    x = np.where(np.arange(11) % 5 == 2, np.exp(0.6 * z), z)
    return labels(x, _mistaken(draw, y, 6, 0.04))


@cache
def _dykes(seed: int) -> Pair:
    """Does a dyke leak in this flood: water may come over it, or through it where it is sandy, dug in or long wet.

    How high the water stands in the ground is not measured at every fifth of them; a column says where.
    """
    draw = np.random.default_rng(seed)
    flood, hours = draw.gumbel(0, 0.8, 2000), draw.gamma(1.5, 1.0, 2000)
    clay, sand, _peat = draw.dirichlet((2.0, 1.6, 0.8), 2000).T
    crest, slope, age = draw.normal(size=(3, 2000))
    burrows, mended = draw.poisson(0.9, 2000), draw.random(2000) < 0.3
    ground = 0.7 * flood + 0.5 * np.log(hours + 0.2) + 0.5 * draw.normal(size=2000)
    over = 3.0 * (flood - crest) - 3.0
    through = (1.2 * ground + 1.5) * _logistic(5 * (sand - clay)) + 1.2 * np.minimum(burrows, 3) * (1 - mended) - 1.2
    score = np.logaddexp(over, 1.3 * through + 0.6 * slope + 0.6 * np.maximum(age, 0)) + draw.logistic(0, 0.3, 2000)
    unknown = draw.random(2000) < 0.2
    columns = (flood, hours, clay, sand, crest, slope, age, burrows, mended, np.where(unknown, 0, ground), unknown)
    return labels(np.column_stack(columns), (score > np.quantile(score, 0.58)) ^ (draw.random(2000) < 0.04),
                  torch.float32)  # fmt: skip


@cache
def _pearls(seed: int) -> Pair:
    """Three grades of pearls: the least of size, roundness and lustre holds it back, and blemishes count by colour."""
    draw = np.random.default_rng(seed)
    size, round_, lustre, skin, nacre = _together(draw, 1700, 5, 2, 0.3).T
    spots, hue = draw.negative_binomial(2, 0.5, 1700), draw.uniform(0, 2 * np.pi, 1700)
    least = -np.log(np.exp(-1.5 * np.stack((size, round_, lustre))).sum(0)) / 1.5
    worth = 1.4 * least + 0.5 * np.maximum(nacre, -0.5) - 0.4 * np.sqrt(spots) * (1 + 0.6 * np.cos(hue)) + 0.4 * skin
    worth += 0.25 * draw.standard_t(6, 1700)
    y = np.digitize(worth, np.quantile(worth, (0.5, 0.8)))
    x = np.column_stack((np.exp(0.5 * size), round_, lustre, skin, nacre, spots, np.cos(hue), np.sin(hue)))
    return labels(x, _mistaken(draw, y, 3, 0.04))


@cache
def _ferries(seed: int) -> Pair:
    """What an inspector finds amiss on a ferry, seven things, by thirteen columns: what wears one wears another too."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(702)
    z = _together(draw, 1900, 13, 3, 0.4)
    wear = np.abs(z @ world.normal(0, 0.45, (13, 9)) - 0.3)
    causes, plain = world.normal(0, 0.8, (9, 7)) * (world.random((9, 7)) < 0.5), world.normal(0, 0.125, (13, 7))
    score = wear @ causes + z @ plain
    score = score / score.std(0) + 0.2 * draw.normal(size=score.shape)
    found = score > np.diagonal(np.quantile(score, (0.55, 0.5, 0.65, 0.6, 0.7, 0.5, 0.6), axis=0))
    x = np.where(np.arange(13) % 6 == 1, np.floor(2 * np.exp(0.5 * z)), z)
    return labels(x, found ^ (draw.random(found.shape) < 0.03), torch.float32)


@cache
def _wells(seed: int) -> Pair:
    """How much water a well gives: how deep it is, the rock, cracks, rain, neighbours that pump; a third untested."""
    draw = np.random.default_rng(seed)
    depth, rain, far = draw.gamma(3.0, 0.6, 1600), draw.lognormal(0, 0.5, 1600), draw.weibull(1.3, 1600)
    cracks, slope, height = draw.normal(size=(3, 1600))
    rock, tried = (draw.random((1600, 2)) < (0.45, 0.67)).T
    flow = 0.8 * cracks + 0.5 * rock + 0.5 * draw.normal(size=1600)
    table = 1.2 + 0.45 * height - 0.6 * np.log(rain) + 0.3 * np.abs(slope)
    below = np.logaddexp(0, 3 * (depth - table)) / 3
    y = np.log1p(np.exp(0.8 * flow) * below * (1 - 0.6 * np.exp(-2 * far)))
    y = (y - y.mean()) / y.std() + 0.25 * draw.standard_t(4, 1600)
    columns = (depth, rain, far, cracks, slope, height, rock, tried, np.where(tried, flow, 0))
    return numbers(np.column_stack(columns), y)


@cache
def _dyes(seed: int) -> Pair:
    """How dark, how red, how blue and how fast a cloth comes out: three dyes that crowd each other out, heat, acid."""
    draw = np.random.default_rng(seed)
    bath = draw.exponential(1.0, (1600, 3)) * (draw.random((1600, 3)) < 0.8)
    heat, acid, hours = draw.normal(size=(3, 1600))
    wool = draw.random(1600) < 0.5
    pull = np.exp(np.stack((0.4 * heat, -0.7 * acid * wool, 0.5 * wool - 0.3 * heat), 1))
    taken = bath * pull / (0.8 + (bath * pull).sum(1, keepdims=True))
    taken *= _logistic(1.2 + heat + 0.8 * hours)[:, None]
    dark = np.log(0.15 + taken @ (1.0, 0.7, 1.2))
    red, blue = taken @ (1.0, -0.4, -0.2) + 0.1 * acid, taken @ (-0.3, -0.5, 1.0)
    fast = np.tanh(hours + 0.6 * heat - 0.5 * (acid + 0.3) ** 2) + 0.4 * wool - 0.8 * taken[:, 0]
    y = standardized(torch.tensor(np.stack((dark, red, blue, fast), 1), dtype=torch.float32)).numpy()
    return numbers(np.column_stack((bath, heat, acid, hours, wool)), y + 0.25 * draw.standard_t(5, y.shape))


@cache
def _buoys(seed: int) -> Pair:
    """Twenty buoys rise and fall as three swells run through, with sharp crests; chains hold those that go far.

    One in seven says nothing, some are wrong; the targets are how high the water truly stands.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(703)
    places, ways = world.uniform(0, 1, (20, 2)), world.normal(0, 2.2, (3, 2))
    high, phase = draw.rayleigh(0.8, (1900, 3, 1)), draw.uniform(0, 2 * np.pi, (1900, 3, 1))
    swell = (high * np.cos(ways @ places.T + phase)).sum(1)
    true = swell + 0.25 * swell**2 + 0.3 * draw.normal(size=(1900, 1))
    true = (true - true.mean(0)) / true.std(0)
    seen = np.tanh(true) + 0.15 * draw.normal(size=true.shape)
    seen += (draw.random(true.shape) < 0.03) * draw.normal(size=true.shape)
    return numbers(np.where(draw.random(true.shape) < 0.15, 0, seen), true)


@cache
def _apprentices(seed: int) -> Pair:
    """Does an apprentice stay to the end: numbers of the master, the trade and the town, and four measurements.

    Masters differ most; in some trades strength helps and in others it does not, and pay counts by the town.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(704)
    shares = 1 / np.arange(2, 32) ** 0.8
    codes = draw.choice(30, (2400, 3), p=shares / shares.sum())
    master, trade, town = world.laplace(0, 0.9, (3, 30))
    skill, strength, pay, way = draw.normal(size=(4, 2400))
    score = 1.2 * master[codes[:, 0]] + np.clip(trade, -1.5, 1.5)[codes[:, 1]] * (0.5 + strength)
    score += 0.8 * skill + (0.6 + 0.5 * (town > 0))[codes[:, 2]] * pay - 0.5 * np.maximum(way, 0)
    stays = score + draw.logistic(0, 0.4, 2400) > np.quantile(score, 0.45)
    x = np.column_stack((codes, skill, strength, pay, way))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(stays).float()


@cache
def _truffles(seed: int) -> Pair:
    """Three hundred trees: none, few or many truffles under it, by ten columns of soil, shade and weather."""
    draw = np.random.default_rng(seed)
    chalk, damp, root, slope, grass, mould = _together(draw, 1300, 6, 2, 0.4).T
    oak, years, dog = draw.random(1300) < 0.6, draw.gamma(4.0, 0.5, 1300), draw.integers(1, 5, 1300)
    shade = draw.beta(2.0, 2.0, 1300)
    score = 1.1 * chalk + 0.9 * root - 0.9 * np.abs(damp - 0.3) + 0.8 * oak - 0.5 * grass + 0.5 * np.tanh(years - 2)
    score += 0.3 * dog - 3.0 * (shade - 0.4) ** 2 + 0.45 * draw.normal(size=1300)
    y = np.digitize(score, np.quantile(score, (0.4, 0.75)))
    x = np.column_stack((chalk, damp, root, slope, grass, mould, oak, years, dog, shade))
    return labels(x, _mistaken(draw, y, 3, 0.04))


@cache
def _frogs(seed: int) -> Pair:
    """How far a frog leaps: three hundred of them, eight columns; cold legs are slow, and a fourth of it is chance."""
    draw = np.random.default_rng(seed)
    leg, weight, warm, wet = _together(draw, 1200, 4, 1, 0.35).T
    old, tries, female, night = draw.gamma(2.0, 1.0, 1200), draw.integers(1, 9, 1200), *(draw.random((2, 1200)) < 0.5)
    power = np.exp(0.35 * leg - 0.2 * weight) * _logistic(1.5 * warm + 0.8)
    y = 2.6 * power - 0.09 * tries - 0.35 * (old - 2) ** 2 / (1 + old) + 0.3 * wet * night + 0.25 * female
    y = (y - y.mean()) / y.std() + 0.5 * draw.normal(size=1200)
    return numbers(np.column_stack((leg, weight, warm, wet, old, tries, female, night)), y)


CHEESES = seventh("cheeses", _cheeses, 11, 6, "accuracy", 0.8, sizes=(1050, 300, 550))
PEARLS = seventh("pearls", _pearls, 8, 3, "accuracy", 0.72, sizes=(950, 300, 450))
DYKES = seventh("dykes", _dykes, 11, 1, "accuracy", 0.83, BCE, (1100, 350, 550))
WELLS = seventh("wells", _wells, 9, 1, "r2", 0.74, MSE, (850, 300, 450))
DYES = seventh("dyes", _dyes, 7, 4, "r2", 0.75, MSE, (900, 250, 450))
FERRIES = seventh("ferries", _ferries, 13, 7, "label_accuracy", 0.8, BCE, (1150, 250, 500))
TRUFFLES = seventh("truffles", _truffles, 10, 3, "accuracy", 0.67, sizes=(300, 300, 700))
FROGS = seventh("frogs", _frogs, 8, 1, "r2", 0.68, MSE, (300, 300, 600))
APPRENTICES = seventh("apprentices", _apprentices, 7, 1, "accuracy", 0.75, BCE, (1500, 350, 550))
BUOYS = seventh("buoys", _buoys, 20, 20, "r2", 0.8, MSE, (1200, 300, 400))
