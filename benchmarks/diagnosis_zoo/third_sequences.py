"""Sequences, sets and graphs of the third part, see `Task.part`."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, standardized

third = partial(Task, part=3)


def _floats(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)


# -- measurements over time


@cache
def _beats(seed: int) -> Pair:
    """One heartbeat in 32 samples: as it should be, broad, early with a pause, or without its first small wave."""
    draw = np.random.default_rng(seed)
    y, rows = draw.integers(0, 4, 1900), (1900, 1)
    time = np.arange(32)
    peak = draw.uniform(13, 18, rows) - np.where(y[:, None] == 2, 5, 0)

    def wave(at: np.ndarray, wide: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
        return high * np.exp(-(((time - at) / wide) ** 2))

    broad = np.where(y[:, None] == 1, 2.6, 1.2)
    x = wave(peak - 6, 1.5, np.where(y[:, None] == 3, 0, 0.5)) + wave(peak, broad, draw.uniform(1.2, 2, rows))
    x = x - wave(peak + 2.5, broad, 0.5) + wave(peak + 9, 2.5, 0.6)
    x += 0.2 * np.sin(time * draw.uniform(0.05, 0.15, rows) + draw.uniform(0, 6.3, rows))
    x += draw.normal(0, 0.15, x.shape)
    return (_floats(x) / float(x.std())).unsqueeze(-1), torch.tensor(y)


@cache
def _tides(seed: int) -> Pair:
    """Twenty hours of the sea in a bay and the wind that lifts it at flood; the targets are the next three hours."""
    draw = np.random.default_rng(seed)
    rows, hours = (1500, 1), np.arange(23)
    wind, gusts = np.zeros((1500, 23)), draw.normal(0, 0.4, (1500, 23))
    for hour in range(1, 23):
        wind[:, hour] = 0.9 * wind[:, hour - 1] + gusts[:, hour]
    moon = draw.uniform(0.5, 1.5, rows) * np.cos(6.3 * hours / draw.uniform(9, 15, rows) + draw.uniform(0, 6.3, rows))
    shallow = 0.5 * np.abs(moon) * np.cos(12.6 * hours / 12 + draw.uniform(0, 6.3, rows))
    level = moon + shallow + 0.7 * np.maximum(wind, 0) * (1 + np.tanh(2 * moon)) + draw.normal(0, 0.12, (1500, 23))
    return _floats(np.stack((level, wind), -1)[:, :20]), standardized(_floats(level[:, 20:]))


@cache
def _sleep(seed: int) -> Pair:
    """Eighteen epochs of a night by two measures: awake, light or deep? Who is in one state mostly stays there."""
    draw = np.random.default_rng(seed)
    chances = np.array(((0.8, 0.2, 0.0), (0.1, 0.7, 0.2), (0.05, 0.15, 0.8))).cumsum(1)
    state, states = draw.integers(0, 3, 1200), []
    for _ in range(18):
        state = (draw.random((1200, 1)) > chances[state]).sum(1).clip(0, 2)
        states.append(state)
    y = np.stack(states, 1)
    power = np.array((0.0, 0.9, 2.0))[y] + draw.normal(0, 0.6, y.shape)
    moves = draw.exponential(np.array((1.2, 0.6, 0.3))[y])
    x = standardized(_floats(np.stack((power, moves), -1)).flatten(0, 1)).view(1200, 18, 2)
    return x, torch.tensor(y)


@cache
def _motors(seed: int) -> Pair:
    """Current and vibration of a motor, 24 samples: how many hours are left, by drift, ripple and the rare knock."""
    draw = np.random.default_rng(seed)
    worn, rows = draw.uniform(0, 1, (1500, 1)), (1500, 1)
    time = np.arange(24)
    current = (
        worn * np.maximum(time - draw.uniform(0, 12, rows), 0) / 16
        + draw.normal(0, 0.3, rows)
        + 0.6 * np.sin(draw.uniform(0.8, 1.2, rows) * time + draw.uniform(0, 6.3, rows))
    )
    shake = (0.3 + worn**2) * draw.normal(size=(1500, 24)) + 2 * (draw.random((1500, 24)) < 0.1 * worn)
    x = np.stack((current + draw.normal(0, 0.3, current.shape), shake), -1)
    left = (1 - worn[:, 0]) ** 1.5 + draw.normal(0, 0.06, 1500)
    return standardized(_floats(x).flatten(0, 1)).view(1500, 24, 2), standardized(_floats(left))


# -- tokens


@cache
def _logs(seed: int) -> Pair:
    """Twenty lines of a log: was a door (0) opened that none (1) shut later? One in sixteen is marked wrongly."""
    draw = np.random.default_rng(seed)
    x = draw.integers(2, 16, (2400, 20))
    for row in x:
        places = np.sort(draw.choice(20, int(draw.integers(1, 5)), replace=False))
        row[places] = draw.integers(0, 2, len(places))
    last_open = np.where(x == 0, np.arange(20), -1).max(1)
    last_shut = np.where(x == 1, np.arange(20), -1).max(1)
    said = (last_open > last_shut) ^ (draw.random(2400) < 0.06)
    return torch.tensor(x), torch.tensor(said).float()


@cache
def _recipes(seed: int) -> Pair:
    """Fourteen ingredients out of ninety, in no order: of which of four kitchens? Many are used in all of them."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(311)
    use = np.exp(world.normal(0, 1.0, (4, 90)) * (world.random(90) < 0.6) + world.normal(0, 0.7, 90))
    y = draw.choice(4, 1800, p=(0.4, 0.25, 0.2, 0.15))
    x = np.stack([draw.choice(90, 14, p=use[label] / use[label].sum()) for label in y])
    return torch.tensor(x), torch.tensor(np.where(draw.random(1800) < 0.06, draw.integers(0, 4, 1800), y))


@cache
def _modes(seed: int) -> Pair:
    """Sixteen inputs to a machine tool, nine kinds; for each: what is done, by the input and the last mode chosen."""
    draw = np.random.default_rng(seed)
    x = np.where(draw.random((1300, 16)) < 0.25, draw.integers(0, 3, (1300, 16)), draw.integers(3, 9, (1300, 16)))
    mode, y = np.zeros(1300, dtype=int), np.zeros_like(x)
    for place in range(16):
        mode = np.where(x[:, place] < 3, x[:, place], mode)
        y[:, place] = np.where(x[:, place] < 3, 0, 1 + (mode + x[:, place]) % 3)
    return torch.tensor(x), torch.tensor(y)


@cache
def _chords(seed: int) -> Pair:
    """Songs of eighteen chords out of eight; the next chord follows the last two, three times in four as expected."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(312)
    follows = world.integers(0, 8, (8, 8))
    lines = draw.integers(0, 8, (1200, 19))
    for place in range(2, 19):
        expected = draw.random(1200) < 0.75
        lines[expected, place] = follows[lines[expected, place - 2], lines[expected, place - 1]]
    return torch.tensor(lines[:, :-1]), torch.tensor(lines[:, 1:])


# -- sets and graphs


@cache
def _stars(seed: int) -> Pair:
    """Fourteen stars in space, in no order: strung on a line, lying in a plane, in a ball or on a shell."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 4, 1500)
    ball = draw.normal(size=(1500, 14, 3))
    flat = ball * np.array(((1.7, 0.12, 0.12), (1.2, 1.2, 0.12), (1, 1, 1), (1, 1, 1)))[y][:, None]
    shell = 1.7 * ball / np.linalg.norm(ball, axis=2, keepdims=True)
    turn = np.linalg.qr(draw.normal(size=(1500, 3, 3)))[0]
    x = np.where((y == 3)[:, None, None], shell, flat) @ turn + draw.normal(0, 0.15, ball.shape)
    return _floats(x), torch.tensor(y)


@cache
def _epidemic(seed: int) -> Pair:
    """Ten people who meet, some of them ill, some immune: how many fall ill in two rounds. A row: edges, features."""
    draw = np.random.default_rng(seed)
    upper = np.triu(draw.random((1500, 10, 10)) < 0.25, 1)
    edges = (upper + upper.transpose(0, 2, 1)).astype(float)
    first, open_ = (draw.random((1500, 10)) < 0.25).astype(float), draw.uniform(0, 1, (1500, 10))
    ill = first
    for _ in range(2):
        spread = 1 - np.exp(-0.9 * np.einsum("nij,nj->ni", edges, ill) * open_)
        ill = ill + (1 - ill) * spread
    features = np.stack((2 * first - 0.5, 2 * open_ - 1), -1)
    total = (ill - first).sum(1) + draw.normal(0, 0.2, 1500)
    return _floats(np.concatenate((edges, features), 2)), standardized(_floats(total))


BEATS = third("beats", _beats, 1, 4, "accuracy", 0.86, sizes=(1200, 250, 450), length=32)
TIDES = third("tides", _tides, 2, 3, "r2", 0.72, MSE, (800, 250, 450), 20)
SLEEP = third("sleep", _sleep, 2, 3, "accuracy", 0.78, sizes=(600, 200, 400), length=18, each=True)
MOTORS = third("motors", _motors, 2, 1, "r2", 0.77, MSE, (800, 250, 450), 24)
LOGS = third("logs", _logs, 16, 1, "accuracy", 0.88, BCE, (1600, 250, 550), 20, tokens=True)
RECIPES = third("recipes", _recipes, 90, 4, "accuracy", 0.72, sizes=(1100, 250, 450), length=14, tokens=True)
MODES = third("modes", _modes, 9, 4, "accuracy", 0.93, sizes=(700, 200, 400), length=16, tokens=True, each=True)
CHORDS = third("chords", _chords, 8, 8, "accuracy", 0.64, sizes=(700, 200, 300), length=18, tokens=True, each=True)
STARS = third("stars", _stars, 3, 4, "accuracy", 0.82, sizes=(850, 250, 400), length=14)
EPIDEMIC = third("epidemic", _epidemic, 12, 1, "r2", 0.8, MSE, (850, 250, 400), 10)
