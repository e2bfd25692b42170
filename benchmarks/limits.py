"""Where the limits lie: `python benchmarks/limits.py [--keep FOLDER] [--seeds 3] [--only WORD] [--output FILE]`.

Trains the zoo (`benchmarks/zoo.py`), each animal on every seed, and measures for every limit of every problem what
the statistic behind it is on healthy runs and on those with that fault. Writes `benchmarks/results/limits.json`, the
file that the limits name as their source; `tests/unit/test_limits.py` holds the two together.

**How a statistic is read.** The rules are not written down a second time here: a problem is built with all its other
limits lifted, and the limit in question is moved until the finding comes and goes. The value at which it does is the
statistic. First the number that the finding itself shows against that limit is tried on both sides; where the rule
turns somewhere else (it may combine two numbers, or look at several times) the value is found by bisection, to six
digits. Limits that excuse one another (a rule with "or") are shut instead of lifted, and two that have a meaning only
together (a share of values beyond another limit) keep their default: `RIVALS` and `PARTNERS`.
A run in which nothing turns is read from the evidence, where the problem gives any with every limit lifted.

**What is left out.** A healthy run that misses the level of its task, and a faulty one that reaches it, are not what
they are said to be. They are named and counted nowhere. Overfitting is held against its healthy twin on the same
seed: the last validation loss must be a quarter higher. So is a leak: its score must be too good by 0.02.

Per limit: `n` runs with a statistic of `of` runs, their minimum, 1st percentile, median, 99th percentile, maximum;
`beyond`, the share of them on the abnormal side; `regardless`, the number in which the problem is found whatever the
limit (a loss that diverged is harm enough); `if_lifted`, the number in which the problem is found with this limit
lifted and all others as they are, and is not found as it is: healthy runs that this limit alone keeps silent, faulty
ones that it alone loses. Runs, not networks, are counted; the seeds of one network are not independent of each other.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
import zoo_training
from limits_plain import PLAIN
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from zoo import Animal, faulty, healthy
from zoo_data import animals as animals_of_data

import trainclinic
from trainclinic import catalog
from trainclinic.clinic_reader import load
from trainclinic.diagnose.diagnose import PROBLEMS, diagnose
from trainclinic.diagnose.problem import NotExaminedError, Problem
from trainclinic.measure.run import run
from trainclinic.recording import Recording
from trainclinic.records import Finding

RESULTS = Path(__file__).with_name("results") / "limits.json"
SOURCE = "benchmarks/results/limits.json"
WORSE = 1.25  # of the twin's validation loss: what counts as overfitting
TOO_GOOD = 0.02  # above the twin's score: what counts as a leak

#: sets of limits joined by "or": while one is examined the others are shut
RIVALS: dict[str, tuple[tuple[frozenset[str], ...], ...]] = {
    "class-imbalance": ((frozenset({"gain", "balanced"}), frozenset({"others"}), frozenset({"behind"})),),
    "batchnorm-small-batch": ((frozenset({"values"}), frozenset({"samples"})),),
    "constant-feature": (tuple(frozenset({name, "learned"}) for name in ("share", "moved", "farthest")),),
    "noisy-labels": (
        (frozenset({"by_heart", "rise"}), frozenset({"by_heart", "shortfall"}), frozenset({"many"})),
        (frozenset({"gap"}), frozenset({"odd_in_both"})),
        (
            frozenset({"odd", "gap", "odd_in_both", "by_heart", "rise", "shortfall", "many", "unanimous"}),
            frozenset({"surest"}), frozenset({"mixture", "mixture_gain"}),
        ),
    ),
    "unshuffled-data": ((frozenset({"learned"}), frozenset({"shortfall"})),),
    "exploding-gradient": ((frozenset({"span"}), frozenset({"call_span"}), frozenset({"gain", "start"})),),
    "over-regularized": ((frozenset({"pull", "weights", "learned"}), frozenset({"dropout", "mode_gap", "learned"}),
                          frozenset({"outweighed"})),),
    "undertrained": (
        (
            frozenset({"shortfall", "still"}), frozenset({"steep", "held_fall", "far"}),
            frozenset({"halved", "held_fall", "near"}), frozenset({"few", "passes", "near"}),
        ),
    ),
    "vanishing-gradient": ((frozenset({"span", "fit", "learned"}), frozenset({"call_span", "in_time"})),),
    "data-leak": ((frozenset({"proxy"}), frozenset({"copies", "chance", "rows", "many"}), frozenset({"near"})),),
    "learning-rate-too-high": (
        (
            frozenset({"rise", "settled"}), frozenset({"jump"}), frozenset({"renewed", "learned"}),
            frozenset({"update_ratio", "rise", "settled"}), frozenset({"update_ratio", "slope_left", "settled"}),
        ),
    ),
    "learning-rate-too-low": ((frozenset({"update_ratio"}), frozenset({"slow_ratio", "path"})),),
    "poor-initialization": (
        (
            frozenset({"forward_slope", "forward_span", "small_gain"}), frozenset({"saturated", "gain"}),
            frozenset({"tiny_gain"}), frozenset({"recurrent_gain"}), frozenset({"huge_gain", "start"}),
        ),
    ),
    "underfitting": ((frozenset({"shortfall", "errors", "fall", "gap"}), frozenset({"widest"}),
                      frozenset({"bottleneck"})),),
    "unscaled-inputs": (
        (*(frozenset({"share", name}) for name in ("largest", "smallest", "offset")), frozenset({"spread"})),
        (frozenset({"output_low"}), frozenset({"output_high"}), frozenset({"seen"}), frozenset({"far"})),
    ),
}  # fmt: skip
#: limits that keep their default while another one is examined
PARTNERS: dict[str, dict[str, tuple[str, ...]]] = {
    "class-imbalance": {name: ("ratio", "severe") for name in ("gain", "balanced", "others", "behind")},
    "constant-feature": {"share": ("most",), "learned": ("most",)},
    "dead-relu": {"severed": ("fraction",)},
    "saturated-activation": {"share": ("persistence",), "persistence": ("share",)},
    "unscaled-inputs": {
        "share": ("largest", "smallest", "offset"),
        **{name: ("share",) for name in ("largest", "smallest", "offset")},
    },
}
# -- one limit on one run


@dataclass(frozen=True)
class Limit:
    """One limit of one problem."""

    problem: str
    kind: type[Problem]
    name: str
    value: float
    unit: str
    side: str

    @property
    def lifted(self) -> float:
        """The value at which it holds nothing back."""
        return math.inf if self.side == "below" else -math.inf


@dataclass(frozen=True)
class Reading:
    """What one limit met in one run.

    Attributes:
        value: of the statistic; NaN where it was not measured.
        turns: whether the finding comes and goes with the limit.
        regardless: whether the problem is found whatever the limit.
        if_lifted: whether it is found without this limit, and is not found with it.
    """

    value: float
    turns: bool = False
    regardless: bool = False
    if_lifted: bool = False


def limits() -> list[Limit]:
    """Every limit that names this benchmark as its source."""
    return [
        Limit(problem, kind, item.name, float(item.default), item.metadata["unit"], item.metadata["side"])
        for problem, kind in catalog.entries(PROBLEMS).items()
        for item in fields(kind)
        if item.metadata.get("source") == SOURCE
    ]


def companions(limit: Limit, everything: Sequence[Limit], alone: bool) -> dict[str, float]:
    """The problem's other limits while `limit` is examined; `alone` shuts its rivals, else all are lifted."""
    own = [other for other in everything if other.problem == limit.problem and other.name != limit.name]
    shut = set(_shut(limit)) if alone else set()
    kept = PARTNERS.get(limit.problem, {}).get(limit.name, ()) if alone else ()
    return {
        other.name: -other.lifted if other.name in shut else other.lifted
        for other in own
        if other.side != "equal" and other.name not in kept
    }


def _shut(limit: Limit) -> Iterable[str]:
    for rivals in RIVALS.get(limit.problem, ()):
        if any(limit.name in group for group in rivals):
            with_it = {name for group in rivals if limit.name in group for name in group}
            yield from {name for group in rivals for name in group} - with_it


#: problem → run: a rule that raised an error once its limits were lifted; told at the end
FAILED: dict[str, str] = {}


def findings(limit: Limit, recording: Recording, settings: dict[str, float]) -> list[Finding]:
    """What the problem finds with these limits; nothing where it cannot say."""
    try:
        return list(limit.kind(**settings).find(recording))
    except NotExaminedError:
        return []
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        FAILED[f"{limit.problem}: {error!r}"] = str(recording.path)
        return []


def read(limit: Limit, recording: Recording, everything: Sequence[Limit]) -> Reading:
    """The statistic of one limit in one run."""
    if limit.side == "equal":
        return Reading(PLAIN[limit.problem, limit.name](recording))
    others = companions(limit, everything, alone=True)

    def found(value: float, settings: dict[str, float] = others) -> bool:
        answer = findings(limit, recording, {**settings, limit.name: value})
        return any(finding.level == "problem" for finding in answer)

    shown = _shown(limit, recording, others)
    if math.isnan(shown):
        shown = _shown(limit, recording, companions(limit, everything, alone=False))
    if math.isnan(shown) and (limit.problem, limit.name) in PLAIN:
        shown = PLAIN[limit.problem, limit.name](recording)
    if not found(limit.lifted):
        return Reading(shown)
    if_lifted = found(limit.lifted, {}) and not found(limit.value, {})
    if found(-limit.lifted):
        return Reading(shown, regardless=True, if_lifted=if_lifted)
    return Reading(_turning_point(limit, found, shown), turns=True, if_lifted=if_lifted)


def _shown(limit: Limit, recording: Recording, others: dict[str, float]) -> float:
    """The number that the finding shows against this limit, marked by a value that no other limit has."""
    mark = math.copysign(1e300, limit.lifted)
    for finding in findings(limit, recording, {**others, limit.name: mark}):
        for evidence in finding.evidence:
            if evidence.limit == mark:
                return float(evidence.observed)
    return math.nan


def _turning_point(limit: Limit, found: Callable[[float], bool], guess: float) -> float:
    """The value of the limit up to which the problem is found."""
    near = abs(guess) * 1e-9 + 1e-300
    outward = math.copysign(near, limit.lifted)
    if math.isfinite(guess) and found(guess + outward) and not found(guess - outward):
        return guess
    yes, no = _rank(limit.lifted), _rank(-limit.lifted)
    while abs(yes - no) > 2**30:  # of the 2**52 steps between a number and its double
        middle = (yes + no) // 2
        yes, no = (middle, no) if found(_ranked(middle)) else (yes, middle)
    value = _ranked((yes + no) // 2)
    return 0.0 if abs(value) < 1e-30 else value


def _rank(value: float) -> int:
    """The place of a float64 among all of them."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits) if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _ranked(rank: int) -> float:
    (value,) = struct.unpack("<d", struct.pack("<q", abs(rank)))
    return math.copysign(float(value), rank)


# -- one run


@dataclass(frozen=True)
class Judged:
    """One run, trained and looked at.

    Attributes:
        score: the metric at the last validation; NaN when there was none at the end.
        validation_loss: the same for the loss.
        named: the first root cause, or "": a problem where there is one, else an observation.
        problems: every finding at level `problem`.
        found: every finding.
        why: its cause and the numbers behind it, for the list of errors.
    """

    animal: Animal
    seed: int
    score: float
    validation_loss: float
    named: str
    problems: tuple[str, ...]
    found: tuple[str, ...]
    why: dict[str, str]
    readings: dict[tuple[str, str], Reading]


def judge(animal: Animal, seed: int, recording: Recording, everything: Sequence[Limit]) -> Judged:
    """Diagnose the run and read every limit."""
    diagnosis = diagnose(recording)
    found = diagnosis.findings
    metric = next((name for name in recording.signals if name.startswith("validation_") and "loss" not in name), "")
    return Judged(
        animal=animal,
        seed=seed,
        score=_last(recording, metric),
        validation_loss=_last(recording, "validation_loss"),
        named=found[0].problem if found else "",
        problems=tuple(finding.problem for finding in found if finding.level == "problem"),
        found=tuple(finding.problem for finding in found),
        why={finding.problem: _why(finding) for finding in found},
        readings={(limit.problem, limit.name): read(limit, recording, everything) for limit in everything},
    )


def _last(recording: Recording, signal: str) -> float:
    series = recording.series(signal)
    return float(series.values[-1]) if series and series.steps[-1] >= recording.steps - 1 else math.nan


def _why(finding: Finding) -> str:
    numbers = (f"{evidence.signal} {evidence.observed:.3g}" for evidence in finding.evidence[:4])
    return f"{finding.cause or '-'}: {', '.join(numbers)}"


def behaves(one: Judged, twins: dict[tuple[str, int], Judged]) -> bool:
    """Whether a healthy run is healthy and a faulty one suffers."""
    animal = one.animal
    if not animal.problem:
        return one.score >= animal.level
    twin = twins.get((animal.twin, one.seed))
    if animal.problem == "data-leak":
        return twin is not None and one.score >= twin.score + TOO_GOOD
    if animal.problem == "overfitting":
        return twin is not None and one.validation_loss >= WORSE * twin.validation_loss
    return not one.score >= animal.level


# -- all runs


def collect(folder: Path, animals: Sequence[Animal], seeds: int) -> list[Judged]:
    """Train what is not in `folder` yet, then judge everything."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    everything, judged = limits(), []
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        jobs = [(animal, seed) for seed in range(seeds) for animal in animals]
        training = progress.add_task("training", total=len(jobs))
        judging = progress.add_task("judging ", total=len(jobs))
        for animal, seed in jobs:
            path = folder / f"{_stem(animal)}-{seed}.clinic"
            if not path.exists():
                part = path.with_suffix(".part")
                part.unlink(missing_ok=True)
                run(animal.make, seed, path=part)
                part.rename(path)
            progress.advance(training)
        for animal, seed in jobs:
            judged.append(judge(animal, seed, load(folder / f"{_stem(animal)}-{seed}.clinic"), everything))
            progress.advance(judging)
    return judged


def _stem(animal: Animal) -> str:
    plain = "".join(letter if letter.isalnum() else "_" for letter in f"{animal.problem} {animal.twin} {animal.name}")
    return plain.strip("_")


def spread(readings: Sequence[Reading], limit: Limit, described: bool) -> dict[str, Any]:
    """The statistic over one group of runs."""
    values = np.array([reading.value for reading in readings if not math.isnan(reading.value)])
    sign = -1 if limit.side == "below" else 1
    found: dict[str, Any] = {"n": len(values), "of": len(readings)}
    for name, share in (("min", 0), ("p1", 0.01), ("median", 0.5), ("p99", 0.99), ("max", 1)):
        found[name] = _number(np.quantile(values, share, method="nearest")) if len(values) else None
    judged = len(values) and limit.side != "equal"
    found["beyond"] = _number(np.mean(sign * values > sign * limit.value)) if judged else None
    found["regardless"] = 0 if described else sum(reading.regardless for reading in readings)
    found["if_lifted"] = sum(reading.if_lifted for reading in readings)
    return found


def _number(value: Any) -> float | str | None:
    number = float(value)
    if math.isnan(number):
        return None
    return float(f"{number:.5g}") if math.isfinite(number) else str(number)


def summarize(judged: Sequence[Judged], seeds: int) -> dict[str, Any]:
    """The content of the results file."""
    twins = {(one.animal.name, one.seed): one for one in judged if not one.animal.problem}
    kept = [one for one in judged if behaves(one, twins)]
    well, ill = [one for one in kept if not one.animal.problem], [one for one in kept if one.animal.problem]
    table: dict[str, Any] = {}
    for limit in limits():
        key = (limit.problem, limit.name)
        described = not any(one.readings[key].turns for one in judged)
        of_it = [one for one in ill if limit.problem in (one.animal.problem, *one.animal.also)]
        table.setdefault(limit.problem, {})[limit.name] = {
            "value": limit.value, "unit": limit.unit, "side": limit.side,
            "decides": not described,
            "healthy": spread([one.readings[key] for one in well], limit, described),
            "faulty": spread([one.readings[key] for one in of_it], limit, described),
        }  # fmt: skip
    return {
        "method": "see the docstring of benchmarks/limits.py",
        "date": date.today().isoformat(),
        "environment": _environment(),
        "seeds": seeds,
        "limits": table,
        "healthy": _false_alarms(well),
        "faulty": _hits(ill),
        "confusion": _confusion(kept),
        "left_out": [f"{_title(one)}: {_score(one)}" for one in judged if one not in kept],
        "animals": _animals(judged),
    }


def _environment() -> dict[str, Any]:
    return {
        "trainclinic": trainclinic.__version__, "torch": torch.__version__, "numpy": np.__version__,
        "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}, CPU, 1 thread",
    }  # fmt: skip


def _false_alarms(well: Sequence[Judged]) -> dict[str, Any]:
    alarmed = [one for one in well if one.problems]
    return {
        "runs": len(well),
        "networks": len({one.animal.name for one in well}),
        "alarms": len(alarmed),
        "by_problem": dict(Counter(problem for one in alarmed for problem in one.problems).most_common()),
        "reasons": [f"{_title(one)}: {problem}: {one.why[problem]}" for one in alarmed for problem in one.problems],
    }


def _hits(ill: Sequence[Judged]) -> dict[str, Any]:
    right = [one for one in ill if one.named == one.animal.problem]
    among = [one for one in ill if one.named != one.animal.problem and one.animal.problem in one.found]
    missed = [one for one in ill if one.animal.problem not in one.found]
    return {
        "runs": len(ill),
        "networks": len({(one.animal.problem, one.animal.twin, one.animal.name) for one in ill}),
        "root_right": len(right),
        "root_right_at_level_problem": sum(one.problems[:1] == (one.animal.problem,) for one in ill),
        "among_the_findings": len(among),
        "missed": len(missed),
        "not_right": [
            f"{_title(one)}: expected {one.animal.problem}, got "
            + ("; ".join(f"{problem}: {one.why[problem]}" for problem in one.found) or "nothing")
            for one in (*among, *missed)
        ],
    }


def _title(one: Judged) -> str:
    twin = f" ← {one.animal.twin}" if one.animal.twin else ""
    return f"{one.animal.name}{twin}, seed {one.seed}"


def _score(one: Judged) -> str:
    return f"scored {one.score:.3f} (validation loss {one.validation_loss:.3f}), level {one.animal.level:g}"


def _confusion(kept: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """What it is → the root cause named first → number of runs."""
    found: dict[str, Counter[str]] = {}
    for one in kept:
        named = one.named if one.animal.problem else "".join(one.problems[:1])  # on the healthy only a problem counts
        found.setdefault(one.animal.problem or "healthy", Counter())[named or "healthy"] += 1
    return {truth: dict(row.most_common()) for truth, row in sorted(found.items())}


def _animals(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in judged:
        animal = one.animal
        row = rows.setdefault(
            (animal.problem, animal.twin, animal.name),
            {"name": animal.name, "problem": animal.problem, "twin": animal.twin, "level": animal.level,
             "scores": [], "named": []},
        )  # fmt: skip
        row["scores"].append(_number(one.score))
        row["named"].append(one.named)
    return list(rows.values())


# -- what is printed


def show(results: dict[str, Any], console: Console) -> None:
    """The limits, the confusion matrix, the errors."""
    table = Table("problem", "limit", "value", "unit", title="Each limit: its statistic on healthy and on faulty runs")
    for group in ("healthy", "faulty"):
        for name in ("n", "1 %", "median", "99 %", "beyond"):
            table.add_column(f"{group}\n{name}", justify="right")
    table.add_column("if lifted\nalarms", justify="right")
    table.add_column("\nfinds", justify="right")
    for problem, entries in results["limits"].items():
        for index, (name, entry) in enumerate(entries.items()):
            mark = {"above": ">", "below": "<", "equal": "="}[entry["side"]]
            cells = [cell for group in ("healthy", "faulty") for cell in _cells(entry[group])]
            lifted = (str(entry[group]["if_lifted"]) for group in ("healthy", "faulty"))
            table.add_row("" if index else problem, name, f"{mark} {entry['value']:g}", entry["unit"], *cells, *lifted)
        table.add_section()
    console.print(table)
    console.print(_matrix(results["confusion"]))
    well, ill = results["healthy"], results["faulty"]
    console.print(f"healthy: {well['runs']} runs, {well['alarms']} with a false alarm {well['by_problem'] or ''}")
    console.print(
        f"faulty: {ill['runs']} runs, root cause right {ill['root_right']}, "
        f"among the findings {ill['among_the_findings']}, missed {ill['missed']}"
    )
    for title, lines in (("false alarms", well["reasons"]), ("not right", ill["not_right"]),
                         ("left out, not what they are said to be", results["left_out"])):  # fmt: skip
        console.print(f"\n[bold]{title}[/]: {len(lines)}")
        for line in lines:
            console.print(f"  {line}", markup=False, highlight=False)
    for failure, where in FAILED.items():
        console.print(f"\nwith its limits lifted a rule failed: {failure} on {where}", markup=False)


def _cells(group: dict[str, Any]) -> list[str]:
    numbers = [f"{group[name]:.3g}" if isinstance(group[name], float) else str(group[name] or "")
               for name in ("p1", "median", "p99")]  # fmt: skip
    return [str(group["n"]), *numbers, "" if group["beyond"] is None else f"{group['beyond']:.0%}"]


def _matrix(confusion: dict[str, dict[str, int]]) -> Table:
    columns = [*dict.fromkeys([*confusion, *(name for row in confusion.values() for name in row)])]
    table = Table("is \\ named", title="Confusion: the root cause named first")
    for name in columns:
        table.add_column(name.replace("-", "\n"), justify="right")
    for truth, row in confusion.items():
        table.add_row(truth, *(str(row.get(name, "")) for name in columns))
    return table


def animals() -> tuple[Animal, ...]:
    """The whole calibration zoo."""
    sound = (*healthy(), *animals_of_data(healthy=True), *zoo_training.healthy())
    return (*sound, *faulty(), *animals_of_data(healthy=False), *zoo_training.faulty())


def main() -> None:
    """Train, judge, write, print."""
    parser = argparse.ArgumentParser(description="What the limits' statistics are on healthy and on faulty runs.")
    parser.add_argument("--keep", type=Path, help="folder of recordings: kept, and used again where they are there")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="animals whose name, problem or twin holds this; writes no file")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [one for one in animals() if options.only in f"{one.problem} {one.twin} {one.name}"]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = summarize(collect(folder, chosen, options.seeds), options.seeds)
    if not options.only:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console = Console(width=None if Console().is_terminal else 200)
    show(results, console)
    console.print(f"\n{time.monotonic() - began:.0f} s; {options.output if not options.only else 'nothing written'}")


if __name__ == "__main__":
    main()
