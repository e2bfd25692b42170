"""Tables and pictures of the fourth part, see `Task.part`.

Written after the first three parts had been looked at, by someone who saw none of the rules. Themes as they come to a
practitioner: fields, machines, claims, emergencies. Much of it holds chance that nothing can learn away; columns have
heavy tails, go together, or are numbers of categories; some sets are small, some wide, one is nearly a straight line.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, labels, numbers, standardized

fourth = partial(Task, part=4)


# -- tables


def _caused(draw: np.random.Generator, rows: int, width: int, causes: int, world: int, own: float = 0.6) -> np.ndarray:
    """Columns of deviation 1 that a few hidden causes move, each with a share of its own."""
    weights = np.random.default_rng(world).normal(size=(causes, width))
    weights /= np.linalg.norm(weights, axis=0)
    return np.sqrt(1 - own**2) * draw.normal(size=(rows, causes)) @ weights + own * draw.normal(size=(rows, width))


@cache
def _harvest(seed: int) -> Pair:
    """What a field bears: rain and warmth have a best value, the scarcest of three nutrients sets the limit."""
    draw = np.random.default_rng(seed)
    rain, warm, acid, slope = draw.normal(size=(4, 1500))
    food = draw.gamma(3.0, 0.5, (1500, 3))
    weather = np.exp(-0.4 * (rain - 0.4) ** 2 - 0.3 * (warm - 0.3 * rain) ** 2)
    limit = np.minimum(np.minimum(food[:, 0], 0.8 * food[:, 1]), 1.3 * food[:, 2])
    y = 2.2 * weather * (0.4 + limit) - 0.25 * np.abs(acid) - 0.2 * slope * (rain > 0)
    return numbers(np.column_stack((rain, warm, acid, slope, food)), y + draw.normal(0, 0.22, 1500))


@cache
def _triage(seed: int) -> Pair:
    """How urgent a patient is, in four steps (40 : 30 : 20 : 10), by twelve skewed measurements and a nurse's eye."""
    draw = np.random.default_rng(seed)
    z = _caused(draw, 1900, 12, 4, 401)
    pain, age = z[:, 0], z[:, 1]
    score = np.maximum(1.4 * pain, 0.9 * z[:, 2] ** 2 - 0.6) + 0.9 * np.maximum(age, 0) * z[:, 3] + 0.8 * z[:, 4]
    score += 0.5 * np.abs(z[:, 5]) + 0.28 * draw.normal(size=1900)
    x = np.where(np.arange(12) % 3 == 0, np.exp(0.6 * z), z)
    return labels(x, np.digitize(score, np.quantile(score, (0.4, 0.7, 0.9))))


@cache
def _fraud(seed: int) -> Pair:
    """Payments, three in ten false: amounts with heavy tails, the hour, how far from home, how new the shop is."""
    draw = np.random.default_rng(seed)
    amount, usual = draw.normal(0, 1, (2, 2000))
    hour, far = draw.uniform(0, 24, 2000), draw.exponential(1.0, 2000)
    other = draw.normal(size=(2000, 4))
    night = np.cos(2 * np.pi * (hour - 3) / 24)
    score = 1.3 * np.maximum(amount - 0.6 * usual, 0) + 0.9 * night * (far > 0.8) + 0.9 * other[:, 0] * other[:, 1]
    score += 0.8 * other[:, 2] + draw.logistic(0, 0.22, 2000)
    clock = np.stack((np.cos(2 * np.pi * hour / 24), np.sin(2 * np.pi * hour / 24)), 1)
    x = np.column_stack((np.exp(0.7 * amount), np.exp(0.7 * usual), clock, np.sqrt(far), other))
    false = (score > np.quantile(score, 0.68)) ^ (draw.random(2000) < 0.06)
    return labels(x, false, torch.float32)


@cache
def _turbine(seed: int) -> Pair:
    """Power, heat and sway of a wind turbine: nothing below a first wind, a cubic, a ceiling, and a wake behind."""
    draw = np.random.default_rng(seed)
    wind, air, blade, age = draw.weibull(2.0, 1600) * 8, *draw.normal(size=(3, 1600))
    turn, gust = draw.uniform(-np.pi, np.pi, 1600), draw.gamma(2.0, 0.5, 1600)
    felt = np.maximum(wind * (1 - 0.35 * (np.cos(turn) > 0.6)) - 3, 0)
    power = np.minimum((felt / 7) ** 3 * (1 + 0.1 * air), 1) * (1 - 0.15 * np.abs(blade))
    heat = 0.7 * power * (1 + 0.3 * age) - 0.25 * air
    sway = 0.25 * gust * np.sqrt(felt + 0.2) * np.exp(0.2 * age) + 0.15 * np.sin(3 * blade)
    y = standardized(torch.tensor(np.stack((power, heat, sway), 1), dtype=torch.float32)).numpy()
    x = np.column_stack((wind, air, blade, age, np.cos(turn), np.sin(turn), gust))
    return numbers(x, y + draw.normal(0, 0.25, y.shape))


@cache
def _habitat(seed: int) -> Pair:
    """Which of seven species live in a place: each bears so much cold, wet, height and salt, and no more."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(402)
    x = _caused(draw, 1800, 11, 5, 403, 0.7)
    liked, wide = world.normal(0, 0.6, (7, 11)), world.uniform(0.25, 1.0, (7, 11)) * (world.random((7, 11)) < 0.4)
    misfit = (wide * (x[:, None] - liked) ** 2).sum(2)
    lives = misfit < np.quantile(misfit, 0.4, axis=0)
    return labels(x, lives ^ (draw.random(lives.shape) < 0.05), torch.float32)


@cache
def _ripeness(seed: int) -> Pair:
    """A hundred and ten bands of the light from a fruit: unripe, ripe or over it; a few broad bumps tell."""
    draw = np.random.default_rng(seed)
    bands, ripe = np.linspace(0, 1, 110), draw.uniform(-1, 1, (1300, 1))
    shift, gain = draw.normal(0, 0.05, (1300, 1)), draw.lognormal(0, 0.2, (1300, 1))
    green = np.exp(-(((bands - 0.3 - shift) / 0.06) ** 2)) * (1 - ripe)
    sugar = np.exp(-(((bands - 0.7 - shift) / 0.08) ** 2)) * (0.4 + ripe**2)
    x = gain * (1 + 0.5 * bands + 0.5 * green + 0.5 * sugar) + draw.normal(0, 0.2, (1300, 110))
    said = ripe[:, 0] + 0.12 * draw.normal(size=1300)
    return labels(x, np.digitize(said, (-0.35, 0.35)))


@cache
def _pilot(seed: int) -> Pair:
    """Three hundred batches of a small plant, nine settings and readings: does the batch pass?"""
    draw = np.random.default_rng(seed)
    z = _caused(draw, 1300, 9, 3, 404, 0.7)
    score = (
        1.5 * z[:, 0] + 1.3 * np.maximum(z[:, 1], z[:, 2]) - 1.0 * z[:, 4] * (z[:, 5] > 0) + draw.logistic(0, 0.4, 1300)
    )
    return labels(np.sinh(0.7 * z), score > np.quantile(score, 0.4))


@cache
def _loaves(seed: int) -> Pair:
    """How much three hundred loaves of bread rise: eight columns; a quarter of it is chance."""
    draw = np.random.default_rng(seed)
    z = _caused(draw, 1200, 8, 3, 405, 0.75)
    y = 1.2 * z[:, 0] + np.abs(z[:, 1]) * 1.1 + z[:, 2] * np.where(z[:, 3] > 0, 1.0, -0.2) - 0.8 * z[:, 5]
    return numbers(np.where(np.arange(8) < 3, z, np.exp(0.5 * z)), y + 0.8 * draw.normal(size=1200))


@cache
def _freight(seed: int) -> Pair:
    """What a load costs to ship: nearly a straight line in thirteen columns, a little bend, errors with heavy tails."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(406)
    x = _caused(draw, 1600, 13, 4, 407, 0.8)
    x[:, 10:] = x[:, 10:] > 0.4
    line = x @ world.uniform(-1, 1, 13)
    return numbers(x, line + 0.15 * np.maximum(line, 0) ** 1.5 + 0.5 * draw.standard_t(5, 1600))


@cache
def _claims(seed: int) -> Pair:
    """Does a policy bring a claim: numbers of a region, a car and a trade, many of them rare or never met, four more.

    The worth of a car depends on the region's kind, so that the columns must be looked at together.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(408)
    shares = np.arange(1, 28) ** -0.7
    codes = draw.choice(27, (2300, 3), p=shares / shares.sum())
    region, car, trade = world.normal(size=(3, 30))
    measured = draw.normal(size=(2300, 4))
    score = 1.2 * region[codes[:, 0]] * car[codes[:, 1]] + trade[codes[:, 2]] + 0.8 * np.abs(measured[:, 0])
    score += 0.8 * measured[:, 1] * np.sign(trade[codes[:, 2]]) - 0.5 * measured[:, 2] + draw.logistic(0, 0.3, 2300)
    x = torch.tensor(np.concatenate((codes, measured), 1), dtype=torch.float32)
    return x, torch.tensor(score > np.quantile(score, 0.6)).float()


@cache
def _stations(seed: int) -> Pair:
    """Eighteen stations and a storm somewhere among them; a quarter report nothing; the targets are the true winds."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(409)
    place, eye = world.uniform(-1, 1, (18, 2)), draw.uniform(-1, 1, (1500, 1, 2))
    away = np.linalg.norm(place - eye, axis=2) / draw.uniform(0.45, 0.6, (1500, 1))
    true = draw.uniform(1.5, 2.5, (1500, 1)) * away * np.exp(0.5 - away**2) + 0.3 * draw.normal(size=(1500, 1))
    x = true + draw.normal(0, 0.2, true.shape)
    return numbers(np.where(draw.random(x.shape) < 0.25, 0, x), true)


@cache
def _minerals(seed: int) -> Pair:
    """Six minerals by seven shares of elements: mixtures along a curve of their own, seen through a poor instrument."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(410)
    y = draw.choice(6, 1800, p=(0.25, 0.2, 0.2, 0.15, 0.1, 0.1))
    mix = draw.beta(0.7, 0.7, (1800, 1))
    start, end, bend = world.normal(0, 1.0, (3, 6, 7))
    z = (1 - mix) * start[y] + mix * end[y] + 2.5 * mix * (1 - mix) * bend[y] + draw.normal(0, 0.62, (1800, 7))
    share = np.exp(z)
    return labels(np.log1p(10 * share / share.sum(1, keepdims=True)), y)


HARVEST = fourth("harvest", _harvest, 7, 1, "r2", 0.83, MSE, (800, 250, 450))
TRIAGE = fourth("triage", _triage, 12, 4, "accuracy", 0.74, sizes=(1000, 300, 600))
FRAUD = fourth("fraud", _fraud, 9, 1, "accuracy", 0.8, BCE, (1100, 300, 600))
TURBINE = fourth("turbine", _turbine, 7, 3, "r2", 0.84, MSE, (900, 250, 450))
HABITAT = fourth("habitat", _habitat, 11, 7, "label_accuracy", 0.81, BCE, (1100, 250, 450))
RIPENESS = fourth("ripeness", _ripeness, 110, 3, "accuracy", 0.68, sizes=(600, 250, 450))
PILOT = fourth("pilot", _pilot, 9, 2, "accuracy", 0.8, sizes=(300, 300, 700))
LOAVES = fourth("loaves", _loaves, 8, 1, "r2", 0.61, MSE, (300, 300, 600))
FREIGHT = fourth("freight", _freight, 13, 1, "r2", 0.92, MSE, (800, 250, 550))
CLAIMS = fourth("claims", _claims, 7, 1, "accuracy", 0.74, BCE, (1500, 300, 500))
STATIONS = fourth("stations", _stations, 18, 18, "r2", 0.77, MSE, (900, 250, 350))
MINERALS = fourth("minerals", _minerals, 7, 6, "accuracy", 0.84, sizes=(1000, 300, 500))
