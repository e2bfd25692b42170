"""Sequences, sets and graphs of the sixth part, see `Task.part`.

Written after the first five parts had been looked at, by someone who saw none of the rules.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, standardized

sixth = partial(Task, part=6)


def _floats(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)


def _series(x: np.ndarray) -> torch.Tensor:
    """Each channel with mean 0 and deviation 1 over all samples and moments."""
    return standardized(_floats(x).flatten(0, 1)).view(x.shape)


# -- measurements over time


@cache
def _swimmers(seed: int) -> Pair:
    """A swimmer's wrist by two sensors, 24 samples: crawl, breast, back or butterfly; one label in thirty is wrong.

    Crawl and back are each other's mirror in how the two go together; some samples were lost, which is written as 0.
    """
    draw = np.random.default_rng(seed)
    y, rows, time = draw.integers(0, 4, 1700), (1700, 1), np.arange(24)
    turn = draw.uniform(0.55, 1.0, rows) * time + draw.uniform(0, 6.3, rows) + 0.25 * np.sin(0.4 * time)
    glide = np.sin(turn) * (np.sin(turn) > 0)
    pairs = (
        (np.sin(turn), np.cos(turn)),
        (1.5 * glide - 0.4, 1.2 * glide**3 - 0.3),
        (np.sin(turn), -np.cos(turn)),
        (np.sin(turn) + 0.6 * np.sin(2 * turn), 0.8 * np.cos(2 * turn)),
    )
    x = np.stack([np.stack(pair, -1) for pair in pairs])[y, np.arange(1700)]
    x = x * draw.lognormal(0, 0.25, (1700, 1, 2)) + 0.45 * draw.standard_t(4, (1700, 24, 2))
    x = x * (draw.random((1700, 24, 1)) > 0.05)
    return _series(x), torch.tensor(np.where(draw.random(1700) < 0.045, draw.integers(0, 4, 1700), y))


@cache
def _cabins(seed: int) -> Pair:
    """Warmth in a cabin, its stove and the air outside, 20 samples: how much warmth do its walls hold?"""
    draw = np.random.default_rng(seed)
    walls, leak = draw.uniform(0.5, 2.0, 1500), draw.lognormal(-2.6, 0.2, 1500)
    stove = np.repeat(draw.uniform(0, 1, (1500, 5)) ** 0.7, 4, 1)
    air = draw.normal(0, 0.3, (1500, 1)) + 0.05 * draw.normal(size=(1500, 20)).cumsum(1)
    heat, felt = draw.uniform(0, 1, 1500), []
    for step in range(20):
        heat = heat + (0.45 * stove[:, step] - leak * (heat - air[:, step])) / walls
        felt.append(heat)
    x = np.stack((np.stack(felt, 1) + draw.normal(0, 0.05, (1500, 20)), stove, air), -1)
    return _series(x), standardized(_floats(np.log(walls) + draw.normal(0, 0.07, 1500)))


@cache
def _queues(seed: int) -> Pair:
    """People who come to an office and desks that are open, 22 quarters: how long are both its lines in the end?

    Who finds the line long goes away; the targets are the two lines' lengths, the second served where the first is.
    """
    draw = np.random.default_rng(seed)
    rate = (
        draw.gamma(4.0, 0.5, (1500, 1, 2))
        * (1 + 0.5 * np.sin(np.arange(22) / 4 + draw.uniform(0, 6.3, (1500, 1))))[..., None]
    )
    come, desks = draw.poisson(rate), np.repeat(draw.integers(1, 5, (1500, 11)), 2, 1)
    first, second = np.zeros(1500), np.zeros(1500)
    for step in range(22):
        first = first + come[:, step, 0] / (1 + 0.15 * first)
        served = np.minimum(first, 0.9 * desks[:, step])
        second = 0.9 * second + come[:, step, 1] / (1 + 0.15 * second)
        first, second = first - served, np.maximum(second - (0.9 * desks[:, step] - served), 0)
    seen = come + draw.normal(0, 0.3, come.shape)
    lines = np.sqrt(np.stack((first, second), 1)) + draw.normal(0, 0.15, (1500, 2))
    return _series(np.concatenate((seen, desks[..., None]), 2)), standardized(_floats(lines))


@cache
def _commutes(seed: int) -> Pair:
    """Speed and shaking of a telephone at twenty moments; at each: is it carried on foot, by cycle, bus or train?

    Busses and trains stop now and then, and at times the speed is not known, which is written as 0.
    """
    draw = np.random.default_rng(seed)
    way, ways = draw.integers(0, 4, 1200), []
    for _ in range(20):
        change = draw.random(1200) < 0.12
        way = np.where(change, np.where(way == 0, draw.integers(1, 4, 1200), 0), way)
        ways.append(way)
    y = np.stack(ways, 1)
    stops = (y >= 2) & (draw.random(y.shape) < 0.2)
    speed = np.array((0.9, 2.6, 3.4, 4.6))[y] * draw.lognormal(0, 0.3, y.shape) * (1 - 0.8 * stops)
    shake = np.array((1.2, 0.9, 0.5, 0.2))[y] * draw.lognormal(0, 0.45, y.shape) * draw.lognormal(0, 0.15, (1200, 1))
    known = draw.random(y.shape) > 0.07
    return _series(np.stack((np.log1p(speed) * known, np.log(shake)), -1)), torch.tensor(y)


# -- tokens


@cache
def _knitting(seed: int) -> Pair:
    """Twenty-two stitches of six kinds, begun anywhere in a pattern that comes again: which of four patterns is it?

    One stitch in seven is a slip, now and then one is left out, and all four patterns use much the same stitches.
    """
    draw = np.random.default_rng(seed)
    patterns = ((0, 1, 0, 2, 3), (0, 2, 0, 1, 3), (0, 1, 2, 0, 3, 4), (0, 2, 1, 3, 0, 4))
    y, lines = draw.integers(0, 4, 1900), []
    for label in y:
        begin, line = int(draw.integers(0, 6)), np.tile(patterns[label], 6)
        kept = line[draw.random(len(line)) > 0.05]
        lines.append(kept[begin : begin + 22] if len(kept) >= begin + 22 else line[begin : begin + 22])
    x = np.stack([line[:22] for line in lines])
    x = np.where(draw.random(x.shape) < 0.16, draw.integers(0, 6, x.shape), x)
    return torch.tensor(x), torch.tensor(np.where(draw.random(1900) < 0.03, draw.integers(0, 4, 1900), y))


@cache
def _diaries(seed: int) -> Pair:
    """What someone did in each of eighteen hours, thirty things: which of four habits has he?

    Two are told by things done at any time, two by things done in the last six hours alone. Labels err now and then.
    """
    draw = np.random.default_rng(seed)
    use = 1 / (5 + np.arange(30.0))
    x = draw.choice(30, (1800, 18), p=use / use.sum())
    late = np.arange(18) >= 12
    signs = [np.isin(x, (9 + habit, 14 + habit, 21 + habit)) for habit in range(4)]
    y = np.stack([(sign & (late if habit >= 2 else True)).any(1) for habit, sign in enumerate(signs)], 1)
    return torch.tensor(x), torch.tensor(y ^ (draw.random(y.shape) < 0.04)).float()


@cache
def _dances(seed: int) -> Pair:
    """Twenty steps out of eight; a dance repeats the step before the last, moved on by its own count, or a flourish.

    Which of the two dances it is shows in the steps alone; the target is the next one.
    """
    draw = np.random.default_rng(seed)
    on = np.array((1, 5))[draw.integers(0, 2, 1150)]
    steps = [draw.integers(0, 8, 1150), draw.integers(0, 8, 1150)]
    for _ in range(19):
        steps.append(np.where(draw.random(1150) < 0.8, (steps[-2] + on) % 8, draw.integers(0, 8, 1150)))
    lines = torch.tensor(np.stack(steps, 1))
    return lines[:, :-1].contiguous(), lines[:, 1:].contiguous()


@cache
def _measures(seed: int) -> Pair:
    """Eighteen words out of thirty-two; for each: is it an amount of weight, volume, length or time, or none of them?

    Two or three digits (0 to 9) stand before their unit, and after it in one case of four, with an "of" (10) between.
    Units are written in three ways each; other words have digits too, which measure nothing.
    """
    draw, rows = np.random.default_rng(seed), []
    for _ in range(1300):
        words: list[int] = []
        tags: list[int] = []
        while len(words) < 18:
            digits = draw.integers(0, 10, int(draw.integers(1, 4))).tolist()
            kind, before = int(draw.integers(0, 5)), draw.random() < 0.75
            if kind == 4:
                part, said = [int(draw.integers(23, 32)), *digits[:1]], [4] * (1 + len(digits[:1]))
            else:
                unit = 11 + 3 * kind + int(draw.integers(0, 3))
                part = [*digits, unit] if before else [unit, 10, *digits]
                said = [kind] * len(part)
            words, tags = words + part, tags + said
        rows.append((words[:18], tags[:18]))
    x, y = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    return torch.tensor(np.where(draw.random(x.shape) < 0.04, draw.integers(0, 32, x.shape), x)), torch.tensor(y)


# -- sets and graphs


@cache
def _catches(seed: int) -> Pair:
    """Thirteen fish of a catch by length, weight and shine, in no order: what they bring; old ones bring less."""
    draw = np.random.default_rng(seed)
    kind, old = draw.choice(4, (1500, 13), p=(0.4, 0.3, 0.2, 0.1)), draw.beta(1.2, 2.5, (1500, 13))
    long = np.array((1.5, 2.1, 1.8, 2.5))[kind] + draw.normal(0, 0.08, kind.shape)
    heavy = np.array((1.2, 2.0, 3.2, 3.6))[kind] * (1 - 0.25 * old) + draw.normal(0, 0.1, kind.shape)
    shine = np.array((0.2, 0.8, 1.4, 0.6))[kind] - old + draw.normal(0, 0.2, kind.shape)
    worth = (np.array((0.5, 1.0, 3.0, 5.0))[kind] * (1 - old) ** 0.5).sum(1)
    y = standardized(_floats(worth)) + _floats(draw.normal(0, 0.2, 1500))
    return _series(np.stack((long, heavy, shine), -1)), standardized(y)


@cache
def _pastures(seed: int) -> Pair:
    """Ten pastures with gates between some, and on each grass and sheep: how much will have been eaten by tonight?

    Sheep go half of the time to where the gates lead; what they find there decides. A row: gates, features.
    """
    draw = np.random.default_rng(seed)
    upper = np.triu(draw.random((1500, 10, 10)) < 0.28, 1)
    gates = (upper + upper.transpose(0, 2, 1)).astype(float)
    grass, sheep = draw.gamma(2.0, 0.5, (1500, 10)), draw.lognormal(-0.3, 0.7, (1500, 10))
    near = np.einsum("nij,nj->ni", gates, sheep) / np.maximum(gates.sum(2), 1)
    here = np.where(gates.sum(2) > 0, 0.5 * sheep + 0.5 * near, sheep)
    eaten = np.minimum(grass, here).sum(1)
    y = standardized(_floats(eaten)) + _floats(draw.normal(0, 0.25, 1500))
    features = np.stack(((grass - 1) / 0.7, (np.log(sheep) + 0.3) / 0.7), -1)
    return _floats(np.concatenate((gates, features), 2)), standardized(y)


SWIMMERS = sixth("swimmers", _swimmers, 2, 4, "accuracy", 0.87, sizes=(900, 250, 500), length=24)
CABINS = sixth("cabins", _cabins, 3, 1, "r2", 0.78, MSE, (800, 250, 450), 20)
QUEUES = sixth("queues", _queues, 3, 2, "r2", 0.84, MSE, (800, 250, 450), 22)
COMMUTES = sixth("commutes", _commutes, 2, 4, "accuracy", 0.86, sizes=(600, 200, 400), length=20, each=True)
KNITTING = sixth("knitting", _knitting, 6, 4, "accuracy", 0.9, sizes=(1200, 250, 450), length=22, tokens=True)
DIARIES = sixth("diaries", _diaries, 30, 4, "label_accuracy", 0.9, BCE, (1100, 250, 450), 18, tokens=True)
DANCES = sixth("dances", _dances, 8, 8, "accuracy", 0.6, sizes=(700, 200, 250), length=20, tokens=True, each=True)
MEASURES = sixth("measures", _measures, 32, 5, "accuracy", 0.81, sizes=(650, 200, 400), length=18, tokens=True,
                 each=True)  # fmt: skip
CATCHES = sixth("catches", _catches, 3, 1, "r2", 0.87, MSE, (800, 250, 450), 13)
PASTURES = sixth("pastures", _pastures, 12, 1, "r2", 0.78, MSE, (850, 250, 400), 10)
