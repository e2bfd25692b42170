"""Cures that were never run: the same on every machine."""

from __future__ import annotations

import math

import report_samples as samples

from trainclinic.prove.statistics import difference
from trainclinic.records import Attempt, Cure, Curve, Diagnosis, Dose, Part, Treatment, Trial

SELU = Dose("replace-activation", {"activation": "SELU"})
NORM = Dose("insert-batch-norm", {})
REPLACED = "2 Sigmoid replaced by SELU, with its initialization"
CODE = """import torch
from torch import nn
from torch.nn import functional as F

# 2 Sigmoid replaced by SELU, with its initialization
for name in ['body.0.activation', 'body.1.activation', 'body.2.activation', 'body.3.activation']:
    model.set_submodule(name, nn.SELU())

# BatchNorm behind 1 hidden layer
model.set_submodule('body.0', nn.Sequential(model.get_submodule('body.0'), nn.BatchNorm1d(64)))
"""


def arm(seeds: range, begin: float, ends: list[float]) -> tuple[Curve, ...]:
    return tuple(
        Curve(seed, (0, 41, 82, 165), (begin, (begin + end) / 2, begin + 0.9 * (end - begin), end))
        for seed, end in zip(seeds, ends, strict=True)
    )


def cured() -> Cure:
    """Two remedies, six pairs, one of the remedies hardly needed."""
    gains = [0.84, 0.85, 0.86, 0.85, 0.87, 0.853]
    trial = Trial(
        treatment=Treatment(
            (SELU, NORM),
            ("2 Sigmoid replaced by SELU, with its initialization", "BatchNorm behind 1 hidden layer"),
            CODE,
        ),
        measure="accuracy",
        control=arm(range(1, 7), 0.1, [0.1] * 6),
        treated=arm(range(1, 7), 0.1, [0.1 + gain for gain in gains]),
        half=difference([0.9 * gain for gain in gains]),
        full=difference(gains),
        margin=0.02,
        problem="vanishing-gradient",
        cleared=1.0,
        new=(),
        paired=True,
        cost=12 * 165,
        verdict="cured",
        why="It is better in all 6 pairs, by 0.852 in the median, and vanishing-gradient is gone.",
    )
    tried = (
        Attempt((SELU,), 0.61, False, 41, reached=0.71),
        Attempt((SELU, Dose("clip-gradient", {"norm": 1.0})), math.nan, False, 0, "clip-gradient: nothing to clip"),
        Attempt((SELU, NORM), 0.7, True, 41, reached=0.8),
    )
    parts = (
        Part(SELU, difference([0.5, 0.4, 0.45]), True),
        Part(NORM, difference([0.01, -0.01, 0.0]), False),
    )
    cost = 165 + 3 * 41 + trial.cost + 6 * 82
    return Cure(samples.sigmoid_diagnosis(), trial.why, tried, trial, parts, cost, 165)


def undecided() -> Cure:
    """Broken off after two pairs of a trial that compares a loss, one run of which went to infinity."""
    lost = Curve(2, (0, 41), (2.3, math.inf))
    broken = Curve(2, (0, 41), (2.3, math.nan), "RuntimeError: out of memory")
    pairs = [math.log(2.0), -math.log(1e9)]
    trial = Trial(
        treatment=Treatment((SELU,), (REPLACED,), CODE),
        measure="loss", control=(Curve(1, (0, 41, 165), (2.3, 2.2, 2.0)), lost),
        treated=(Curve(1, (0, 41, 165), (2.3, 1.5, 1.0)), broken), half=difference(pairs), full=difference(pairs),
        margin=math.log(1.25), problem="overfitting", cleared=0.5, new=("exploding-gradient",), paired=False, cost=412,
        verdict="undecided", why="2 pairs are too few to decide: six are needed.",
    )  # fmt: skip
    return Cure(samples.sigmoid_diagnosis(), "interrupted after 2 of 6 pairs", (), trial, (), 700, 165, True)


def not_treated() -> Cure:
    said = "not treated, because against vanishing-gradient no remedy fits (replace-activation: no hidden layers)"
    return Cure(samples.sigmoid_diagnosis(), said, (), None, (), 165, 165)


def nothing() -> Cure:
    return Cure(Diagnosis(()), "nothing to cure: no problem was found in the untreated run", cost=165, run_length=165)


CURES = {"cured": cured, "undecided": undecided, "not-treated": not_treated, "nothing-to-cure": nothing}
