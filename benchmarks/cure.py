"""Does the cure cure? `cure.py [--part cases|remedies|search|calibration] [--workers 2] [--only NAME]`; two hours.

Resumable: every result is written as soon as it is there, and what stands in the file is not made again (`--again`
forgets it). Everything is counted in optimizer steps, and in runs: one untreated training of that case.

    cases         every faulty case: its verdict, and how far the cured measure is from the healthy twin's (medians
                  over six seeds); every healthy case: whether it is left alone;
                    destroyed data: whether that is said, and nothing treated.
    remedies      `cure_cases/`: each remedy alone in a trial on the case that it alone is for.
    search        trainclinic, random search and Optuna's TPE over the same remedies and settings, on eight cases and
                  five seeds: optimizer steps until a run first reaches the target, which is the healthy twin's median
                  less 2 points (5 % of a loss). Who has not reached it after 20 runs has not. The proof's other
                  eleven runs come after it for everyone alike, and are not in the figure.
    calibration   placebos (another seed, a tenth more width), of which none should help, and true cures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import pkgutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sections
import torch
from cure_calibration import calibration
from cure_common import Options, Work, level, median, stem, twin
from cure_destroyed import DESTROYED
from cure_search import search

from trainclinic import catalog
from trainclinic.prove import cure as prove
from trainclinic.prove.pairs import score
from trainclinic.prove.progress import bar
from trainclinic.prove.trial import LOSS_MARGIN
from trainclinic.records import Dose

RESULTS = Path(__file__).with_name("results") / "cure.json"
OWN_CASES = Path(__file__).with_name("cure_cases")


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    results: dict[str, Any] = {} if options.again else sections.read(RESULTS)
    for part in options.part or PARTS:
        works = [(name, work) for name, work in PARTS[part](options) if name not in results.setdefault(part, {})]
        works = [(name, work) for name, work in works if not options.only or options.only in name]
        with bar(shown=True) as told:
            for done, (name, work) in enumerate(works):
                told(f"{part}: {name}", done / len(works))
                begun = time.monotonic()
                results[part][name] = work() | {"seconds": round(time.monotonic() - begun, 1)}
                results["machine"] = sections.machine("cpu", None, [])
                results["summary"] = summary(results)
                RESULTS.write_text(json.dumps(results, indent=1, default=str) + "\n")
    show(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Does the cure cure? Method: see this file's docstring.")
    parser.add_argument("--part", action="append", choices=tuple(PARTS))
    parser.add_argument("--only", help="entries whose name holds this")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="forget what stands in the file")
    return parser.parse_args()


# -- cases


def cases(options: Options) -> Iterator[Work]:
    for name, module in catalog.entries("trainclinic.cases").items():
        yield name, lambda module=module: _case(module, options.workers)
    for name, module in catalog.entries("trainclinic.cases").items():
        yield f"healthy {name}", lambda module=module: _left_alone(module, options.workers)
    for make in DESTROYED:
        yield f"destroyed {make.__name__}", lambda make=make: _not_treated(make, options.workers)


def _case(module: Any, workers: int) -> dict[str, Any]:
    found = prove.cure(module.faulty, workers=workers)
    measure, healthy = twin(module.healthy, found.trial.measure if found.trial else "", workers)
    entry = {
        "verdict": found.verdict,
        "said": found.said,
        "roots": [one.problem for one in found.diagnosis.problems],
        "remedies": [str(dose) for dose in found.treatment.remedies],
        "runs": round(found.cost / found.run_length, 2),
        "steps": found.cost,
        "tried": len(found.tried),
        "healthy": healthy,
        "measure": measure,
    }
    if found.trial:
        cured = median([curve.values[-1] for curve in found.trial.treated])
        control = median([curve.values[-1] for curve in found.trial.control])
        entry |= {"control": control, "cured": cured, "as_good": _as_good(measure, cured, healthy)}
    return entry


def _left_alone(module: Any, workers: int) -> dict[str, Any]:
    found = prove.cure(module.healthy, workers=workers)
    return {"verdict": found.verdict, "said": found.said, "left_alone": found.verdict == "nothing to cure"}


def _not_treated(make: Any, workers: int) -> dict[str, Any]:
    found = prove.cure(make, workers=workers)
    return {"verdict": found.verdict, "said": found.said, "not_treated": found.verdict == "not treated"}


def _as_good(measure: str, value: float, healthy: float) -> bool:
    return score(measure, value) >= score(measure, level(measure, healthy))


# -- remedies


def remedies(options: Options) -> Iterator[Work]:
    sys.path.insert(0, str(OWN_CASES.parent))
    for info in pkgutil.iter_modules([str(OWN_CASES)]):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"cure_cases.{info.name}")
        yield stem(module), lambda module=module: _alone(module, options.workers)


def _alone(module: Any, workers: int) -> dict[str, Any]:
    found = prove.trial(module.faulty, [Dose(stem(module), module.SETTINGS)], module.PROBLEM, workers=workers)
    return {
        "verdict": found.verdict,
        "why": found.why,
        "problem": module.PROBLEM,
        "measure": found.measure,
        "control": median([curve.values[-1] for curve in found.control]),
        "treated": median([curve.values[-1] for curve in found.treated]),
    }


PARTS: dict[str, Callable[[Options], Iterator[Work]]] = {
    "cases": cases,
    "remedies": remedies,
    "search": search,
    "calibration": calibration,
}


# -- what was promised


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """The shares and medians that were promised, of what has been measured so far."""
    found: dict[str, Any] = {}
    faulty = {
        name: one for name, one in results.get("cases", {}).items() if not name.startswith(("healthy", "destroyed"))
    }
    healthy = [one for name, one in results.get("cases", {}).items() if name.startswith("healthy")]
    destroyed = [one for name, one in results.get("cases", {}).items() if name.startswith("destroyed")]
    if faulty:
        found["faulty cases"] = len(faulty)
        found["cured"] = sum(one["verdict"] == "cured" for one in faulty.values())
        found["cured as good as the twin"] = sum(bool(one.get("as_good")) for one in faulty.values())
    if healthy:
        found["healthy cases"] = len(healthy)
        found["left alone"] = sum(one["left_alone"] for one in healthy)
    if destroyed:
        found["cases with destroyed data"] = len(destroyed)
        found["not treated"] = sum(one["not_treated"] for one in destroyed)
    if results.get("remedies"):
        found["remedies with a case of their own"] = len(results["remedies"])
        found["of them cured"] = sum(one["verdict"] == "cured" for one in results["remedies"].values())
    for method in ("trainclinic", "random", "tpe"):
        own = [one for name, one in results.get("search", {}).items() if name.endswith(f" {method}")]
        if own:
            found[f"{method}: searches"] = len(own)
            found[f"{method}: reached the target"] = round(sum(one["reached"] for one in own) / len(own), 3)
            found[f"{method}: median runs until then"] = statistics.median(
                one["runs"] if one["reached"] else math.inf for one in own
            )
    for kind in ("placebo", "cure"):
        own = [one["verdict"] for name, one in results.get("calibration", {}).items() if name.startswith(kind)]
        if own:
            wanted = ("cured", "helped") if kind == "placebo" else ("cured",)
            found[f"{kind} trials"] = len(own)
            found[f"{kind} trials: {' or '.join(wanted)}"] = sum(verdict in wanted for verdict in own)
    found["margin of a loss [nats]"] = round(LOSS_MARGIN, 3)
    return found


def show(results: dict[str, Any]) -> None:
    """Everything measured so far, as tables."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 150)
    for part in PARTS:
        if not results.get(part):
            continue
        columns = list(dict.fromkeys(key for one in results[part].values() for key in one))
        columns = [key for key in columns if key not in ("said", "why", "seconds")]
        table = Table(title=part)
        for column in ("", *columns):
            table.add_column(column, overflow="fold")
        for name, one in results[part].items():
            table.add_row(name, *(str(one.get(key, "")) for key in columns))
        console.print(table)
    for name, value in results.get("summary", {}).items():
        console.print(f"{name}: {value}", highlight=False)


if __name__ == "__main__":
    main()
