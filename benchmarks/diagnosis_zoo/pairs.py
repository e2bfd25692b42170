"""Two faults at once: which can stand together in one plan, and which of them are tried.

Both are of the same twin, each does harm alone, and they are of different problems. Whether the one leaves the other
what it is, is read off the fields of the plan that each changes (`places`): where both change the same place, the one
may overwrite or undo the other, and the pair is left out. Which problem explains which plays no part in the choice.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial

from diagnosis_zoo.faults import Fault
from diagnosis_zoo.plan import Plan
from diagnosis_zoo.runs import Run, digest, fault_of

#: what the name says of a plan, but not what is trained
NAMES = {"name", "family", "known"}


@dataclass(frozen=True)
class Pair:
    """Two faulty runs of the same twin and the same seed."""

    first: Run
    second: Run

    @property
    def run(self) -> Run:
        """By which the files are named."""
        words = fault_of(self.second).dose.words
        return Run(f"{self.first.name} + {words}", f"{self.first.problem} + {self.second.problem}", self.first.seed)

    @property
    def plan(self) -> Plan:
        """With both; the second on the first, or where that cannot be built the first on the second.

        Raises:
            ValueError: neither can be built.
        """
        first, second = fault_of(self.first), fault_of(self.second)
        for one, other in ((first, second), (second, first)):
            try:
                plan = other.dose.change(one.plan).but(name=self.run.name)
                plan.build()
            except Exception:  # a layer that the other fault has taken away, rows that are too few: whatever it is
                continue
            return plan
        raise ValueError(f"{self.run.name}: expected a plan with both faults, neither order can be built")


def places(fault: Fault) -> set[str]:
    """What the fault changes in its twin.

    A field of the plan is a place. Exceptions: the optimizer's settings are a place each; what builds the network and
    what then changes it are one; and a loop in eval mode takes no statistics of a batch, so that it holds the batch
    size, too.
    """
    twin, plan = fault.twin, fault.plan
    changed = {one.name for one in fields(Plan) if getattr(twin, one.name) != getattr(plan, one.name)} - NAMES
    found = {"network" if name in ("network", "model", "after") else name for name in changed - {"optimizer"}}
    if "optimizer" in changed:
        found |= _settings(twin.optimizer, plan.optimizer)
    if plan.loop is not None and plan.loop.keywords.get("mode") in ("eval", "stays"):
        found.add("batch")
    return found


def _settings(before: partial, after: partial) -> set[str]:
    """The settings that differ; all there are where it is another optimizer."""
    names = {*before.keywords, *after.keywords}
    if before.func is not after.func:
        return {"momentum", "weight_decay", *names}
    return {name for name in names if before.keywords.get(name) != after.keywords.get(name)}


def together(first: Fault, second: Fault) -> bool:
    """Whether each leaves the other what it is."""
    return first.problem != second.problem and not places(first) & places(second)


def chosen(faulty: Sequence[Run], most: int) -> list[Pair]:
    """At most so many pairs of these runs, in the order of the hash of both names; those that can be built."""
    own: dict[tuple[str, int], list[Run]] = {}
    for run in faulty:
        own.setdefault((fault_of(run).twin.name, run.seed), []).append(run)
    pairs = [
        Pair(*sorted(two, key=lambda run: run.name))
        for runs in own.values()
        for two in itertools.combinations(runs, 2)
        if together(*map(fault_of, two))
    ]
    found: list[Pair] = []
    for pair in sorted(pairs, key=lambda pair: (digest(pair.run.name), pair.run.seed)):
        if len(found) < most and _stands(pair):
            found.append(pair)
    return found


def _stands(pair: Pair) -> bool:
    try:
        return bool(pair.plan)
    except ValueError:
        return False
