"""Sequences, sets and graphs: the tasks of recurrent nets, transformers, temporal convolutions and their like."""

from __future__ import annotations

import builtins
from functools import cache

import numpy as np
import torch

from diagnosis_zoo.tasks import BCE, MSE, Pair, Task, standardized


@cache
def _adding(seed: int) -> Pair:
    """Sixteen numbers, two of them marked: their sum."""
    draw = np.random.default_rng(seed)
    values, marks = draw.uniform(-1, 1, (2400, 16)), np.zeros((2400, 16))
    for row in marks:
        row[draw.choice(16, 2, replace=False)] = 1
    x = torch.tensor(np.stack((values, marks), -1), dtype=torch.float32)
    return x, standardized(torch.tensor((values * marks).sum(1), dtype=torch.float32))


@cache
def _brackets(seed: int) -> Pair:
    """Sixteen brackets of two kinds: do they match? The wrong ones have one or two brackets turned."""
    draw = np.random.default_rng(seed)
    x, y = [], draw.integers(0, 2, 2400)
    for right in y:
        text: list[int] = []
        open_ones: list[int] = []
        while len(text) < 16:
            room = 16 - len(text) > len(open_ones)
            if open_ones and (not room or draw.random() < 0.45):
                text.append(2 + open_ones.pop())
            else:
                open_ones.append(int(draw.integers(2)))
                text.append(open_ones[-1])
        for place in draw.choice(16, 0 if right else int(draw.integers(1, 3)), replace=False):
            text[place] = int((text[place] + draw.integers(1, 4)) % 4)
        x.append(text)
    return torch.tensor(x), torch.tensor(y).float()


@cache
def _tagging(seed: int) -> Pair:
    """A tag for each of fourteen tokens, by the token and its two neighbours."""
    x = np.random.default_rng(seed).integers(0, 8, (1700, 14))
    before, after = np.roll(x, 1, 1), np.roll(x, -1, 1)
    before[:, 0] = after[:, -1] = 0
    return torch.tensor(x), torch.tensor(np.where(x % 2 == 0, before // 2, 4 + (after > x)).astype(np.int64))


LETTERS = "abcdefghijklmnopqrstuvwxyz .,"


@cache
def _text(seed: int) -> Pair:
    """Lines of 24 letters of Python's own documentation strings; the target is the next letter."""
    said = " ".join(str(getattr(builtins, name).__doc__) for name in sorted(dir(builtins)) if name[0].islower())
    letters = [LETTERS.index(letter) for letter in " ".join(said.lower().split()) if letter in LETTERS]
    draw = np.random.default_rng(seed)
    begins = draw.choice(len(letters) // 12 - 3, 900, replace=False) * 12
    lines = torch.tensor([letters[begin : begin + 25] for begin in begins])
    return lines[:, :-1], lines[:, 1:].contiguous()


@cache
def _refrain(seed: int) -> Pair:
    """Lines of ten letters in which each letter, nine times in ten, is that of four places before."""
    draw = np.random.default_rng(seed)
    lines = draw.integers(0, 10, (1200, 21))
    for place in range(4, 21):
        kept = draw.random(1200) < 0.9
        lines[kept, place] = lines[kept, place - 4]
    return torch.tensor(lines[:, :-1]), torch.tensor(lines[:, 1:])


@cache
def _waveforms(seed: int) -> Pair:
    """A square, saw or triangle wave of any phase and pitch, 32 samples, under noise."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 3, 1700)
    phase = (np.arange(32) * draw.uniform(0.06, 0.1, (1700, 1)) + draw.uniform(0, 1, (1700, 1))) % 1
    shapes = np.stack((np.sign(phase - 0.5), 2 * phase - 1, 4 * abs(phase - 0.5) - 1), 0)
    x = shapes[y, np.arange(1700)] + draw.normal(0, 0.15, (1700, 32))
    return torch.tensor(x, dtype=torch.float32).unsqueeze(-1), torch.tensor(y)


@cache
def _forecast(seed: int) -> Pair:
    """Twenty samples of two beating oscillations; the target is the next one."""
    draw = np.random.default_rng(seed)
    time = np.arange(21)
    wave = sum(
        draw.uniform(0.5, 1, (1700, 1))
        * np.sin(draw.uniform(low, high, (1700, 1)) * time + draw.uniform(0, 6, (1700, 1)))
        for low, high in ((0.3, 0.6), (1.0, 1.4))
    )
    x = torch.tensor(wave + draw.normal(0, 0.05, wave.shape), dtype=torch.float32)
    return x[:, :-1].unsqueeze(-1), x[:, -1]


@cache
def _recall(seed: int) -> Pair:
    """Which token followed the marker, anywhere among twelve."""
    draw = np.random.default_rng(seed)
    x, place = draw.integers(1, 9, (1700, 12)), draw.integers(0, 11, 1700)
    rows = np.arange(1700)
    x[rows, place] = 0
    return torch.tensor(x), torch.tensor((x[rows, place + 1] - 1) // 2)


@cache
def _clouds(seed: int) -> Pair:
    """Twelve points of the plane, in no order: how wide the cloud is."""
    draw = np.random.default_rng(seed)
    width = draw.uniform(0.3, 2, (1700, 1, 1))
    x = draw.normal(size=(1700, 12, 2)) * width + draw.normal(0, 0.5, (1700, 1, 2))
    return torch.tensor(x, dtype=torch.float32), standardized(torch.tensor(x.std(1).mean(1), dtype=torch.float32))


@cache
def _graphs(seed: int) -> Pair:
    """Ten nodes: a random graph, two communities, or a ring with chords. A row is the adjacency, then two features."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 3, 1700)
    groups = np.arange(10) % 2
    together = groups[:, None] == groups[None]
    ring = (abs(np.arange(10)[:, None] - np.arange(10)[None]) % 9) == 1
    chance = np.stack((np.full((10, 10), 0.4), np.where(together, 0.8, 0.08), np.where(ring, 0.95, 0.15)))[y]
    upper = np.triu(draw.random((1700, 10, 10)) < chance, 1)
    edges = (upper + upper.transpose(0, 2, 1)).astype(float)
    features = np.stack((edges.sum(2) - 3.6, np.broadcast_to(groups * 2.0 - 1, (1700, 10))), -1)
    return torch.tensor(np.concatenate((edges, features), 2), dtype=torch.float32), torch.tensor(y)


ADDING = Task("adding", _adding, 2, 1, "r2", 0.85, MSE, (1400, 300, 700), length=16)
BRACKETS = Task("brackets", _brackets, 4, 1, "accuracy", 0.8, BCE, (1400, 300, 700), 16, tokens=True)
TAGGING = Task("tagging", _tagging, 8, 6, "accuracy", 0.9, length=14, tokens=True, each=True)
TEXT = Task("text", _text, len(LETTERS), len(LETTERS), "accuracy", 0.4, sizes=(500, 150, 250), length=24, tokens=True,
            each=True)  # fmt: skip
REFRAIN = Task("refrain", _refrain, 10, 10, "accuracy", 0.6, sizes=(600, 200, 400), length=20, tokens=True, each=True)
WAVEFORMS = Task("waveforms", _waveforms, 1, 3, "accuracy", 0.9, length=32)
FORECAST = Task("forecast", _forecast, 1, 1, "r2", 0.85, MSE, length=20)
RECALL = Task("recall", _recall, 9, 4, "accuracy", 0.85, length=12, tokens=True)
CLOUDS = Task("clouds", _clouds, 2, 1, "r2", 0.85, MSE, length=12)
GRAPHS = Task("graphs", _graphs, 12, 3, "accuracy", 0.85, length=10)
