"""Sequences, sets and graphs of the seventh part, see `Task.part`.

Written after the first six parts had been looked at, by someone who saw none of the rules.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, standardized

seventh = partial(Task, part=7)


def _floats(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)


def _series(x: np.ndarray) -> torch.Tensor:
    """Each channel with mean 0 and deviation 1 over all samples and moments."""
    return standardized(_floats(x).flatten(0, 1)).view(x.shape)


# -- measurements over time


@cache
def _pens(seed: int) -> Pair:
    """How a pen moves in 24 moments, across and up: a loop, an eight, a zigzag, a spiral or a hook; written aslant.

    Loops are common and hooks rare; some labels are wrong, and the tablet trembles with heavy tails.
    """
    draw = np.random.default_rng(seed)
    y, rows = draw.choice(5, 1800, p=(0.3, 0.2, 0.2, 0.18, 0.12)), (1800, 1)
    pace = draw.uniform(0.3, 1.0, (1800, 24)).cumsum(1)
    part = pace / pace[:, -1:]
    turn, begin = 2 * np.pi * part * draw.uniform(0.85, 1.3, rows), draw.uniform(-0.8, 0.8, rows)
    shapes = (
        (np.cos(turn + begin), np.sin(turn + begin)),
        (np.sin(turn + begin), 0.8 * np.sin(2 * (turn + begin))),
        (2 * part, 0.5 * np.arcsin(np.sin(3 * turn + begin))),
        ((0.2 + part) * np.cos(2 * turn + begin), (0.2 + part) * np.sin(2 * turn + begin)),
        (np.minimum(2.5 * part, 1.2) + 0.1 * begin, -1.6 * np.maximum(part - 0.5 - 0.1 * begin, 0)),
    )
    across, up = np.stack([np.stack(shape) for shape in shapes])[y, :, np.arange(1800)].transpose(1, 0, 2)
    slant = draw.normal(0.2, 0.25, rows)
    place = np.stack((across + slant * up, up), -1) * draw.lognormal(0, 0.2, (1800, 1, 2))
    moved = np.diff(place, axis=1, prepend=place[:, :1]) + 0.15 * draw.standard_t(3, place.shape)
    said = np.where(draw.random(1800) < 0.05, draw.integers(0, 5, 1800), y)
    return _series(moved.clip(-1.5, 1.5)), torch.tensor(said)


@cache
def _leaks(seed: int) -> Pair:
    """Flow and pressure in a street's water pipe, 24 quarters: did a leak begin? It did in three cases of ten.

    People use more in the morning too; a leak lowers the pressure by more than what is used would.
    """
    draw = np.random.default_rng(seed)
    leak, begin = draw.random(1900) < 0.3, draw.integers(5, 17, (1900, 1))
    time = np.arange(24)
    rush = np.exp(-((time - draw.uniform(4, 20, (1900, 1))) ** 2) / 12) * draw.gamma(3.0, 0.4, (1900, 1))
    used = draw.gamma(4.0, 0.25, (1900, 1)) + rush + 0.25 * draw.gamma(1.0, 1.0, (1900, 24))
    lost = leak[:, None] * (time >= begin) * draw.lognormal(-0.2, 0.35, (1900, 1))
    pressure = 5 - 0.5 * (used + lost) - 0.75 * lost + 0.15 * draw.normal(size=(1900, 24)).cumsum(1) / 2
    pressure += draw.normal(0, 0.2, (1900, 24))
    said = leak ^ (draw.random(1900) < 0.03)
    return _series(np.stack((used + lost, pressure), -1)), torch.tensor(said).float()


@cache
def _pendula(seed: int) -> Pair:
    """Where a pendulum in thick air is at 24 moments, each eighth unknown and written as 0: how thick is the air?"""
    draw = np.random.default_rng(seed)
    thick, pull = draw.uniform(0.02, 0.35, 1500), draw.uniform(0.5, 1.2, 1500)
    angle, speed, seen = draw.uniform(0.8, 2.2, 1500), draw.normal(0, 0.3, 1500), []
    for _ in range(24):
        for _ in range(4):
            speed = speed - 0.25 * (pull * np.sin(angle) + thick * speed * (1 + abs(speed)))
            angle = angle + 0.25 * speed
        seen.append(angle)
    x = np.stack(seen, 1) + draw.normal(0, 0.07, (1500, 24))
    known = draw.random(x.shape) > 0.12
    y = np.log(thick + 0.05) + draw.normal(0, 0.1, 1500)
    return _series(np.stack((x * known, known), -1)), standardized(_floats(y))


@cache
def _hares(seed: int) -> Pair:
    """How many hares and lynxes were counted in each of 22 seasons, and the snow: how many of both two seasons on?

    Much snow is bad for hares, and so for those that live on them. After the last count it stays as it was then. Counts
    err, more so where there are few.
    """
    draw = np.random.default_rng(seed)
    hares, lynxes = draw.lognormal(0, 0.4, 1600), draw.lognormal(0, 0.4, 1600)
    growth, hunger, seen = draw.uniform(0.5, 0.9, 1600), draw.uniform(0.4, 0.8, 1600), []
    snow = draw.normal(size=(1600, 22))
    for season in range(24):
        seen.append(np.stack((hares, lynxes), 1))
        bad = 0.25 * snow[:, min(season, 21)]
        more = growth * (1 - 0.25 * hares) - 0.6 * lynxes / (1 + 0.3 * hares) - bad
        less = 0.55 * hares / (1 + 0.3 * hares) - hunger
        hares, lynxes = (
            (old * np.exp(change + draw.normal(0, 0.18, 1600))).clip(0.05, 8)
            for old, change in ((hares, more), (lynxes, less))
        )
    counts = np.log(np.stack(seen, 1))
    x = counts[:, :22] + draw.normal(0, 0.2, (1600, 22, 2)) * np.exp(-0.3 * counts[:, :22])
    return _series(np.concatenate((x, snow[..., None]), 2)), standardized(_floats(counts[:, -1]))


@cache
def _gears(seed: int) -> Pair:
    """Speed of the engine, speed of the car and the pedal at twenty moments; at each: which of five gears is in?

    Cars differ in their ratios. While the clutch slips, for a moment after each change, the engine says little.
    """
    draw = np.random.default_rng(seed)
    gear, gears, slips = draw.integers(0, 5, 1200), [], []
    for _ in range(20):
        change = draw.random(1200) < 0.22
        step = np.where(draw.random(1200) < 0.55, 1, -1)
        new = np.where(change, (gear + step).clip(0, 4), gear)
        slips.append(new != gear)
        gear = new
        gears.append(gear)
    y, slip = np.stack(gears, 1), np.stack(slips, 1)
    ratio = np.array((3.5, 2.1, 1.4, 1.0, 0.78))[y] * draw.lognormal(0, 0.12, (1200, 1))
    pedal = draw.beta(1.5, 2, y.shape)
    speed = np.array((1.0, 1.9, 2.9, 3.9, 5.0))[y] * (0.8 + 0.5 * pedal) * draw.lognormal(0, 0.15, y.shape)
    engine = speed * ratio * draw.lognormal(0, 0.05, y.shape) * np.where(slip, draw.uniform(0.6, 1.7, y.shape), 1)
    return _series(np.stack((np.log(engine), np.log(speed), pedal), -1)), torch.tensor(y)


# -- tokens


@cache
def _dialects(seed: int) -> Pair:
    """Twenty-four sounds out of twelve: which of four dialects? They differ in what follows what, not in how often.

    Two are common and two rare. One sound in ten was heard wrongly, and one speaker in twenty-five put down wrongly.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(711)
    orders = [world.permutation(12) for _ in range(8)]
    y = draw.choice(4, 1900, p=(0.35, 0.3, 0.2, 0.15))
    first, second = np.stack(orders[:4])[y], np.stack(orders[4:])[y]
    rows, sounds = np.arange(1900), [draw.integers(0, 12, 1900)]
    for _ in range(23):
        chance = draw.random(1900)
        follows = np.where(chance < 0.3, first[rows, sounds[-1]], second[rows, sounds[-1]])
        sounds.append(np.where(chance < 0.5, follows, draw.integers(0, 12, 1900)))
    x = np.stack(sounds, 1)
    x = np.where(draw.random(x.shape) < 0.1, draw.integers(0, 12, x.shape), x)
    return torch.tensor(x), torch.tensor(np.where(draw.random(1900) < 0.04, draw.integers(0, 4, 1900), y))


@cache
def _rounds(seed: int) -> Pair:
    """Twenty doors out of twenty that a watchman tried, in order: which of four rules did he break?

    For each rule there is a door that must not be tried within three steps after another one; others come between.
    """
    draw = np.random.default_rng(seed)
    use = 1 / (8 + np.arange(20.0))
    x = draw.choice(20, (2000, 20), p=use / use.sum())
    broken = []
    for first, then in ((0, 5), (1, 6), (2, 2), (7, 3)):
        after = [(x[:, :-away] == first) & (x[:, away:] == then) for away in (1, 2, 3)]
        broken.append(np.concatenate(after, 1).any(1))
    y = np.stack(broken, 1)
    return torch.tensor(x), torch.tensor(y ^ (draw.random(y.shape) < 0.03)).float()


@cache
def _tunes(seed: int) -> Pair:
    """Twenty notes out of nine; a tune goes on up or down as it went, by steps or, in some tunes, by leaps of two.

    At the ends of the scale it turns back, at times anywhere, and now and then it comes home. The next note is asked.
    """
    draw = np.random.default_rng(seed)
    leap, up = np.where(draw.random(1200) < 0.6, 1, 2), draw.choice((-1, 1), 1200)
    note, notes = draw.integers(0, 9, 1200), []
    for _ in range(21):
        notes.append(note)
        up = np.where(draw.random(1200) < 0.15, -up, up)
        up = np.where((note + up * leap > 8) | (note + up * leap < 0), -up, up)
        note = np.where(draw.random(1200) < 0.08, 0, note + up * leap)
    lines = torch.tensor(np.stack(notes, 1))
    return lines[:, :-1].contiguous(), lines[:, 1:].contiguous()


@cache
def _genes(seed: int) -> Pair:
    """Twenty-two letters out of five; for each: is it in no gene, in one of the first kind or in one of the second?

    "0 1" opens the first kind and "0 2" the second, where none is open; "3 3" or "3 4" closes either. A few tags err.
    """
    draw = np.random.default_rng(seed)
    x = draw.choice(5, (1300, 22), p=(0.26, 0.16, 0.16, 0.24, 0.18))
    state, tags = np.zeros(1300, dtype=int), [np.zeros(1300, dtype=int)]
    for place in range(1, 22):
        before, now = x[:, place - 1], x[:, place]
        opens = np.where((before == 0) & ((now == 1) | (now == 2)), now, 0)
        closes = (before == 3) & (now >= 3)
        state = np.where(state == 0, opens, np.where(closes, 0, state))
        tags.append(state)
    y = np.stack(tags, 1)
    return torch.tensor(x), torch.tensor(np.where(draw.random(y.shape) < 0.05, draw.integers(0, 3, y.shape), y))


# -- sets and graphs


@cache
def _cargoes(seed: int) -> Pair:
    """Twelve crates on a ship by weight, place along it and height, in no order: how it trims and how it rolls.

    The heavy ones count most; what stands high and is light shifts, which makes the rolling worse.
    """
    draw = np.random.default_rng(seed)
    weight, place = draw.lognormal(0, 0.7, (1500, 12)), draw.uniform(-1, 1, (1500, 12)) + draw.normal(0, 0.2, (1500, 1))
    high = draw.gamma(2.0, 0.5, (1500, 12))
    total = weight.sum(1)
    trim = (weight * place).sum(1) / total
    roll = (weight * high).sum(1) / total + 0.15 * (high * (weight < 0.6) * (high > 1)).sum(1)
    y = standardized(_floats(np.stack((trim, roll), 1))) + _floats(draw.normal(0, 0.2, (1500, 2)))
    return _series(np.stack((np.log(weight), place, high), -1)), standardized(y)


@cache
def _seedlings(seed: int) -> Pair:
    """Fourteen seedlings on a square of the wood, by place and size: sown evenly, by chance or in heaps?

    Evenly sown ones keep their distance; in heaps the late ones are small. Some labels are wrong.
    """
    draw = np.random.default_rng(seed)
    y, fields = draw.choice(3, 1500, p=(0.3, 0.4, 0.3)), []
    for label in y:
        place = draw.uniform(-1, 1, (14, 2))
        if label == 2:
            middles = draw.uniform(-0.9, 0.9, (int(draw.integers(3, 6)), 2))
            place = middles[draw.integers(0, len(middles), 14)] + draw.normal(0, 0.13, (14, 2))
        for _ in range(25 if label == 0 else 0):
            away = place[:, None] - place[None]
            near = np.exp(-((away**2).sum(2, keepdims=True)) / 0.1)
            place = (place + 0.35 * (away * near).sum(1)).clip(-1, 1)
        crowd = (np.linalg.norm(place[:, None] - place[None], axis=2) < 0.35).sum(1) - 1
        size = draw.lognormal(0, 0.3, 14) * (0.9**crowd if label == 2 else 1)
        fields.append(np.concatenate((place, np.log(size)[:, None]), 1))
    return _series(np.stack(fields)), torch.tensor(np.where(draw.random(1500) < 0.05, draw.integers(0, 3, 1500), y))


@cache
def _ducts(seed: int) -> Pair:
    """Ten rooms with ducts between some, each with a heater and a draught: how warm are the warmest and the mean?

    In the end as much warmth leaves a room, by its draught and its ducts, as comes in. A row: ducts, features.
    """
    draw = np.random.default_rng(seed)
    upper = np.triu(draw.random((1500, 10, 10)) < 0.24, 1)
    ducts = (upper + upper.transpose(0, 2, 1)).astype(float)
    heat = draw.gamma(1.0, 1.0, (1500, 10)) * (draw.random((1500, 10)) < 0.6)
    draught = draw.lognormal(0, 0.4, (1500, 10))
    flows = np.einsum("ni,ij->nij", draught + 0.7 * ducts.sum(2), np.eye(10)) - 0.7 * ducts
    warm = np.linalg.solve(flows, heat[..., None])[..., 0]
    y = standardized(_floats(np.log(np.stack((warm.max(1), warm.mean(1)), 1) + 0.1)))
    features = np.stack((np.sqrt(heat) - 0.5, np.log(draught) / 0.4), -1)
    return _floats(np.concatenate((ducts, features), 2)), standardized(y + _floats(draw.normal(0, 0.2, (1500, 2))))


PENS = seventh("pens", _pens, 2, 5, "accuracy", 0.84, sizes=(1000, 250, 500), length=24)
LEAKS = seventh("leaks", _leaks, 2, 1, "accuracy", 0.86, BCE, (1100, 250, 500), 24)
PENDULA = seventh("pendula", _pendula, 2, 1, "r2", 0.84, MSE, (800, 250, 450), 24)
HARES = seventh("hares", _hares, 3, 2, "r2", 0.85, MSE, (850, 250, 450), 22)
GEARS = seventh("gears", _gears, 3, 5, "accuracy", 0.9, sizes=(600, 200, 400), length=20, each=True)
DIALECTS = seventh("dialects", _dialects, 12, 4, "accuracy", 0.78, sizes=(1200, 250, 450), length=24, tokens=True)
ROUNDS = seventh("rounds", _rounds, 20, 4, "label_accuracy", 0.86, BCE, (1250, 250, 450), 20, tokens=True)
TUNES = seventh("tunes", _tunes, 9, 9, "accuracy", 0.73, sizes=(700, 200, 300), length=20, tokens=True, each=True)
GENES = seventh("genes", _genes, 5, 3, "accuracy", 0.91, sizes=(650, 200, 400), length=22, tokens=True, each=True)
CARGOES = seventh("cargoes", _cargoes, 3, 2, "r2", 0.79, MSE, (800, 250, 450), 12)
SEEDLINGS = seventh("seedlings", _seedlings, 3, 3, "accuracy", 0.75, sizes=(850, 250, 400), length=14)
DUCTS = seventh("ducts", _ducts, 12, 2, "r2", 0.83, MSE, (850, 250, 400), 10)
