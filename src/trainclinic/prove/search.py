"""The search: short runs that propose one plan. Search is not inference: the plan is proven afterwards, or never."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic.measure.run import Make, build
from trainclinic.measure.shadow import generators_kept
from trainclinic.prove.pairs import EARLY, EVALUATED, Job, Run, score
from trainclinic.prove.trial import margin_for, measure_for, no_better_than_a_guess
from trainclinic.prove.workers import Workers
from trainclinic.records import Attempt, Dose, Finding
from trainclinic.setup import Setup
from trainclinic.treat.operation import operate, remedies_for, remedy_of
from trainclinic.treat.remedy import RefusedError, Remedy

MOST_REMEDIES = 3  # in one plan
WORSE = {"loss": 0.5}  # a try that is behind the untreated run by more, after an eighth of a run, is given up
WORSE_METRIC = 0.1
NOTHING_LEARNED = (
    "learns no more than a guess: look whether the targets belong to the inputs, and the inputs hold what is asked"
)


@dataclass
class Search:
    """What has been tried so far, and what is left to spend.

    Args:
        make: builds the Setup.
        control: the untreated whole run.
        allowance: of the search [optimizer steps].
        workers: make the runs.
        told: what is being tried, and what has been spent.
        only: ids of the remedies that may be tried; () for all.

    Attributes:
        tried: every attempt, in order.
        spent: [optimizer steps].
        why_not: remedies that were refused, with the reason.
        compared: the untreated run after as many steps as the tries have; None before the first.
        in_vain: the problem that a plan rids the network of, without its learning anything, or "".
    """

    make: Make
    control: Run
    allowance: int
    workers: Workers
    told: Callable[[str, int], None] = lambda doing, spent: None
    only: tuple[str, ...] = ()
    tried: list[Attempt] = field(default_factory=list)
    spent: int = 0
    why_not: list[str] = field(default_factory=list)
    compared: Run | None = None
    in_vain: str = ""

    def plan(self, root: Finding) -> tuple[Dose, ...]:
        """The remedies worth a proof, fewest first; none where none fits or helps."""
        share, control = self._as_short_as_shows(root)
        plan: tuple[Dose, ...] = ()
        best = self.compared = control
        finding = root
        for _ in range(MOST_REMEDIES):
            found = self._round(plan, finding, share, best)
            if found is None:
                break
            dose, best = found
            plan = (*plan, dose)
            remaining = [one for one in best.diagnosis.problems if one.problem != finding.problem]
            if finding.problem in best.problems:
                continue
            if not remaining:
                break
            finding = remaining[0]
        if plan and self._in_vain(plan, share, best):
            self.in_vain = root.problem
            return ()
        return plan

    def first(self, root: Finding) -> tuple[Dose, ...]:
        """The first remedy that fits, untried: where not even short runs can be paid."""
        return next((tuple(group[:1]) for group in self.candidates((), root)), ())

    def _in_vain(self, plan: tuple[Dose, ...], share: float, best: Run) -> bool:
        """Whether the plan, seen whole, learns nothing: then no proof is worth its twelve runs."""
        if not no_better_than_a_guess(best):
            return False
        whole = [best] if share == 1.0 else list(self._runs([self._job(plan, 1.0, best)]))
        return bool(whole) and all(map(no_better_than_a_guess, whole))

    # -- one round: which remedy to add

    def _round(self, plan: tuple[Dose, ...], finding: Finding, share: float, before: Run) -> tuple[Dose, Run] | None:
        measure, problem = before.measure, finding.problem
        best: tuple[tuple[bool, float], Dose, Run] | None = None
        for group in self.candidates(plan, finding):
            jobs = [self._job((*plan, dose), share, before) for dose in group]
            for dose, run in zip(group, self._runs(jobs), strict=False):
                gain = _at(run, measure) - _at(before, measure)
                cleared = problem not in run.problems and not run.stopped and not run.curve.error and not run.refused
                cleared = cleared and gain > 0  # a network that learns nothing is free of many problems
                self._note((*plan, dose), run, gain, cleared)
                better = cleared or gain > margin_for(measure, [before])
                if not run.refused and not run.stopped and not run.curve.error and better:
                    rank = (cleared, gain)
                    if best is None or rank > best[0]:
                        best = (rank, dose, run)
            if best is not None and best[0][0]:
                break
        return (best[1], best[2]) if best else None

    def candidates(self, plan: tuple[Dose, ...], finding: Finding) -> Iterator[list[Dose]]:
        """Groups of doses to try, best first: a ladder is one group, everything else one by one."""
        used = {dose.remedy for dose in plan}
        later: list[list[Dose]] = []
        with generators_kept():  # one for all: remedies look, and change nothing
            setup, _ = operate(build(self.make, self.control.curve.seed), [remedy_of(dose) for dose in plan])
        for kind in remedies_for(finding.problem):
            if kind.id() in used or (self.only and kind.id() not in self.only):
                continue
            doses = self._doses(kind, setup, plan, finding)
            if not doses:
                continue
            if kind.ladder:
                yield doses
            else:
                yield doses[:1]
                later += [[dose] for dose in doses[1:]]
        yield from later

    def _doses(self, kind: type[Remedy], setup: Setup, plan: tuple[Dose, ...], finding: Finding) -> list[Dose]:
        """Its options that fit this Setup; where none does, the refusal is noted, in words."""
        doses: list[Dose] = []
        refused = ""
        with generators_kept(), _steps_counted() as steps:
            try:
                for option in kind.options(setup, finding):
                    try:
                        option.prescribe(setup)
                        doses.append(Dose(option.id(), option.to_dict()))
                    except RefusedError as reason:
                        refused = refused or str(reason)
            except RefusedError as reason:
                refused = str(reason)
        if steps[0]:
            self.spent += steps[0]
            said = "a test on a copy, which proposes the settings"
            self.tried.append(Attempt((*plan, Dose(kind.id())), math.nan, False, steps[0], said))
        if refused and not doses:
            self.why_not.append(refused)
            self.tried.append(Attempt((*plan, Dose(kind.id())), math.nan, False, 0, refused))
        return doses

    # -- runs, and what they cost

    def _as_short_as_shows(self, root: Finding) -> tuple[float, Run]:
        shown = (share for share in EARLY if root.problem in self.control.until(share).problems)
        share = next(shown, 1.0)
        control = self.control.until(share)
        return share, control.by_loss() if measure_for(root.problem) == "loss" else control

    def _job(self, remedies: tuple[Dose, ...], share: float, before: Run) -> Job:
        slack = WORSE.get(before.measure, WORSE_METRIC)
        hopeless = score(before.measure, before.at(round(EVALUATED[0] * self.control.steps))) - slack
        return Job(self.make, before.curve.seed, remedies, self.control.steps, share, hopeless, before.measure)

    def _runs(self, jobs: Sequence[Job]) -> Iterator[Run]:
        """Runs one after the other, as long as the next one can be paid."""
        made = self.workers.runs(jobs)
        for job in jobs:
            if self.spent + job.share * job.length > self.allowance:
                return
            tried = " and ".join(dose.remedy for dose in job.remedies)
            self.told(f"trying {tried}", self.spent)
            run = next(made)
            self.spent += run.steps
            yield run

    def _note(self, remedies: tuple[Dose, ...], run: Run, gain: float, cleared: bool) -> None:
        said = run.refused or run.curve.error or ("given up: clearly worse than without it" if run.stopped else "")
        if run.refused:
            self.why_not.append(run.refused)
        reached = math.nan if run.refused or run.stopped else run.end
        self.tried.append(Attempt(remedies, math.nan if run.refused else gain, cleared, run.steps, said, reached))


@contextlib.contextmanager
def _steps_counted() -> Iterator[list[int]]:
    """The optimizer steps made inside, by whichever optimizer: looking for settings is not free."""
    steps = [0]

    def count(*_: object) -> None:
        steps[0] += 1

    handle = register_optimizer_step_post_hook(count)
    try:
        yield steps
    finally:
        handle.remove()


def _at(run: Run, measure: str) -> float:
    return score(measure, run.end)
