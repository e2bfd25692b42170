"""Recordings made by hand for the rules of the data, and what a rule says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS
from trainclinic.recording import Recording, Series
from trainclinic.records import Finding

LEARNS, STALLS = np.linspace(2.3, 0.1, 200), np.full(200, 2.3)  # ten classes: a guess costs 2.3
GOOD, TURNED = np.geomspace(2.3, 0.15, 20), np.r_[np.geomspace(2.3, 0.5, 8), np.linspace(0.5, 1.2, 12)]
GUESSED = np.linspace(2.3, 2.6, 20)
EVEN = {str(label): 200 for label in range(10)}


def make(
    loss: Any = LEARNS,
    validation: Any = GOOD,
    /,
    *,
    right: float = 0.95,
    counts: dict[str, int] | None = None,
    data: dict[str, Any] | None = None,
    **facts: Any,
) -> Recording:
    """A run on ten classes of which `right` were answered rightly at the end, class by class."""
    series = {("loss", ""): Series(np.arange(len(loss)), np.asarray(loss, float))}
    if validation is not None:
        series["validation_loss", ""] = Series(np.linspace(0, len(loss) - 1, len(validation)), np.asarray(validation))
    card = {"training": {"rows": 1000, "again": 0.0, "constant": 0.0, "bits": 200.0}, **(data or {})}
    known = {
        "steps": len(loss),
        "loss": {"name": "cross_entropy"},
        "targets": {"classes": counts or EVEN, "shape": [64]},
        "inputs": {"kind": "float", "shape": [64, 20]},
        "classes": {"samples": [40] * 10, "right": [40 * right] * 10, "right_adjusted": [40 * right] * 10,
                    "predicted": [40] * 10},
        "batch_size": 64,
        "training_samples": 1000,
        "validation_told": True,
        "data": card,
    }  # fmt: skip
    return Recording((), {}, known | facts, {}, "completed", _series=series)


def found(problem: str, recording: Recording, *, checkup: bool = False) -> Finding | None:
    rule = catalog.entry(PROBLEMS, problem)()
    findings = list(rule.examine(recording) if checkup else rule.find(recording))
    assert len(findings) <= 1
    return findings[0] if findings else None


def verdict(problem: str, recording: Recording, *, checkup: bool = False) -> tuple[str, str] | None:
    finding = found(problem, recording, checkup=checkup)
    return (finding.level, finding.cause) if finding else None


def labels(
    odd: float, held: float = 0.95, link: float = 0.8, unanimous: int = 500, **more: Any
) -> dict[str, dict[str, Any]]:
    return {
        "link": {"rows": 1000, "agreement": link, "null": 0.13, "guess": 0.1, "odd": odd, "unanimous": unanimous},
        "validation": {"rows": 400, "agreement": held, **more},
    }


def order(score: float, alike: float, held: float = 0.95) -> dict[str, dict[str, Any]]:
    return {
        "order": {"pairs": 900, "alike": alike, "expected": 0.1, "score": score},
        "validation": {"rows": 400, "agreement": held},
    }


def columns(constant: float = 0.0, **held: float) -> dict[str, Any]:
    training = {"rows": 1000, "again": 0.0, "constant": constant, "bits": 200.0}
    return {"training": training, "validation": {"rows": 400, **held}}
