"""What a checkup says of the zoo: `python benchmarks/checkup.py [--seeds 1] [--output FILE]`.

Every training of the calibration zoo (`zoo.py` and what stands beside it) is examined before it begins. Written are how
often a fault is the first root cause, how often a healthy training has a finding at level `problem`, how long it takes,
and for each limit that cites this file what its statistic was on the healthy and on those with that fault.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
import warnings
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from limits import animals
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS, diagnose
from trainclinic.diagnose.problems.learning_rate_too_high import LOWER
from trainclinic.measure.checkup import checkup
from trainclinic.recording import Recording

RESULTS = Path(__file__).with_name("results") / "checkup.json"
SOURCE = "benchmarks/results/checkup.json"


def main() -> None:
    """Examine the zoo and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    columns = (TextColumn("{task.description:40.40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns) as bar:
        task = bar.add_task("", total=options.seeds * len(animals()))
        for seed in range(options.seeds):
            for animal in animals():
                bar.update(task, description=animal.name)
                rows.append(_examined(animal, seed))
                bar.advance(task)
    found = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "seeds": options.seeds,
        **_rates(rows),
        "limits": _limits(rows),
        "runs": [{key: value for key, value in row.items() if key != "statistics"} for row in rows],
    }
    options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _examined(animal: Any, seed: int) -> dict[str, Any]:
    began = time.perf_counter()
    recording = checkup(animal.make, seed)
    diagnosis = diagnose(recording)
    return {
        "name": animal.name,
        "seed": seed,
        "fault": animal.problem,
        "roots": [finding.problem for finding in diagnosis.problems],
        "found": sorted({finding.problem for finding in diagnosis.findings if finding.level == "problem"}),
        "not_examined": sorted(entry.problem for entry in diagnosis.not_examined),
        "seconds": round(time.perf_counter() - began, 2),
        "statistics": _statistics(recording),
    }


def _statistics(recording: Recording) -> dict[str, float]:
    """What the limits of this file are held against."""
    ladder = recording.facts["checkup"]["ladder"]
    start, rungs = ladder["start"], ladder["rungs"]
    lower = [rungs[name] for name in LOWER if math.isfinite(rungs.get(name, math.nan))]
    if not (start > 0 and lower and math.isfinite(rungs["1"])):
        return {}
    now, less = rungs["1"] / start, min(lower) / start
    return {"stuck": now, "falls": less, "gain": less / now}


def _rates(rows: list[dict[str, Any]]) -> dict[str, Any]:
    healthy = [row for row in rows if not row["fault"]]
    faulty = [row for row in rows if row["fault"]]
    examined = [row for row in faulty if row["fault"] not in row["not_examined"]]
    seconds = [row["seconds"] for row in rows]
    by_fault: dict[str, dict[str, int]] = {}
    for row in faulty:
        entry = by_fault.setdefault(row["fault"], {"of": 0, "examined": 0, "first": 0, "among": 0})
        entry["of"] += 1
        entry["examined"] += row["fault"] not in row["not_examined"]
        entry["first"] += row["roots"][:1] == [row["fault"]]
        entry["among"] += row["fault"] in row["found"]
    return {
        "healthy": {"of": len(healthy), "alarms": sum(bool(row["roots"]) for row in healthy)},
        "faulty": {
            "of": len(faulty),
            "examined": len(examined),
            "first": sum(row["roots"][:1] == [row["fault"]] for row in faulty),
            "among": sum(row["fault"] in row["found"] for row in faulty),
        },
        "seconds": {"median": float(np.median(seconds)), "most": max(seconds)},
        "by_fault": dict(sorted(by_fault.items())),
    }


def _limits(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for problem, kind in catalog.entries(PROBLEMS).items():
        for item in kind.limits():
            if item.source == SOURCE:
                parts = {
                    "healthy": [row["statistics"].get(item.name) for row in rows if not row["fault"]],
                    "faulty": [row["statistics"].get(item.name) for row in rows if row["fault"] == problem],
                }
                entry: dict[str, Any] = {"value": item.value, "unit": item.unit, "side": item.side}
                for name, values in parts.items():
                    known = [value for value in values if value is not None]
                    quantiles = np.quantile(known, (0, 0.01, 0.5, 0.99, 1)).tolist() if known else []
                    entry[name] = {"n": len(known), "of": len(values), "quantiles": [round(q, 4) for q in quantiles]}
                found.setdefault(problem, {})[item.name] = entry
    return found


if __name__ == "__main__":
    main()
