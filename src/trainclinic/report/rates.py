"""How often a problem's rule is right, as it was measured: `rates.json` beside this file.

`benchmarks/diagnosis.py` writes the file, from runs of networks and data on which no limit was set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("rates.json")


@dataclass(frozen=True)
class Rate:
    """Of one problem.

    Attributes:
        runs: that have this fault.
        first: of them, in which it, or what the fault accepts as equally right, was named as the first root cause.
        among: of them, in which one of these was among the findings at level `problem`.
        interval: of first / runs, 95 %, clustered by network.
        healthy: runs without any fault.
        alarms: of them, in which it was named at level `problem`.
        instead: what was named first where it was missed, with its count; "" for nothing.
    """

    runs: int
    first: int
    among: int
    interval: tuple[float, float]
    healthy: int
    alarms: int
    instead: tuple[tuple[str, int], ...]

    def sentences(self) -> str:
        """In plain words."""
        low, high = self.interval
        said = [
            f"On networks and data on which no limit was set it, or what is as right, is the first root cause in "
            f"{self.first} of {self.runs} runs with this fault ({self.first / self.runs:.0%}; 95 % interval {low:.0%} "
            f"to {high:.0%}) and among the findings in {self.among}. It is named in {self.alarms} of {self.healthy} "
            "healthy runs."
        ]
        if self.instead:
            named = ", ".join(f"{name or 'nothing'} ({count})" for name, count in self.instead)
            said.append(f"Named first where it was missed: {named}.")
        return " ".join(said)


@cache
def _measured(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))["problems"]) if path.exists() else {}


def rate(problem: str) -> Rate | None:
    """What was measured of a problem; None where nothing was."""
    found = _measured(FILE).get(problem)
    if found is None:
        return None
    return Rate(
        found["runs"],
        found["first"],
        found["among"],
        (found["interval"][0], found["interval"][1]),
        found["healthy"],
        found["alarms"],
        tuple((name, count) for name, count in found["instead"].items()),
    )


def said(problem: str) -> str:
    """What was measured of a problem, in plain words."""
    known = rate(problem)
    return known.sentences() if known else "Not measured on networks and data of its own."
