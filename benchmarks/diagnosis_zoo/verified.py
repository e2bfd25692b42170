"""Which runs are what they are said to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diagnosis_zoo.outcome import Outcome, good, hurts
from diagnosis_zoo.runs import Run, fault_of, outcome_of, plan_of


@dataclass
class Verified:
    """The runs sorted.

    Attributes:
        healthy: good on every seed, or with a fault that hurts in no way.
        faulty: of a fault that hurts on at least two seeds, the seeds on which it does.
        harmless: the names of the faults that do not hurt.
        left_out: the names of what counts nowhere, and why.
    """

    healthy: list[Run] = field(default_factory=list)
    faulty: list[Run] = field(default_factory=list)
    harmless: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def verified(folder: Path, runs: Sequence[Run], *, at_all: bool = False) -> Verified:
    """Sort the runs by their outcomes, never by what a diagnosis says.

    Args:
        folder: of the outcomes.
        runs: of one part, the twins among them.
        at_all: whether a fault hurts where its runs come out worse by however little, and not by the margin.
    """
    outcomes = {run: outcome_of(folder, run) for run in runs}
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.problem, run.name), []).append(run)
    found = Verified()
    for (problem, name), own in grouped.items():
        if any(outcomes[run] is None for run in own):
            found.left_out[name] = "not trained, or the training broke off"
        elif problem:
            _sort_fault(found, name, own, outcomes, at_all)
        else:
            _sort_plan(found, name, own, outcomes)
    return found


def _sort_plan(found: Verified, name: str, own: list[Run], outcomes: dict[Run, Outcome | None]) -> None:
    task = plan_of(own[0]).task
    bad = [run for run in own if not good(outcomes[run], task)]
    if bad:
        found.left_out[name] = f"not good on seed {', '.join(str(run.seed) for run in bad)}"
    else:
        found.healthy += own


def _sort_fault(found: Verified, name: str, own: list[Run], outcomes: dict[Run, Outcome | None], at_all: bool) -> None:
    fault = fault_of(own[0])
    twins = {run: outcomes.get(Run(fault.twin.name, "", run.seed)) for run in own}
    if any(twin is None for twin in twins.values()) or fault.twin.name in found.left_out:
        found.left_out[name] = "its healthy twin is missing or not good"
        return
    how = fault.dose.how
    ill = [run for run in own if hurts(outcomes[run], twins[run], fault.twin.task, how, at_all=at_all)]
    if 3 * len(ill) >= 2 * len(own):
        found.faulty += ill
    else:
        found.harmless.append(name)
        # What is worse than its twin, though not in the way that its kind is said to be, is neither.
        found.healthy += [
            run for run in own if run not in ill and not hurts(outcomes[run], twins[run], fault.twin.task)
        ]
