"""Sequences, sets and graphs of the second part, see `Task.part`."""

from __future__ import annotations

import argparse
import inspect
from functools import cache, partial
from pydoc_data.topics import topics

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, standardized

second = partial(Task, part=2)


def _floats(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)


# -- measurements over time


@cache
def _gait(seed: int) -> Pair:
    """Three channels of a moving body, 24 samples: walking, climbing, limping or turning."""
    draw = np.random.default_rng(seed)
    y, rows = draw.integers(0, 4, 1300), (1300, 1)
    time = np.arange(24) * draw.uniform(0.5, 0.7, rows) + draw.uniform(0, 6.3, rows)
    kind = y[:, None]
    up = np.sin(time) + np.where(kind == 1, 0.5 * np.sin(2 * time), 0)
    side = np.sin(time / 2 + np.where(kind == 3, 1.2, 0)) * np.where(kind == 2, 1.5, 0.8)
    ahead = np.cos(time) * np.where(kind == 2, np.sign(np.sin(time / 2)), 1)
    x = np.stack((up, side, ahead), -1) * draw.uniform(0.8, 1.2, (1300, 1, 1)) + draw.normal(0, 0.3, (1300, 24, 3))
    return standardized(_floats(x).flatten(0, 1)).view(1300, 24, 3), torch.tensor(y)


@cache
def _river(seed: int) -> Pair:
    """A fortnight of rain and of a river's level; the target is tomorrow's level, of which not all can be known."""
    draw = np.random.default_rng(seed)
    rain = np.where(draw.random((1500, 30)) < 0.3, draw.exponential(1.0, (1500, 30)), 0)
    level, wet = np.zeros((1500, 30)), np.zeros(1500)
    for day in range(1, 30):
        wet = 0.7 * wet + rain[:, day - 1]
        level[:, day] = 0.6 * level[:, day - 1] + np.maximum(wet - 0.8, 0) + draw.normal(0, 0.5, 1500)
    x = standardized(_floats(np.stack((rain, level), -1)[:, 15:29]).flatten(0, 1)).view(1500, 14, 2)
    return x, standardized(_floats(level[:, 29]))


@cache
def _power(seed: int) -> Pair:
    """Twenty-four hours of what a town uses; the targets are the next four."""
    draw = np.random.default_rng(seed)
    rows = (1400, 1)
    time = np.arange(28) + draw.integers(0, 24, rows)
    day = np.sin(2 * np.pi * time / 24) + draw.uniform(0.2, 0.8, rows) * np.sin(4 * np.pi * time / 24)
    use = draw.uniform(0.6, 1.4, rows) * day + draw.normal(0, 0.02, rows) * np.arange(28)
    use += draw.normal(0, 0.15, (1400, 28))
    return _floats(use[:, :24]).unsqueeze(-1), standardized(_floats(use[:, 24:]))


@cache
def _phases(seed: int) -> Pair:
    """What a machine does at each of twenty moments, seen through noise: it rests, runs up, works or runs down."""
    draw = np.random.default_rng(seed)
    stay = draw.integers(3, 7, (1100, 4))
    begin = draw.integers(0, 4, (1100, 1))
    passed = (np.arange(20)[None, :, None] >= stay.cumsum(1)[:, None]).sum(2)
    y = (begin + passed) % 4
    height = np.zeros((1100, 20))
    now = np.where(begin[:, 0] >= 2, 1.5, 0.0)
    for place in range(20):
        toward = np.array((0.0, 1.5, 1.5, 0.0))[y[:, place]]
        now = now + np.where(y[:, place] % 2 == 1, 0.4, 1.0) * (toward - now)
        height[:, place] = now
    x = np.stack((height, np.gradient(height, axis=1) * 2), -1) + draw.normal(0, 0.35, (1100, 20, 2))
    return _floats(x), torch.tensor(y)


@cache
def _signals(seed: int) -> Pair:
    """Bumps and steps in 32 samples under noise; the targets are the samples without."""
    draw = np.random.default_rng(seed)
    time, rows = np.arange(32), (1300, 1)
    bump = draw.uniform(0.8, 2, rows) * np.exp(-(((time - draw.uniform(4, 28, rows)) / draw.uniform(2, 4, rows)) ** 2))
    clean = bump + draw.choice((-1.0, 1.0), rows) * (time > draw.uniform(6, 26, rows))
    x = clean + draw.normal(0, 0.5, clean.shape)
    return (_floats(x) / float(x.std())).unsqueeze(-1), _floats(clean / clean.std())


# -- tokens


@cache
def _lift(seed: int) -> Pair:
    """Up, down, wait or home: on which of five floors the lift stands after each of sixteen orders."""
    draw = np.random.default_rng(seed)
    x = draw.choice(4, (1300, 16), p=(0.4, 0.4, 0.1, 0.1))
    floor, floors = np.zeros(1300, dtype=int), []
    for place in range(16):
        step = np.array((1, -1, 0, 0))[x[:, place]]
        floor = np.where(x[:, place] == 3, 0, np.clip(floor + step, 0, 4))
        floors.append(floor)
    return torch.tensor(x), torch.tensor(np.stack(floors, 1))


@cache
def _first(seed: int) -> Pair:
    """Eighteen tokens; which of three signals came first. One answer in ten is wrong by nature."""
    draw = np.random.default_rng(seed)
    x, y = draw.integers(3, 20, (1800, 18)), np.zeros(1800, dtype=int)
    for row in range(1800):
        places, signals = np.sort(draw.choice(18, 3, replace=False)), draw.permutation(3)
        x[row, places], y[row] = signals, signals[0]
    return torch.tensor(x), torch.tensor(np.where(draw.random(1800) < 0.1, draw.integers(0, 3, 1800), y))


@cache
def _reviews(seed: int) -> Pair:
    """Twenty words out of sixty: was it liked? A word that turns the next one over makes it harder."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(71)
    worth = np.concatenate((world.normal(0, 1, 50), np.zeros(10)))
    x = draw.integers(0, 60, (1900, 20))
    turned = np.zeros_like(x, dtype=bool)
    turned[:, 1:] = x[:, :-1] >= 55
    score = np.where(turned, -worth[x], worth[x]).sum(1) + draw.normal(0, 0.8, 1900)
    return torch.tensor(x), torch.tensor(score > np.quantile(score, 0.4)).float()


SIGNS = "abcdefghijklmnopqrstuvwxyz .,:;'\"()[]{}<>=+-*/_#@%&|^~!?\\0123456789"


def _signs(text: str) -> list[int]:
    return [SIGNS.index(sign) for sign in " ".join(text.lower().split()) if sign in SIGNS]


@cache
def _snippets(seed: int) -> Pair:
    """Forty letters of what Python comes with: the source of a module, the language's grammar, or its manual."""
    says = [text for _, text in sorted(topics.items())]
    grammar = " ".join(line for text in says for line in text.splitlines() if "::=" in line or "| " in line)
    prose = " ".join(line for text in says for line in text.splitlines() if line[:1].isalpha())
    texts = [_signs(part)[:60_000] for part in (inspect.getsource(argparse), grammar, prose)]
    draw = np.random.default_rng(seed)
    x, y = [], draw.integers(0, 3, 1300)
    for label in y:
        begin = int(draw.integers(0, len(texts[label]) - 40))
        x.append(texts[label][begin : begin + 40])
    return torch.tensor(x), torch.tensor(y)


# -- sets and graphs


@cache
def _parcels(seed: int) -> Pair:
    """Ten parcels by weight, size and value, in no order: what those that are heavy for their size are worth."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(1600, 10, 3))
    worth = ((x[..., 0] > x[..., 1]) * np.exp(0.5 * x[..., 2])).sum(1) + draw.normal(0, 0.3, 1600)
    return _floats(x), standardized(_floats(worth))


@cache
def _figures(seed: int) -> Pair:
    """Nine points in the plane, in no order: on a circle, on a cross or in two heaps."""
    draw = np.random.default_rng(seed)
    y, angle = draw.integers(0, 3, 1500), draw.uniform(0, 6.3, (1500, 9))
    circle = np.stack((np.cos(angle), np.sin(angle)), -1)
    arm, along = draw.integers(0, 2, (1500, 9)), draw.uniform(-1.4, 1.4, (1500, 9))
    cross = np.stack((np.where(arm, along, 0), np.where(arm, 0, along)), -1)
    heaps = np.stack((np.where(arm, 0.9, -0.9), draw.normal(0, 0.5, (1500, 9))), -1)
    turn = draw.uniform(0, 6.3, 1500)
    turned = np.stack((np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)), -1).reshape(1500, 2, 2)
    x = np.stack((circle, cross, heaps))[y, np.arange(1500)] @ turned + draw.normal(0, 0.1, (1500, 9, 2))
    return standardized(_floats(x).flatten(0, 1)).view(1500, 9, 2), torch.tensor(y)


def _edges(draw: np.random.Generator, rows: int, nodes: int, chance: float) -> np.ndarray:
    upper = np.triu(draw.random((rows, nodes, nodes)) < chance, 1)
    return (upper + upper.transpose(0, 2, 1)).astype(float)


@cache
def _molecules(seed: int) -> Pair:
    """Nine atoms with a charge and a size; the energy is what the bonds between them cost. A row: bonds, features."""
    draw = np.random.default_rng(seed)
    edges, features = _edges(draw, 1500, 9, 0.3), draw.normal(size=(1500, 9, 2))
    charge, size = features[..., 0], features[..., 1]
    cost = charge[:, :, None] * charge[:, None] + 0.8 * abs(size[:, :, None] - size[:, None])
    energy = (edges * cost).sum((1, 2)) / 2 + draw.normal(0, 0.3, 1500)
    return _floats(np.concatenate((edges, features), 2)), standardized(_floats(energy))


@cache
def _networks(seed: int) -> Pair:
    """Eleven people who know each other and think yes or no: does the whole agree with its neighbours or quarrel?"""
    draw = np.random.default_rng(seed)
    y, rows = draw.integers(0, 3, 1500), 1500
    opinion = draw.choice((-1.0, 1.0), (rows, 11))
    agree = opinion[:, :, None] * opinion[:, None] > 0
    chance = np.array(((0.5, 0.15), (0.32, 0.32), (0.15, 0.5)))[y]
    wanted = np.where(agree, chance[:, 0, None, None], chance[:, 1, None, None])
    upper = np.triu(draw.random((rows, 11, 11)) < wanted, 1)
    edges = (upper + upper.transpose(0, 2, 1)).astype(float)
    features = np.stack((opinion, (edges.sum(2) - 3.2) / 1.6), -1)
    return _floats(np.concatenate((edges, features), 2)), torch.tensor(y)


GAIT = second("gait", _gait, 3, 4, "accuracy", 0.82, sizes=(800, 150, 350), length=24)
RIVER = second("river", _river, 2, 1, "r2", 0.8, MSE, (800, 250, 450), 14)
POWER = second("power", _power, 1, 4, "r2", 0.85, MSE, (750, 250, 400), 24)
PHASES = second("phases", _phases, 2, 4, "accuracy", 0.8, sizes=(600, 200, 300), length=20, each=True)
SIGNALS = second("signals", _signals, 1, 32, "r2", 0.75, MSE, (700, 200, 400), 32)
LIFT = second("lift", _lift, 4, 5, "accuracy", 0.9, sizes=(700, 200, 400), length=16, tokens=True, each=True)
FIRST = second("first", _first, 20, 3, "accuracy", 0.8, sizes=(1250, 200, 350), length=18, tokens=True)
REVIEWS = second("reviews", _reviews, 60, 1, "accuracy", 0.71, BCE, (1300, 200, 400), 20, tokens=True)
SNIPPETS = second("snippets", _snippets, len(SIGNS), 3, "accuracy", 0.8, sizes=(850, 150, 300), length=40, tokens=True)
PARCELS = second("parcels", _parcels, 3, 1, "r2", 0.82, MSE, (900, 250, 450), 10)
FIGURES = second("figures", _figures, 2, 3, "accuracy", 0.78, sizes=(800, 250, 450), length=9)
MOLECULES = second("molecules", _molecules, 11, 1, "r2", 0.75, MSE, (900, 200, 400), 9)
NETWORKS = second("networks", _networks, 13, 3, "accuracy", 0.78, sizes=(900, 200, 400), length=11)
