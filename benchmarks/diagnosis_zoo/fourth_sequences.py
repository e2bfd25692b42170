"""Pictures, sequences, sets and graphs of the fourth part, see `Task.part`."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from diagnosis_zoo.fourth_tables import fourth
from diagnosis_zoo.tasks import MSE, Pair, standardized


def _floats(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)


# -- pictures

ROWS, COLUMNS = np.mgrid[:12, :12]


@cache
def _cells(seed: int) -> Pair:
    """A cell under a microscope: round, long, dividing in two, or burst; uneven light, and grains around it."""
    draw = np.random.default_rng(seed)
    y, shape = draw.integers(0, 4, 1700), (1700, 1, 1)
    up, left = draw.uniform(4, 7, (2, *shape))
    angle, size = draw.uniform(0, np.pi, shape), draw.uniform(2.2, 3.0, shape)
    along = (COLUMNS - left) * np.cos(angle) + (ROWS - up) * np.sin(angle)
    across = (ROWS - up) * np.cos(angle) - (COLUMNS - left) * np.sin(angle)

    def disc(shift: np.ndarray | float, longer: float, radius: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(3 * (np.hypot((along - shift) / longer, across * longer) - radius)))

    kinds = (
        disc(0, 1.0, size),
        disc(0, 1.7, size),
        np.maximum(disc(-2.1, 1.0, 0.65 * size), disc(2.1, 1.0, 0.65 * size)),
        disc(0, 1.0, size) * (1 - disc(1.2, 1.0, 0.65 * size)),
    )
    x = np.stack(kinds)[y, np.arange(1700)] * draw.uniform(0.7, 1.3, shape) + 0.03 * draw.normal(size=shape) * ROWS
    x += 0.6 * (draw.random(x.shape) < 0.015) + draw.normal(0, 0.13, x.shape)
    return standardized(_floats(x).view(-1, 1)).view(1700, 1, 12, 12), torch.tensor(y)


@cache
def _tracks(seed: int) -> Pair:
    """The track of a particle through a detector with gaps and stray hits: how strongly it bends, and to which side."""
    draw = np.random.default_rng(seed)
    shape = (1700, 1, 1)
    bend, enter, tilt = draw.uniform(-1, 1, shape), draw.uniform(4, 7, shape), draw.uniform(-0.25, 0.25, shape)
    away = COLUMNS - 5.5
    path = enter + tilt * away + 0.09 * bend * (away**2 - 12)
    hit = np.exp(-(((ROWS - path) / 0.8) ** 2)) * (draw.random((1700, 1, 12)) < 0.85)
    x = hit + 0.8 * (draw.random((1700, 12, 12)) < 0.03) + draw.normal(0, 0.2, (1700, 12, 12))
    y = bend[:, 0, 0] + draw.normal(0, 0.1, 1700)
    return standardized(_floats(x).view(-1, 1)).view(1700, 1, 12, 12), standardized(_floats(y))


@cache
def _tiles(seed: int) -> Pair:
    """Tiles of a map from above in three colours: wood, town, field or marsh; alike in colour, unlike in grain."""
    draw = np.random.default_rng(seed)
    y, shape = draw.choice(4, 1600, p=(0.35, 0.25, 0.2, 0.2)), (1600, 1, 1)
    rough = draw.normal(size=(1600, 14, 14))
    wood = sum(rough[:, a : a + 12, b : b + 12] for a in range(2) for b in range(2)) / 2
    marsh = sum(rough[:, a : a + 12, b : b + 12] for a in range(3) for b in range(3)) / 3
    block, start = draw.integers(3, 5, shape), draw.integers(0, 4, (2, *shape))
    town = 1.6 * (((ROWS + start[0]) // block + (COLUMNS + start[1]) // block) % 2) - 0.8
    angle, pitch = draw.uniform(0, np.pi, shape), draw.uniform(1.2, 2.2, shape)
    field = 1.2 * np.sin(pitch * (ROWS * np.cos(angle) + COLUMNS * np.sin(angle)) + draw.uniform(0, 6.3, shape))
    grain = np.stack((wood, town, field, marsh))[y, np.arange(1600)]
    colour = np.array(((0.2, 0.6, 0.2), (0.5, 0.4, 0.4), (0.5, 0.6, 0.2), (0.2, 0.5, 0.4)))[y]
    tint = colour + draw.normal(0, 0.25, (1600, 3))
    x = tint[..., None, None] + 0.35 * grain[:, None] * (1 + 0.3 * colour[..., None, None])
    x += draw.normal(0, 0.4, x.shape)
    return (_floats(x) - float(x.mean())) / float(x.std()), torch.tensor(y)


# -- measurements over time


@cache
def _appliances(seed: int) -> Pair:
    """What a socket gives in 28 minutes: a fridge, a kettle, a washing machine or an oven, over other loads."""
    draw = np.random.default_rng(seed)
    y, rows, time = draw.integers(0, 4, 1700), (1700, 1), np.arange(28)
    start, period = draw.uniform(0, 28, rows), draw.uniform(7, 11, rows)
    fridge = 0.9 * ((time + start) % period < 0.45 * period)
    kettle = 1.3 * ((time >= start - 6) & (time < start - 6 + draw.uniform(3, 6, rows)))
    washing = 0.5 + 0.7 * np.abs(np.sin(0.9 * time + start)) * (time > draw.uniform(0, 14, rows))
    oven = np.where(time < draw.uniform(6, 12, rows), 1.1, 0.9 * ((time + start) % 4 < 2))
    x = np.stack((fridge, kettle, washing, oven))[y, np.arange(1700)] * draw.uniform(0.6, 1.4, rows)
    x = x + np.cumsum(draw.normal(0, 0.09, (1700, 28)), 1) + draw.normal(0, 0.32, (1700, 28))
    return (_floats(x) / float(x.std())).unsqueeze(-1), torch.tensor(y)


@cache
def _glucose(seed: int) -> Pair:
    """Sugar in the blood, meals and insulin over 24 quarters of an hour; the targets are the next three values."""
    draw = np.random.default_rng(seed)
    meal = (draw.random((1500, 27)) < 0.12) * draw.gamma(3.0, 0.4, (1500, 27))
    dose = np.roll(meal, 1, 1) * draw.uniform(0.3, 1.3, (1500, 27))
    level, gut, acting = draw.normal(0, 1, 1500), np.zeros(1500), np.zeros(1500)
    speed, answers, levels = draw.uniform(0.2, 0.5, 1500), draw.uniform(0.5, 1.3, 1500), []
    for step in range(27):
        gut, acting = (1 - speed) * gut + meal[:, step], 0.75 * acting + dose[:, step]
        level = 0.93 * level + 0.5 * speed * gut - 0.22 * answers * acting * (1 + np.tanh(level)) / 2
        level = level + draw.normal(0, 0.12, 1500)
        levels.append(level)
    seen = np.stack(levels, 1) + draw.normal(0, 0.1, (1500, 27))
    x = standardized(_floats(np.stack((seen, meal, dose), -1)[:, :24]).flatten(0, 1)).view(1500, 24, 3)
    return x, standardized(_floats(seen[:, 24:]))


@cache
def _quakes(seed: int) -> Pair:
    """The ground in two directions, 22 samples: at each, is it at rest, in the first wave, the second or its tail?"""
    draw = np.random.default_rng(seed)
    rows, time = (1200, 1), np.arange(22)
    first = draw.integers(2, 9, rows)
    second = first + draw.integers(3, 7, rows)
    tail = second + draw.integers(3, 6, rows)
    y = (time >= first).astype(int) + (time >= second) + (time >= tail)
    strength = draw.lognormal(0, 0.2, rows)
    upright = np.array((0.25, 1.1, 0.7, 0.35))[y] * strength
    level = np.array((0.25, 0.4, 1.5, 0.7))[y] * strength
    pitch = draw.uniform(1.6, 2.4, rows)
    x = np.stack((upright * np.sin(pitch * time), level * np.cos(0.7 * pitch * time)), -1) * 1.2
    x = x + 0.45 * np.stack((upright, level), -1) * draw.normal(size=x.shape) + draw.normal(0, 0.12, x.shape)
    return (_floats(x) / float(x.std())), torch.tensor(y)


# -- tokens


@cache
def _grammar(seed: int) -> Pair:
    """Sentences of sixteen words out of forty; for each its part of speech, of which many words may be two.

    What follows a part of speech tells which one it was, as does what came before it.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(421)
    follows = world.dirichlet(np.full(5, 0.35), 5).cumsum(1)
    words = world.dirichlet(np.full(40, 0.12), 5).cumsum(1)
    part, parts = draw.integers(0, 5, 1200), []
    for _ in range(16):
        part = (draw.random((1200, 1)) > follows[part]).sum(1).clip(0, 4)
        parts.append(part)
    y = np.stack(parts, 1)
    said = (draw.random((1200, 16, 1)) > 0.55 * words[y] + 0.45 * (words[y] + words[(y + 1) % 5]) / 2).sum(2)
    return torch.tensor(said.clip(0, 39)), torch.tensor(y)


@cache
def _peptides(seed: int) -> Pair:
    """Chains of 22 out of twelve residues: do they bind at one site, at another, or not? Two kinds, a gap between."""
    draw = np.random.default_rng(seed)
    y, x = draw.integers(0, 3, 2000), draw.integers(0, 12, (2000, 22))
    for chain, label in zip(x, y, strict=True):
        place, gap = int(draw.integers(0, 17)), int(draw.integers(2, 5))
        if label < 2:
            ends = ((0, 1), (4, 5))[label]
            chain[place] = ends[0] if draw.random() < 0.8 else ends[0] + 2
            chain[place + 1], chain[place + gap] = ends[1], 8 + label
    return torch.tensor(x), torch.tensor(np.where(draw.random(2000) < 0.05, draw.integers(0, 3, 2000), y))


@cache
def _routes(seed: int) -> Pair:
    """Twenty stops of a visitor among twelve rooms; the next room depends on the last and on what he came for."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(422)
    likes = world.dirichlet(np.full(12, 0.12), (3, 12)).cumsum(2)
    kind, room, stops = draw.integers(0, 3, 1100), draw.integers(0, 12, 1100), []
    for _ in range(20):
        stops.append(room)
        room = (draw.random((1100, 1)) > likes[kind, room]).sum(1).clip(0, 11)
    lines = torch.tensor(np.stack(stops, 1))
    return lines[:, :-1].contiguous(), lines[:, 1:].contiguous()


# -- sets and graphs


@cache
def _flocks(seed: int) -> Pair:
    """Twelve birds with place and flight: going one way, round and round, apart, or each its own way."""
    draw = np.random.default_rng(seed)
    y, place = draw.integers(0, 4, 1600), draw.normal(size=(1600, 12, 2))
    turned = np.stack((-place[..., 1], place[..., 0]), -1) * draw.choice((-1, 1), (1600, 1, 1))
    angle = draw.uniform(0, 2 * np.pi, (1600, 1, 1))
    along = np.concatenate((np.cos(angle), np.sin(angle)), 2) * np.ones((1600, 12, 1))
    flight = np.stack((along, turned, place, draw.normal(size=place.shape)))[y, np.arange(1600)]
    flight = 0.8 * flight + draw.normal(0, 0.65, place.shape)
    return _floats(np.concatenate((place + draw.normal(0, 0.3, (1600, 1, 2)), flight), 2)), torch.tensor(y)


@cache
def _grid(seed: int) -> Pair:
    """Ten towns of a power grid, what each makes and needs: how much is missing once neighbours have helped."""
    draw = np.random.default_rng(seed)
    upper = np.triu(draw.random((1500, 10, 10)) < 0.3, 1)
    edges = (upper + upper.transpose(0, 2, 1)).astype(float)
    made, need = draw.gamma(1.5, 0.8, (1500, 10)), draw.gamma(3.0, 0.4, (1500, 10))
    spare = np.maximum(made - need, 0) / (1 + edges.sum(2))
    helped = np.einsum("nij,nj->ni", edges, spare)
    missing = np.maximum(need - made - helped, 0).sum(1)
    features = np.stack((made - 1.2, need - 1.2), -1)
    y = standardized(_floats(missing)) + _floats(draw.normal(0, 0.25, 1500))
    return _floats(np.concatenate((edges, features), 2)), standardized(y)


CELLS = fourth("cells", _cells, 1, 4, "accuracy", 0.85, sizes=(900, 250, 500), length=12)
TRACKS = fourth("tracks", _tracks, 1, 1, "r2", 0.74, MSE, (900, 250, 500), 12)
TILES = fourth("tiles", _tiles, 3, 4, "accuracy", 0.8, sizes=(850, 250, 450), length=12)
APPLIANCES = fourth("appliances", _appliances, 1, 4, "accuracy", 0.78, sizes=(900, 250, 500), length=28)
GLUCOSE = fourth("glucose", _glucose, 3, 3, "r2", 0.52, MSE, (800, 250, 450), 24)
QUAKES = fourth("quakes", _quakes, 2, 4, "accuracy", 0.91, sizes=(600, 200, 400), length=22, each=True)
GRAMMAR = fourth("grammar", _grammar, 40, 5, "accuracy", 0.83, sizes=(600, 200, 400), length=16, tokens=True, each=True)
PEPTIDES = fourth("peptides", _peptides, 12, 3, "accuracy", 0.78, sizes=(1300, 250, 450), length=22, tokens=True)
ROUTES = fourth("routes", _routes, 12, 12, "accuracy", 0.48, sizes=(650, 200, 250), length=19, tokens=True, each=True)
FLOCKS = fourth("flocks", _flocks, 4, 4, "accuracy", 0.8, sizes=(850, 250, 500), length=12)
GRID = fourth("grid", _grid, 12, 1, "r2", 0.88, MSE, (850, 250, 400), 10)
