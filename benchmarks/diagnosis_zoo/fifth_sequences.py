"""Sequences, sets and graphs of the fifth part, see `Task.part`.

Written after the first four parts had been looked at, by someone who saw none of the rules.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, standardized

fifth = partial(Task, part=5)


def _floats(x: np.ndarray) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float32)


# -- measurements over time


@cache
def _birdsong(seed: int) -> Pair:
    """Pitch and loudness of a call, 24 samples: a trill, one that rises, one that falls, a warble, or two notes.

    Before and after the call there is no pitch, which is written as 0. One label in thirty is wrong.
    """
    draw = np.random.default_rng(seed)
    y, rows, time = draw.integers(0, 5, 1700), (1700, 1), np.arange(24)
    begin, lasts = draw.uniform(1, 6, rows), draw.uniform(12, 17, rows)
    part = (time - begin) / lasts
    pitches = (
        0.55 * np.sin(draw.uniform(2.0, 2.6, rows) * time + draw.uniform(0, 6.3, rows)),
        1.3 * (part - 0.5),
        1.3 * (0.5 - part) * np.abs(1.5 - part),
        0.6 * np.sin(draw.uniform(0.7, 1.1, rows) * time + draw.uniform(0, 6.3, rows)),
        0.5 * np.where(part < draw.uniform(0.35, 0.65, rows), 1, -1) * draw.choice((-1, 1), rows),
    )
    calls = (part >= 0) & (part <= 1) & (draw.random((1700, 24)) > 0.06)
    pitch = np.stack(pitches)[y, np.arange(1700)] * draw.uniform(0.7, 1.2, rows) + draw.normal(0.8, 0.25, rows)
    loud = draw.lognormal(0, 0.3, rows) * np.sin(np.pi * part.clip(0, 1)) ** 0.5
    x = np.stack((calls * (pitch + draw.normal(0, 0.22, pitch.shape)), calls * loud), -1)
    x[..., 1] += draw.exponential(0.12, (1700, 24))
    y = np.where(draw.random(1700) < 0.04, draw.integers(0, 5, 1700), y)
    return standardized(_floats(x).flatten(0, 1)).view(1700, 24, 2), torch.tensor(y)


@cache
def _batteries(seed: int) -> Pair:
    """Voltage, current and warmth of a battery in use, 20 samples: the charge that is left in it."""
    draw = np.random.default_rng(seed)
    rows = (1600, 1)
    capacity, inner = draw.uniform(0.6, 1.6, rows), draw.lognormal(-1.6, 0.35, rows)
    current = np.repeat(draw.gamma(2.0, 0.5, (1600, 5)), 4, 1) * (draw.random((1600, 20)) < 0.9)
    charge = draw.uniform(0.55, 1, rows) - 0.03 * current.cumsum(1) / capacity
    warmth = draw.normal(0, 0.5, rows) + 0.25 * (current**2 * inner).cumsum(1)
    held = charge.clip(0.02, 1)
    voltage = 3.2 + 0.7 * held + 0.12 * np.log(held) - inner * current * (1 - 0.1 * np.tanh(warmth))
    x = np.stack((voltage, current, warmth), -1) + draw.normal(0, 1, (1600, 20, 3)) * (0.012, 0.04, 0.1)
    left = (held[:, -1:] * capacity)[:, 0] + draw.normal(0, 0.04, 1600)
    return standardized(_floats(x).flatten(0, 1)).view(1600, 20, 3), standardized(_floats(left))


@cache
def _sales(seed: int) -> Pair:
    """Three weeks of what a shop sells of a thing, and for each day whether it is on offer three days later.

    The targets are the next three days. Every shop has its own week; some days the thing ran out.
    """
    draw = np.random.default_rng(seed)
    rows, days = (1500, 1), np.arange(24)
    week = draw.gamma(4.0, 0.25, (1500, 7)) * (1 + 0.8 * (np.arange(7) > 4))
    offer = (draw.random((1500, 27)) < 0.18).astype(float)
    mean = draw.lognormal(1.4, 0.35, rows) * week[:, days % 7] * (1 + draw.uniform(0.4, 1.6, rows) * offer[:, :24])
    sold = draw.poisson(3 * mean) / 3
    sold[:, :21] *= draw.random((1500, 21)) > 0.04
    seen = np.log1p(sold)
    x = standardized(_floats(np.stack((seen[:, :21], offer[:, :21], offer[:, 3:24]), -1)).flatten(0, 1))
    return x.view(1500, 21, 3), standardized(_floats(seen[:, 21:]))


@cache
def _talk(seed: int) -> Pair:
    """Two microphones on a table, 20 moments: does nobody speak, the one, the other, or both at once?

    Each microphone hears the other speaker too, speakers are loud or soft, and one word may hang on.
    """
    draw = np.random.default_rng(seed)
    rows, on, spoken = (1300, 1), draw.random((1300, 2)) < 0.5, []
    for _ in range(20):
        turn = draw.random((1300, 2)) < np.where(on, 0.16, np.where(on[:, ::-1], 0.1, 0.3))
        on = on ^ turn
        spoken.append(on)
    said = np.stack(spoken, 1)
    voice = draw.lognormal(0, 0.3, (1300, 1, 2)) * said * draw.gamma(4.0, 0.25, said.shape)
    voice[:, 1:] += 0.25 * voice[:, :-1]
    across = draw.uniform(0.15, 0.55, (1300, 1, 1))
    heard = voice + across * voice[..., ::-1] + 0.25 * draw.gamma(2.0, 0.5, said.shape)
    x = np.log(heard) + draw.normal(0, 0.1, rows)[..., None]
    return standardized(_floats(x).flatten(0, 1)).view(1300, 20, 2), torch.tensor(said[..., 0] + 2 * said[..., 1])


# -- tokens


@cache
def _baskets(seed: int) -> Pair:
    """Twenty-two clicks of a visitor, fourteen kinds: does he buy? What he did last counts most, and some pairs do."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(521)
    next_click = world.dirichlet(np.full(14, 0.6), 14).cumsum(1)
    worth, together = world.normal(0, 1, 14), world.normal(0, 1.6, (14, 14)) * (world.random((14, 14)) < 0.2)
    click, clicks = draw.integers(0, 14, 2200), []
    for _ in range(22):
        clicks.append(click)
        click = (draw.random((2200, 1)) > next_click[click]).sum(1).clip(0, 13)
    x = np.stack(clicks, 1)
    recent = 0.9 ** np.arange(21, -1, -1)
    score = (worth[x] * recent).sum(1) + (together[x[:, :-1], x[:, 1:]] * recent[1:]).sum(1)
    score = (score - score.mean()) / score.std() + draw.logistic(0, 0.12, 2200)
    return torch.tensor(x), torch.tensor(score > 0.2).float()


@cache
def _complaints(seed: int) -> Pair:
    """Eighteen words out of sixty, common ones and rare: which of five things does the letter complain of?

    Four words speak of each thing; a "not" (0) in front of one takes it back.
    """
    draw = np.random.default_rng(seed)
    use = 1 / (6 + np.arange(60.0))
    x = draw.choice(60, (1900, 18), p=use / use.sum())
    meant = np.ones_like(x, dtype=bool)
    meant[:, 1:] = x[:, :-1] != 0
    topics = (x >= 10) & (x < 30)
    y = np.stack([(topics & meant & (x % 5 == thing)).any(1) for thing in range(5)], 1)
    return torch.tensor(x), torch.tensor(y ^ (draw.random(y.shape) < 0.04)).float()


@cache
def _lexicon(seed: int) -> Pair:
    """Twenty letters of a language of thirty words, written without gaps, one letter in twenty a slip; the next one."""
    draw, world = np.random.default_rng(seed), np.random.default_rng(523)
    words = [world.integers(0, 11, int(world.integers(2, 5))) for _ in range(30)]
    use = 1 / (2 + np.arange(30.0))
    lines = []
    for _ in range(1200):
        said = np.concatenate([words[one] for one in draw.choice(30, 13, p=use / use.sum())])
        begin = int(draw.integers(0, 4))
        lines.append(said[begin : begin + 21])
    text = np.stack(lines)
    text = np.where(draw.random(text.shape) < 0.05, draw.integers(0, 11, text.shape), text)
    return torch.tensor(text[:, :-1].copy()), torch.tensor(text[:, 1:].copy())


@cache
def _addresses(seed: int) -> Pair:
    """Sixteen words of an address out of forty-five; for each: name, street, number, town, code or something else.

    The number stands before the street or after it, the code before the town or after it; many words are both a
    name and a street, or a street and a town.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(524)
    own = world.dirichlet(np.full(45, 0.12), 6)
    words = (0.6 * own + 0.4 * own[[1, 3, 4, 0, 2, 5]]).cumsum(1)
    rows = []
    for _ in range(1300):
        street, town = [1] * int(draw.integers(1, 4)), [3] * int(draw.integers(1, 3))
        line = [0] * int(draw.integers(2, 5)) + [5] * int(draw.integers(0, 3))
        line += [*street, 2] if draw.random() < 0.6 else [2, *street]
        line += [4, *town] if draw.random() < 0.6 else [*town, 4]
        rows.append((line + [5] * 16)[:16])
    y = np.array(rows)
    x = (draw.random((*y.shape, 1)) > words[y]).sum(2).clip(0, 44)
    return torch.tensor(np.where(draw.random(y.shape) < 0.04, draw.integers(0, 45, y.shape), x)), torch.tensor(y)


# -- sets and graphs


@cache
def _smears(seed: int) -> Pair:
    """Fourteen cells of a drop of blood by four stains: sound, a few strange ones among them, or too many of a kind.

    Each drop is stained a little more or less than the others. One label in forty is wrong.
    """
    draw, world = np.random.default_rng(seed), np.random.default_rng(525)
    places, widths = world.normal(0, 1.3, (4, 4)), world.uniform(0.4, 0.8, (4, 4))
    y = draw.choice(3, 1600, p=(0.4, 0.3, 0.3))
    share = np.array(((0.5, 0.3, 0.2, 0.0), (0.4, 0.25, 0.15, 0.2), (0.2, 0.2, 0.6, 0.0)))[y].cumsum(1)
    kind = (draw.random((1600, 14, 1)) > share[:, None]).sum(2).clip(0, 3)
    x = places[kind] + widths[kind] * draw.normal(size=(1600, 14, 4)) + draw.normal(0, 0.25, (1600, 1, 4))
    y = np.where(draw.random(1600) < 0.04, draw.integers(0, 3, 1600), y)
    return standardized(_floats(x).flatten(0, 1)).view(1600, 14, 4), torch.tensor(y)


@cache
def _projects(seed: int) -> Pair:
    """Nine jobs, how long each takes and who helps; some wait for others: when is all done? A row: waits, features."""
    draw = np.random.default_rng(seed)
    waits = np.tril(draw.random((1500, 9, 9)) < 0.2, -1)
    work, help_ = draw.gamma(2.5, 0.4, (1500, 9)), draw.integers(0, 3, (1500, 9)).astype(float)
    takes, done = work / (1 + 0.5 * help_), np.zeros((1500, 9))
    for job in range(9):
        done[:, job] = takes[:, job] + (waits[:, job] * done).max(1)
    order = draw.permuted(np.tile(np.arange(9), (1500, 1)), axis=1)
    row = np.arange(1500)[:, None, None]
    waits = waits[row, order[:, :, None], order[:, None]].astype(float)
    features = np.take_along_axis(np.stack((2 * (work - 1), help_ - 1), -1), order[..., None], 1)
    ready = standardized(_floats(done.max(1))) + _floats(draw.normal(0, 0.2, 1500))
    return _floats(np.concatenate((waits, features), 2)), standardized(ready)


BIRDSONG = fifth("birdsong", _birdsong, 2, 5, "accuracy", 0.82, sizes=(900, 250, 500), length=24)
BATTERIES = fifth("batteries", _batteries, 3, 1, "r2", 0.86, MSE, (850, 250, 450), 20)
SALES = fifth("sales", _sales, 3, 3, "r2", 0.6, MSE, (800, 250, 450), 21)
TALK = fifth("talk", _talk, 2, 4, "accuracy", 0.83, sizes=(650, 200, 400), length=20, each=True)
BASKETS = fifth("baskets", _baskets, 14, 1, "accuracy", 0.72, BCE, (1400, 300, 500), 22, tokens=True)
COMPLAINTS = fifth("complaints", _complaints, 60, 5, "label_accuracy", 0.89, BCE, (1200, 250, 450), 18, tokens=True)
LEXICON = fifth("lexicon", _lexicon, 11, 11, "accuracy", 0.44, sizes=(700, 200, 300), length=20, tokens=True, each=True)
ADDRESSES = fifth("addresses", _addresses, 45, 6, "accuracy", 0.82, sizes=(650, 200, 400), length=16, tokens=True,
                  each=True)  # fmt: skip
SMEARS = fifth("smears", _smears, 4, 3, "accuracy", 0.81, sizes=(850, 250, 500), length=14)
PROJECTS = fifth("projects", _projects, 11, 1, "r2", 0.79, MSE, (850, 250, 400), 9)
