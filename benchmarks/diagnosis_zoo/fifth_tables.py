"""Tables of the fifth part, see `Task.part`.

Written after the first four parts had been looked at, by someone who saw none of the rules. Themes as they come to a
practitioner: soils, gases, hives, tickets, accumulators. Labels are now and then wrong, columns have heavy tails, go
together, hold zeros where nothing was measured, or are numbers of categories; two sets are small.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, labels, numbers

fifth = partial(Task, part=5)


def _related(draw: np.random.Generator, rows: int, width: int, share: float = 0.5) -> np.ndarray:
    """Columns of deviation 1 that all go with one hidden column, every other one against it."""
    common = draw.normal(size=(rows, 1)) * np.where(np.arange(width) % 2, -1, 1)
    return np.sqrt(share) * common + np.sqrt(1 - share) * draw.normal(size=(rows, width))


def _mistaken(draw: np.random.Generator, y: np.ndarray, classes: int, share: float) -> np.ndarray:
    """Class numbers of which so many were written down at random."""
    return np.where(draw.random(len(y)) < share, draw.integers(0, classes, len(y)), y)


@cache
def _soils(seed: int) -> Pair:
    """Five kinds of soil by the corners of the triangle of sand, silt and clay, and by what the laboratory measures."""
    draw = np.random.default_rng(seed)
    share = draw.dirichlet((1.4, 1.2, 1.0), 1800)
    sand, silt, clay = share.T
    humus, chalk = draw.gamma(1.5, 0.6, 1800), draw.beta(0.5, 1.5, 1800)
    y = np.select((sand > 0.6, clay > 0.42, silt > 0.5, humus > 1.1 + chalk), (0, 1, 2, 3), 4)
    felt = np.log(share + 0.03) + draw.normal(0, 0.08, share.shape)
    acid = 6 + 2 * chalk - 0.5 * humus + draw.normal(0, 0.2, 1800)
    water = 0.5 * clay + 0.3 * silt + 0.08 * humus + draw.normal(0, 0.03, 1800)
    dark = np.sqrt(humus) + draw.normal(0, 0.08, 1800)
    return labels(np.column_stack((felt, humus, chalk, acid, water, dark)), _mistaken(draw, y, 5, 0.05))


@cache
def _gases(seed: int) -> Pair:
    """Six gases by twelve sensors, each of which answers with a power of how much there is, and drifts."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(501)
    y = draw.choice(6, 1900, p=(0.22, 0.2, 0.18, 0.16, 0.14, 0.1))
    gain, power = world.normal(0, 0.7, (6, 12)), world.uniform(0.2, 1.0, (6, 12))
    much, drift = draw.normal(0, 1.0, (1900, 1)), draw.normal(0, 0.5, (1900, 1)) * world.normal(0, 1.2, 12)
    signal = gain[y] + power[y] * much + drift + 0.45 * draw.standard_t(4, (1900, 12))
    return labels(np.exp(0.25 * signal), _mistaken(draw, y, 6, 0.03))


@cache
def _returns(seed: int) -> Pair:
    """Will a parcel come back: price, size, how often the customer bought and sent back before, often never."""
    draw = np.random.default_rng(seed)
    price, taste, hurry = _related(draw, 2000, 3, 0.3).T
    bought = draw.poisson(draw.gamma(1.0, 3.0, 2000))
    habit = draw.beta(1.5, 3.0, 2000)
    sent = draw.binomial(bought, habit)
    fit, clothes = draw.normal(size=2000), draw.random(2000) < 0.55
    score = 3 * np.where(bought > 0, habit, 0.3) + 1.2 * clothes * np.abs(fit) - 0.8 * (1 - clothes) * taste
    score += 0.9 * np.maximum(price, 0) * (hurry > 0) + draw.logistic(0, 0.2, 2000)
    share = np.where(bought > 0, sent / np.maximum(bought, 1), 0)
    x = np.column_stack((np.exp(0.8 * price), taste, hurry, np.log1p(bought), share, fit, clothes))
    back = (score > np.quantile(score, 0.55)) ^ (draw.random(2000) < 0.03)
    return labels(x, back, torch.float32)


@cache
def _cement(seed: int) -> Pair:
    """How strong a cement is: water by binder, how old it is, three additives of which most recipes have none."""
    draw = np.random.default_rng(seed)
    binder, water, age = draw.normal(350, 60, 1500), draw.normal(180, 20, 1500), draw.choice((3, 7, 14, 28, 90), 1500)
    added = draw.gamma(2.0, 0.5, (1500, 3)) * (draw.random((1500, 3)) < (0.5, 0.4, 0.3))
    ratio = water / np.maximum(binder + 60 * added[:, 0] + 25 * added[:, 1], 150)
    hard = 1 - np.exp(-((age / (9 + 6 * added[:, 1])) ** 0.6))
    y = 95 * 7.0 ** (-2.2 * ratio) * hard * (1 + 0.8 * added[:, 2] * np.exp(-added[:, 2]))
    heat = draw.normal(size=1500)
    y = y * (0.9 + 0.1 * np.cos(2 * heat)) * draw.lognormal(0, 0.12, 1500)
    return numbers(np.column_stack((binder, water, np.log(age), added, heat)), y)


@cache
def _accumulators(seed: int) -> Pair:
    """What is left of a battery, its resistance and its warmth: by cycles, depth, cold, current and rest."""
    draw = np.random.default_rng(seed)
    cycles, current = draw.gamma(2.0, 0.5, 1600), draw.lognormal(0, 0.4, 1600)
    depth, full = draw.beta(2.0, 1.5, (2, 1600))
    air, rest, maker = draw.normal(size=(3, 1600))
    worn = cycles**0.7 * (0.4 + depth**2) * np.exp(0.35 * air * np.sign(air))
    left = 1 - 0.3 * worn - 0.1 * np.maximum(full - 0.7, 0) * cycles * 3
    inner = 0.5 + 0.4 * worn + 0.35 * np.exp(-0.8 * air) * 0.5 + 0.1 * maker
    warm = 0.6 * current**2 * inner + 0.5 * air - 0.3 * np.tanh(rest)
    y = np.stack((left, np.log(inner), np.log(np.maximum(warm + 2, 0.3))), 1)
    y = (y - y.mean(0)) / y.std(0) + 0.35 * draw.normal(size=y.shape)
    return numbers(np.column_stack((cycles, np.log(current), depth, full, air, rest, maker)), y)


@cache
def _sounds(seed: int) -> Pair:
    """Where in a hall a clap was: ten microphones say how loud it came and how late, two of ten at times nothing."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(502)
    place, ears = draw.uniform(-1, 1, (1500, 2)), world.uniform(-1.2, 1.2, (10, 2))
    away = np.hypot(*(place[:, None] - ears).transpose(2, 0, 1))
    loud = draw.lognormal(0, 0.3, (1500, 1)) / (0.15 + away**2) * draw.lognormal(0, 0.15, away.shape)
    late = away - away.mean(1, keepdims=True) + draw.normal(0, 0.12, away.shape)
    heard = draw.random(away.shape) > 0.12
    return numbers(np.concatenate((np.log(loud) * heard, late * heard), 1), place + draw.normal(0, 0.08, place.shape))


@cache
def _allergies(seed: int) -> Pair:
    """What a patient cannot bear, of six: each by the worst of two of fourteen readings, less when a third is high."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(503)
    z = _related(draw, 1900, 14, 0.3)
    first, second, third = np.stack([world.permutation(14)[:3] for _ in range(6)], 1)
    score = np.maximum(z[:, first], z[:, second]) - 0.6 * np.maximum(z[:, third], 0)
    score += 0.2 * draw.normal(size=score.shape)
    has = score > np.quantile(score, (0.5, 0.6, 0.6, 0.65, 0.7, 0.75), axis=0).diagonal()
    x = np.where(np.arange(14) < 5, np.exp(0.7 * z), z)
    return labels(x, has ^ (draw.random(has.shape) < 0.04), torch.float32)


@cache
def _hives(seed: int) -> Pair:
    """Three hundred hives, ten columns: does the swarm live through the winter? Mites, stores, frost, the queen."""
    draw = np.random.default_rng(seed)
    mites, stores, cold, queen = draw.gamma(1.5, 1.0, 1300), draw.normal(size=1300), *draw.normal(size=(2, 1300))
    other = _related(draw, 1300, 6, 0.4) + 0.3 * stores[:, None]
    score = 2.2 - 0.9 * mites + 1.1 * stores - 0.8 * np.maximum(cold, 0) * (stores < 0.3) + 0.5 * queen
    score += 0.7 * other[:, 0] + draw.logistic(0, 0.45, 1300)
    lives = (score > np.quantile(score, 0.4)) ^ (draw.random(1300) < 0.04)
    return labels(np.column_stack((mites, stores, cold, queen, other)), lives)


@cache
def _bridges(seed: int) -> Pair:
    """The mark of a bridge: age, load, span, salt and six more; three hundred bridges, two inspectors in ten strict."""
    draw = np.random.default_rng(seed)
    age, load, salt = draw.gamma(3.0, 0.6, 1200), draw.lognormal(0, 0.5, 1200), draw.exponential(1.0, 1200)
    rest = _related(draw, 1200, 6, 0.5)
    steel = draw.random(1200) < 0.4
    y = -0.9 * age - 0.7 * steel * salt - 0.4 * (1 - steel) * load + 0.6 * rest[:, 0] - 0.5 * rest[:, 1]
    y += -0.7 * (draw.random(1200) < 0.2) + 0.75 * draw.normal(size=1200)
    return numbers(np.column_stack((age, np.log(load), np.sqrt(salt), steel, rest)), y)


@cache
def _tickets(seed: int) -> Pair:
    """To which of three desks a ticket goes: numbers of a product, a country and a sender, of which many are rare.

    Every product leans to some desk, as does every country; how long the ticket is and the hour bend it.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(504)
    shares = 1 / (3 + np.arange(26))
    codes = draw.choice(26, (2300, 3), p=shares / shares.sum())
    product, country, sender = world.normal(0, 1, (3, 30, 3)) * np.array((1.5, 1.2, 0.7))[:, None, None]
    measured = draw.normal(size=(2300, 4))
    score = product[codes[:, 0]] + country[codes[:, 1]] * (1 + 0.6 * np.tanh(2 * measured[:, :1])) + sender[codes[:, 2]]
    score += measured[:, 1:] * 0.8 + draw.gumbel(0, 0.3, (2300, 3))
    x = torch.tensor(np.concatenate((codes, measured), 1), dtype=torch.float32)
    return x, torch.tensor(_mistaken(draw, score.argmax(1), 3, 0.04))


@cache
def _hands(seed: int) -> Pair:
    """Five fingers of two joints, as a glove reads them: twenty places under noise, some lost; the targets are true."""
    draw = np.random.default_rng(seed)
    grip, spread, turn = draw.uniform(-1, 1, (3, 1500, 1))
    finger = np.linspace(-0.5, 0.5, 5)
    aim = turn + finger * (1.2 + 0.6 * spread) + 0.06 * draw.normal(size=(1500, 5))
    bent = 1.2 * (grip + 1) * np.array((0.5, 0.9, 1.0, 0.9, 0.8)) / 2 + 0.06 * draw.normal(size=(1500, 5))
    first = np.stack((np.cos(aim), np.sin(aim)), 2) * (0.6 + 0.4 * np.cos(bent))[..., None]
    tip = first + 0.8 * np.stack((np.cos(aim + 0.5 * bent), np.sin(aim + 0.5 * bent)), 2) * np.cos(bent)[..., None]
    true = np.concatenate((first, tip), 2).reshape(1500, 20)
    true = (true - true.mean(0)) / true.std(0)
    seen = true + draw.normal(0, 0.5, true.shape)
    return numbers(np.where(draw.random(true.shape) < 0.15, 0, seen), true)


SOILS = fifth("soils", _soils, 8, 5, "accuracy", 0.82, sizes=(1000, 300, 500))
GASES = fifth("gases", _gases, 12, 6, "accuracy", 0.8, sizes=(1100, 300, 500))
RETURNS = fifth("returns", _returns, 7, 1, "accuracy", 0.75, BCE, (1100, 350, 550))
CEMENT = fifth("cement", _cement, 7, 1, "r2", 0.83, MSE, (800, 250, 450))
ACCUMULATORS = fifth("accumulators", _accumulators, 7, 3, "r2", 0.82, MSE, (900, 250, 450))
SOUNDS = fifth("sounds", _sounds, 20, 2, "r2", 0.89, MSE, (800, 250, 450))
ALLERGIES = fifth("allergies", _allergies, 14, 6, "label_accuracy", 0.8, BCE, (1150, 300, 450))
HIVES = fifth("hives", _hives, 10, 2, "accuracy", 0.77, sizes=(300, 300, 700))
BRIDGES = fifth("bridges", _bridges, 10, 1, "r2", 0.64, MSE, (300, 300, 600))
TICKETS = fifth("tickets", _tickets, 7, 3, "accuracy", 0.76, sizes=(1400, 350, 550))
HANDS = fifth("hands", _hands, 20, 20, "r2", 0.88, MSE, (900, 250, 350))
