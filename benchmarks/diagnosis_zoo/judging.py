"""Asks the rules about every recording, and counts: shares with intervals that know that seeds are not independent."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diagnosis_zoo.runs import Run, fault_of, kept_for_comparison, plan_of
from diagnosis_zoo.verified import Verified

RESAMPLED = 10_000
NOTHING = "nothing"


@dataclass(frozen=True)
class Answer:
    """What the rules say of one run.

    Attributes:
        run: that was asked about.
        named: the first root cause, or "": a problem where there is one, else an observation.
        problems: everything at level `problem`, root or not, the first root cause first.
        mentioned: every finding, observations too.
        not_examined: problems that the recording could neither show nor rule out.
    """

    run: Run
    named: str
    problems: tuple[str, ...]
    mentioned: tuple[str, ...]
    not_examined: tuple[str, ...]

    @property
    def right(self) -> tuple[str, ...]:
        return right(self.run)


def right(run: Run) -> tuple[str, ...]:
    """The root causes that count as right of a faulty run."""
    return (run.problem, *fault_of(run).dose.accepts)


def ask(folder: Path, runs: Sequence[Run], workers: int) -> Iterator[Answer]:
    """Diagnose each recording with the present rules."""
    jobs = [(folder, run) for run in runs]
    if workers == 1:
        yield from map(_asked, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_asked, jobs, chunksize=8)


def _asked(job: tuple[Path, Run]) -> Answer:
    import trainclinic

    folder, run = job
    diagnosis = trainclinic.diagnose(folder / f"{run.stem}.clinic")
    return Answer(
        run,
        diagnosis.findings[0].problem if diagnosis.findings else "",
        tuple(finding.problem for finding in diagnosis.findings if finding.level == "problem"),
        tuple(finding.problem for finding in diagnosis.findings),
        tuple(entry.problem for entry in diagnosis.not_examined),
    )


# -- shares


def share(answers: Sequence[Any], holds: Callable[[Any], bool]) -> dict[str, Any]:
    """Of the answers, each of a `run`, with an interval of 95 % from a bootstrap of the Setups with all their seeds."""
    grouped: dict[str, list[bool]] = {}
    for answer in answers:
        grouped.setdefault(_setup(answer.run), []).append(holds(answer))
    yes = np.array([sum(own) for own in grouped.values()])
    count = np.array([len(own) for own in grouped.values()])
    found = {"yes": int(yes.sum()), "runs": int(count.sum()), "setups": len(count)}
    if not len(count):
        return found
    draws = np.random.default_rng(0).integers(0, len(count), (RESAMPLED, len(count)))
    low, high = np.quantile(yes[draws].sum(1) / count[draws].sum(1), (0.025, 0.975))
    if not yes.sum():
        high = 1 - 0.05 ** (1 / len(count))  # nothing seen in n Setups: the bound of 95 %
    if yes.sum() == count.sum():
        low = 0.05 ** (1 / len(count))  # seen in all of n
    return found | {"share": round(yes.sum() / count.sum(), 4), "low": round(low, 4), "high": round(high, 4)}


def _setup(run: Run) -> str:
    return f"{run.problem} {run.name}"


def rates(answers: Iterable[Answer], sorted_runs: Verified, at_all: Verified) -> dict[str, Any]:
    """The content of the results file, but for where and when.

    Args:
        answers: about every run of both.
        sorted_runs: by what is clearly worse.
        at_all: by what is worse by however little, for what is promised.
    """
    told = list(answers)
    ill, well = _parted(told, sorted_runs)
    return _shares(ill, well) | {
        "where worse at all is harm": _shares(*_parted(told, at_all)),
        "by what is held out": _held_out(ill, well),
        "by problem": {problem: _of(problem, ill, well) for problem in sorted({one.run.problem for one in ill})},
        "confusion": _confusion(ill, well),
        "false alarms": [_told(one) for one in well if one.problems],
        "not right": [_told(one) for one in ill if not _first(one)],
        "harmless faults, counted as healthy": sorted(sorted_runs.harmless),
        "left out": dict(sorted(sorted_runs.left_out.items())),
        "kept for comparisons": sorted(
            {one.run.name for one in (*ill, *well) if kept_for_comparison(one.run.name)}
        ),
    }  # fmt: skip


def _parted(answers: Iterable[Answer], sorted_runs: Verified) -> tuple[list[Answer], list[Answer]]:
    """The faulty runs and the healthy ones, in the order of their names."""
    by_run = {answer.run: answer for answer in sorted(answers, key=lambda one: (_setup(one.run), one.run.seed))}
    ill = [by_run[run] for run in sorted_runs.faulty if run in by_run]
    return ill, [by_run[run] for run in sorted_runs.healthy if run in by_run]


def _shares(ill: Sequence[Answer], well: Sequence[Answer]) -> dict[str, Any]:
    """What is promised, and what belongs to it."""
    return {
        "root cause ranked first": share(ill, _first),
        "… at level problem": share(ill, lambda one: _alarmed(one) in one.right),
        "… nothing else accepted": share(ill, lambda one: one.named == one.run.problem),
        "root cause among the findings": share(ill, _among),
        "… among those at level problem": share(ill, lambda one: bool({*one.right} & {*one.problems})),
        "nothing found on a faulty run": share(ill, lambda one: not one.mentioned),
        "no problem found on a faulty run": share(ill, lambda one: not one.problems),
        "a problem found on a healthy run": share(well, lambda one: bool(one.problems)),
        "… of a good plan": share([one for one in well if not one.run.problem], lambda one: bool(one.problems)),
        "… with a fault that did no harm": share([one for one in well if one.run.problem],
                                                lambda one: bool(one.problems)),
        "… and another one named than is there": share([one for one in well if one.run.problem],
                                                      lambda one: _alarmed(one) not in ("", *one.right)),
        "an observation, and no problem, on a good plan": share([one for one in well if not one.run.problem],
                                                                lambda one: bool(one.mentioned) and not one.problems),
    }  # fmt: skip


def _first(one: Answer) -> bool:
    return one.named in one.right


def _among(one: Answer) -> bool:
    return bool({*one.right} & {*one.mentioned})


def _alarmed(one: Answer) -> str:
    """The first root cause at level `problem`, or ""."""
    return one.problems[0] if one.problems else ""


def _held_out(ill: Sequence[Answer], well: Sequence[Answer]) -> dict[str, Any]:
    return {
        kind: {
            "root cause ranked first": share([one for one in ill if plan_of(one.run).held_out == kind], _first),
            "root cause among the findings": share([one for one in ill if plan_of(one.run).held_out == kind], _among),
            "a problem found on a healthy run": share(
                [one for one in well if plan_of(one.run).held_out == kind], lambda one: bool(one.problems)
            ),
        }
        for kind in ("architecture and data", "data only")
    }


def _of(problem: str, ill: Sequence[Answer], well: Sequence[Answer]) -> dict[str, Any]:
    own = [one for one in ill if one.run.problem == problem]
    others = [one for one in ill if problem not in one.right]
    return {
        "first": share(own, _first),
        "among": share(own, _among),
        "nothing said": share(own, lambda one: not one.mentioned),
        "named instead": dict(Counter(one.named for one in own if not _first(one)).most_common()),
        "not examined": sum(problem in one.not_examined for one in own),
        "on healthy runs": share(well, lambda one: problem in one.problems),
        "named first where something else is wrong": share(others, lambda one: one.named == problem),
    }


def _confusion(ill: Sequence[Answer], well: Sequence[Answer]) -> dict[str, dict[str, int]]:
    """What is wrong → the root cause named first → number of runs; what is accepted as right keeps its own name.

    On healthy runs only a problem counts.
    """
    found: dict[str, Counter[str]] = {}
    for truth, one in [*((one.run.problem, one) for one in ill), *(("healthy", one) for one in well)]:
        named = one.named if truth != "healthy" else _alarmed(one)
        found.setdefault(truth, Counter())[named or NOTHING] += 1
    return {truth: dict(row.most_common()) for truth, row in sorted(found.items())}


def _told(one: Answer) -> str:
    said = ", ".join(one.problems or (f"{name} (observed)" for name in one.mentioned)) or NOTHING
    return f"{one.run.problem or 'healthy'}: {one.run.name}, seed {one.run.seed}: {said}"
