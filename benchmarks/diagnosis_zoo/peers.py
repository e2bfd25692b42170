"""Trains the runs that are kept for comparisons again, under other tools, and counts what they say beside our rules.

What a tool says is kept in its own words, one file a run and tool, and read in our names (`diagnosis_peers`) when it
is counted: the mapping can be mended without training again.
"""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import diagnosis_peers

from diagnosis_zoo import judging
from diagnosis_zoo.runs import Run, alone, kept_for_comparison, plan_of
from diagnosis_zoo.verified import Verified

Job = tuple[Path, Run, str]  # the folder, what is trained, and under which tool


@dataclass(frozen=True)
class Opinion:
    """What one tool says of one run, in our names.

    Attributes:
        run: that was asked about.
        findings: each with all that it may mean.
        foremost: those of them that it puts first: of equally grave ones all, since no tool but ours orders them.
        alarm: whether anything was said that is more than information.
        error: that the tool ended with, or "".
    """

    run: Run
    findings: tuple[tuple[str, ...], ...]
    foremost: tuple[tuple[str, ...], ...]
    alarm: bool
    error: str = ""

    @property
    def first(self) -> bool:
        """Whether what it puts first may mean a cause that counts as right."""
        return self._right(self.foremost)

    @property
    def among(self) -> bool:
        """Whether any of what it says may."""
        return self._right(self.findings)

    def _right(self, findings: Iterable[tuple[str, ...]]) -> bool:
        return any({*judging.right(self.run)} & {*meant} for meant in findings)


def kept(sorted_runs: Verified) -> Verified:
    """The fifth of the Setups that comparisons are made on."""
    return Verified(
        [run for run in sorted_runs.healthy if kept_for_comparison(run.name)],
        [run for run in sorted_runs.faulty if kept_for_comparison(run.name)],
    )


# -- asking


def missing(folder: Path, runs: Sequence[Run]) -> list[Job]:
    """What no tool was asked yet."""
    jobs = [(folder, run, tool) for run in runs for tool in diagnosis_peers.PEERS]
    return [job for job in jobs if not _path(*job).exists()]


def ask(jobs: Sequence[Job], workers: int) -> Iterator[Job]:
    """Train each run under its tool, in a process with one thread, and keep what it says; yields each that is done."""
    if not jobs:
        return
    with multiprocessing.get_context("spawn").Pool(workers, alone) as pool:
        yield from pool.imap_unordered(_asked, jobs)


def _asked(job: Job) -> Job:
    _, run, tool = job
    keep(job, diagnosis_peers.answer(tool, plan_of(run).make, run.seed))
    return job


def keep(job: Job, said: diagnosis_peers.Said | str) -> None:
    """Write down what a tool said, or the error that it ended with."""
    path = _path(*job)
    path.with_suffix(".tmp").write_text(json.dumps({"error": said} if isinstance(said, str) else {"said": said}))
    path.with_suffix(".tmp").rename(path)


def _path(folder: Path, run: Run, tool: str) -> Path:
    return folder / f"{run.stem}.{tool}.json"


# -- reading


def opinion(folder: Path, run: Run, tool: str) -> Opinion:
    """What another tool said, as it was kept."""
    content = json.loads(_path(folder, run, tool).read_text())
    return read(run, tool, content.get("said", ()), content.get("error", ""))


def read(run: Run, tool: str, said: Iterable[tuple[str, int]], error: str = "") -> Opinion:
    """What a tool said, in our names; what stands in no table is a hint of style."""
    meant = [
        (diagnosis_peers.MEANINGS[tool][what], severity)
        for what, severity in said
        if what in diagnosis_peers.MEANINGS[tool]
    ]
    gravest = max((severity for _, severity in meant), default=diagnosis_peers.INFORMATION)
    return Opinion(
        run,
        tuple(names for names, _ in meant),
        tuple(names for names, severity in meant if severity == gravest),
        gravest > diagnosis_peers.INFORMATION,
        error,
    )


def ours(answer: judging.Answer) -> Opinion:
    """What the present rules say: of all findings the first root cause alone is foremost; a problem is an alarm."""
    findings = tuple((name,) for name in answer.mentioned)
    return Opinion(answer.run, findings, ((answer.named,),), bool(answer.problems))


# -- counting


def compared(opinions: dict[str, Sequence[Opinion]], sorted_runs: Verified) -> dict[str, Any]:
    """The content of the results file, but for where and when.

    Args:
        opinions: by tool, on all of these runs.
        sorted_runs: which of them are healthy and which are not.
    """
    rows, problems = {}, sorted({run.problem for run in sorted_runs.faulty})
    by_problem: dict[str, dict[str, Any]] = {problem: {} for problem in problems}
    for tool, found in opinions.items():
        by_run = {one.run: one for one in found}
        ill = [by_run[run] for run in sorted_runs.faulty]
        rows[tool] = _row(ill, [by_run[run] for run in sorted_runs.healthy])
        for problem in problems:
            own = [one for one in ill if one.run.problem == problem]
            by_problem[problem][tool] = {"first": judging.share(own, _first), "among": judging.share(own, _among)}
    return {"versions": versions(opinions), "tools": rows, "by problem": by_problem}


def _row(ill: Sequence[Opinion], well: Sequence[Opinion]) -> dict[str, Any]:
    return {
        "root cause ranked first": judging.share(ill, _first),
        "… by chance": round(_by_chance(ill), 4),
        "root cause among the findings": judging.share(ill, _among),
        "nothing said of a faulty run": judging.share(ill, lambda one: not one.alarm),
        "a problem found on a healthy run": judging.share(well, _alarm),
        "… of a good plan": judging.share([one for one in well if not one.run.problem], _alarm),
        "… with a fault that did no harm": judging.share([one for one in well if one.run.problem], _alarm),
        "errors": dict(Counter(one.error for one in (*ill, *well) if one.error).most_common()),
    }


def _by_chance(ill: Sequence[Opinion]) -> float:
    """How often the foremost would be right if the answers were dealt to the runs at random: the mean of all pairs."""
    dealt = [replace(one, run=other.run).first for one in ill for other in ill]
    return sum(dealt) / max(len(dealt), 1)


def _first(one: Opinion) -> bool:
    return one.first


def _among(one: Opinion) -> bool:
    return one.among


def _alarm(one: Opinion) -> bool:
    return one.alarm


def installed() -> bool:
    """Whether the other tools are there."""
    return all(versions(diagnosis_peers.PEERS).values())


def versions(tools: Iterable[str]) -> dict[str, str]:
    """Of each tool; "" where it is not installed."""
    return {tool: _version(tool) for tool in tools}


def _version(tool: str) -> str:
    try:
        return metadata.version(tool)
    except metadata.PackageNotFoundError:
        return ""
