"""What the parts of `cure.py` share: the cases, their healthy twins, and who is as good as a twin."""

from __future__ import annotations

import argparse
import importlib
import statistics
from collections.abc import Callable
from typing import Any

from trainclinic.prove.pairs import Job
from trainclinic.prove.workers import Workers

SEEDS = range(1, 7)  # of a twin
FIXED = (  # of the comparison of searches: chosen before the first run of it, two of each kind of cause
    "vanishing_gradient", "saturated_activation", "poor_initialization", "dead_relu",
    "learning_rate_too_high", "learning_rate_too_low", "unscaled_inputs", "overfitting",
)  # fmt: skip
Work = tuple[str, Callable[[], dict[str, Any]]]  # the name of an entry, and what measures it
Options = argparse.Namespace


def case(name: str) -> Any:
    """A case of the package, by its file's stem or its id."""
    return importlib.import_module(f"trainclinic.cases.{name.replace('-', '_')}")


def stem(module: Any) -> str:
    """The id that a file's stem gives: of a case the problem, of a case for a remedy the remedy."""
    return str(module.__name__.rsplit(".", 1)[-1].replace("_", "-"))


def twin(make: Any, measure: str, workers: int) -> tuple[str, float]:
    """What is measured on the healthy twin, and its median over six seeds."""
    with Workers(workers) as pool:
        runs = list(pool.runs([Job(make, seed, measure=measure) for seed in SEEDS]))
    return runs[0].measure, median([one.end for one in runs])


def level(measure: str, value: float) -> float:
    """What counts as as good as a twin that reaches `value`: 2 points less, 5 % more of a loss."""
    return 1.05 * value if measure == "loss" else value - 0.02


def median(values: list[float]) -> float:
    """Rounded for the file."""
    return round(statistics.median(values), 5)
