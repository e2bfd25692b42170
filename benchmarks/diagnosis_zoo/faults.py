"""Every problem put into the architectures where it can live: `faults()`.

A dose is a mistake as a person makes it; `fits` says where it can live. For each problem the doses are dealt over the
families of architectures, at most `MOST` to a problem, the doses and the plans used least first, in each part of the
benchmark (`Task.part`) on its own: so the list follows from this file alone. Which of them hurts is measured
(`outcome.hurts`); those that do not count as healthy.

`accepts` names another root cause that is as right, and `why`; these were written before any diagnosis was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from diagnosis_zoo.doses import DOSES, Dose
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.plan import Plan

#: part → most faults of one problem: what fits everywhere shall not outweigh what is particular
MOST = {1: 12, 2: 9, 3: 8, 4: 8, 5: 8, 6: 8, 7: 10}


@dataclass(frozen=True)
class Fault:
    """One plan with one mistake.

    Attributes:
        name: unique.
        problem: the root cause that was built in.
        twin: the healthy plan.
        dose: the mistake.
    """

    name: str
    problem: str
    twin: Plan
    dose: Dose

    @property
    def plan(self) -> Plan:
        return self.dose.change(self.twin).but(name=self.name)


@cache
def faults() -> tuple[Fault, ...]:
    """Every fault, part by part and problem by problem."""
    return tuple(
        fault
        for part, most in MOST.items()
        for index, problem in enumerate(DOSES)
        for fault in _dealt(problem, DOSES[problem], index, [one for one in healthy() if one.task.part == part], most)
    )


@cache
def further() -> tuple[Fault, ...]:
    """The same mistakes where they were not dealt to: on tasks that are not sealed alone."""
    dealt = {fault.name for fault in faults()}
    every = (
        Fault(f"{plan.name} | {dose.words}", problem, plan, dose)
        for problem, doses in DOSES.items()
        for dose in doses
        for plan in healthy()
        if not plan.task.sealed and dose.fits(plan)
    )
    return tuple(fault for fault in every if fault.name not in dealt)


def _dealt(problem: str, doses: Sequence[Dose], index: int, plans: Sequence[Plan], most: int) -> Iterator[Fault]:
    """One to each family in turn, beginning with another family for each problem, until there are enough."""
    families = list(dict.fromkeys(plan.family for plan in plans))
    begin = 5 * index % len(families)
    families = families[begin:] + families[:begin]
    dealt: list[tuple[Dose, Plan]] = []
    doses_used: Counter[str] = Counter()
    plans_used: Counter[str] = Counter()
    for family in 3 * families:
        open_pairs = [
            (dose, plan)
            for plan in plans
            if plan.family == family
            for dose in doses
            if dose.fits(plan) and (dose, plan) not in dealt
        ]
        if open_pairs and len(dealt) < most:
            dose, plan = min(open_pairs, key=lambda pair: (doses_used[pair[0].words], plans_used[pair[1].name]))
            dealt.append((dose, plan))
            doses_used[dose.words] += 1
            plans_used[plan.name] += 1
            yield Fault(f"{plan.name} | {dose.words}", problem, plan, dose)
