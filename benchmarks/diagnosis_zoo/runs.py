"""Trains the plans and the faults, watched, and keeps every recording with its outcome.

Once, so that rules can be judged again in minutes. Two parts are sealed (`Task.sealed`), for the report and for that of
checkups: nothing of them is looked at before the rules and limits are frozen. The development part is all the rest.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from diagnosis_zoo.doses import EXAMINED
from diagnosis_zoo.faults import Fault, faults, further
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.outcome import Outcome, outcome
from diagnosis_zoo.plan import Built, Plan
from diagnosis_zoo.tasks import BEFORE, SEALED, Task
from trainclinic.setup import Setup

SEEDS_HEALTHY, SEEDS_FAULTY = 6, 3


@dataclass(frozen=True)
class Run:
    """One training to make: the name of a healthy plan or of a fault, and the seed."""

    name: str
    problem: str
    seed: int

    @property
    def stem(self) -> str:
        """Of its files; the hash keeps apart names that differ in signs alone."""
        words = "".join(letter if letter.isalnum() else "_" for letter in f"{self.problem} {self.name}").strip("_")
        return f"{words[:80]}-{digest(self.name)[:6]}-{self.seed}"


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def kept_for_comparison(setup: str) -> bool:
    """A fifth of the Setups, by the hash of the name: for comparisons of sampling, precision and scripts to come."""
    return int(digest(setup), 16) % 5 == 0


def everything(*, development: bool = False) -> list[Run]:
    """Every run of one part; the healthy first, and seed by seed, so that some of them are a fair sample.

    Args:
        development: the tasks on which rules and limits may be looked at; else those that the report is of.
    """
    return _of(lambda task: not task.sealed if development else task.part == SEALED, SEEDS_HEALTHY, faults())


def before_training(*, development: bool = False) -> list[Run]:
    """The same for checkups: with the faults that one can see, and as few seeds for the healthy plans.

    Args:
        development: the tasks on which rules and limits may be looked at; else those that the report of checkups is of.
    """
    seen = [fault for fault in faults() if fault.problem in EXAMINED]
    return _of(lambda task: not task.sealed if development else task.part == BEFORE, SEEDS_FAULTY, seen)


def _of(belongs: Callable[[Task], bool], seeds: int, ills: Sequence[Fault]) -> list[Run]:
    well = [Run(plan.name, "", seed) for seed in range(seeds) for plan in healthy() if belongs(plan.task)]
    ills = [fault for fault in ills if belongs(fault.twin.task)]
    return well + [Run(fault.name, fault.problem, seed) for seed in range(SEEDS_FAULTY) for fault in ills]


def more(most: int = 4) -> list[Run]:
    """On the tasks that are not sealed: at most so many further faults of each mistake, by hash."""
    found: dict[str, list[Fault]] = {}
    for fault in sorted(further(), key=lambda one: digest(one.name)):
        found.setdefault(fault.dose.words, []).append(fault)
    return [Run(one.name, one.problem, 0) for same in found.values() for one in same[:most]]


@cache
def _known() -> tuple[dict[str, Plan], dict[str, Fault]]:
    return {plan.name: plan for plan in healthy()}, {fault.name: fault for fault in (*faults(), *further())}


def plan_of(run: Run) -> Plan:
    """What is trained."""
    plans, ill = _known()
    return ill[run.name].plan if run.problem else plans[run.name]


def fault_of(run: Run) -> Fault:
    return _known()[1][run.name]


def missing(folder: Path, runs: list[Run]) -> list[Run]:
    """Those without an outcome yet; it is written last."""
    return [run for run in runs if not (folder / f"{run.stem}.json").exists()]


def train(folder: Path, runs: list[Run], workers: int) -> Iterator[Run]:
    """Train each run in a process with one thread; yields each as it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(folder, run) for run in runs]
    with multiprocessing.get_context("spawn").Pool(workers, alone) as pool:
        yield from pool.imap_unordered(_kept, jobs)


def alone() -> None:
    """Begin a process that trains."""
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # many of the mistakes are warned of, which is the reader's concern, not ours


def _kept(job: tuple[Path, Run]) -> Run:
    folder, run = job
    record(folder, run)
    return run


def record(
    folder: Path,
    run: Run,
    plan: Plan | None = None,
    *,
    dressed: Callable[[Setup], Setup] = lambda setup: setup,
    every: int | None = None,
) -> Outcome | None:
    """Train one run, watched; keep the recording, then its outcome. None where the training itself breaks off.

    Args:
        folder: of the recordings.
        run: names the files.
        plan: what is trained; that of the run's name without.
        dressed: what is trained instead of the plan's Setup.
        every: see `trainclinic.watch`.
    """
    from trainclinic.measure.run import run as watched

    made: list[Built] = []
    plan = plan or plan_of(run)

    def make(seed: int) -> Setup:
        built = plan.build()
        made.append(built._replace(setup=dressed(built.setup)))
        return made[-1].setup

    part, whole = folder / f"{run.stem}.part", folder / f"{run.stem}.clinic"
    part.unlink(missing_ok=True)
    try:
        recording = watched(make, run.seed, path=part, every=every)
    except (ArithmeticError, IndexError, RuntimeError, ValueError) as error:
        write(folder, run, {"error": f"{type(error).__name__}: {error}"})
        return None
    part.rename(whole)
    setup, splits, told = made[0]
    name = f"validation_{setup.metric_name}"
    if told:
        history, reported = [figures["loss"] for figures in told], told[-1][setup.metric_name]
    else:
        history = [float(value) for value in recording.series("validation_loss").values]
        series = recording.series(name)
        reported = float(series.values[-1]) if series else math.nan
    found = outcome(setup, splits, plan.task, history, reported)
    write(folder, run, asdict(found))
    return found


def write(folder: Path, run: Run, content: dict[str, object]) -> None:
    path = folder / f"{run.stem}.json"
    path.with_suffix(".tmp").write_text(json.dumps(content))
    path.with_suffix(".tmp").rename(path)


def broke_off(folder: Path, run: Run) -> bool:
    """Whether it was made, and the training broke off."""
    return "error" in json.loads((folder / f"{run.stem}.json").read_text())


def outcome_of(folder: Path, run: Run) -> Outcome | None:
    """As it was kept; None where the training broke off or was not made."""
    path = folder / f"{run.stem}.json"
    content = json.loads(path.read_text()) if path.exists() else {"error": "not trained yet"}
    return None if "error" in content else Outcome(**content)
