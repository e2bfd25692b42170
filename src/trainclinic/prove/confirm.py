"""confirm: a short controlled trial of each problem of a diagnosis: does it cost anything, or is it harmless?

A single run shows what is abnormal in it. What that costs is known only where the same training is seen without it. So
each root cause at level `problem` gets its remedies, on the same seeds as runs that have none; a leak between training
and validation is held against the same training on rows that were parted.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Literal

from trainclinic.diagnose.diagnose import NO_HARM
from trainclinic.errors import SetupError
from trainclinic.measure.run import Make
from trainclinic.prove.pairs import Job, Run, score
from trainclinic.prove.parted import Parted
from trainclinic.prove.progress import Progress, bar
from trainclinic.prove.search import Search
from trainclinic.prove.trial import margin_for, measure_for, no_better_than_a_guess
from trainclinic.prove.workers import Workers
from trainclinic.records import Confirmation, Diagnosis, Dose, Finding, Treatment

PAIRS = 3
AGREE = 2  # of them
TRIED = 6  # remedies for one problem, at most
USUAL = 6  # runs that one problem takes
#: what a problem has to cost to be one: points of accuracy and of explained variance, as benchmarks/diagnosis.py has it
COSTS = {"accuracy": 0.03, "r2": 0.05}
#: what is wrong with the rows is so in validation, too, and answers that are all the same have a cause elsewhere: that
#: nothing is gained in a trial says nothing about them
BEYOND_TRIALS = ("class-imbalance", "constant-feature", "constant-prediction", "misaligned-data", "noisy-labels")
IN_TRAIN_MODE = ("wrong-mode", "evaluated in train mode")  # a trial evaluates in eval mode, where nothing is seen of it
COPIED = ("copies", "changed copies", "the training set")  # causes of a leak that parting the rows undoes
PARTED = Treatment((), ("trained without the rows that resemble validation rows",), "")


def confirm(
    make: Make,
    diagnosis: Diagnosis | None = None,
    *,
    seed: int = 0,
    workers: int = 1,
    executor: Executor | None = None,
    progress: bool = False,
) -> Diagnosis:
    """Ask a controlled trial of each problem whether it does harm.

    For each root cause at level `problem` the remedies are applied in turn, each on the same seed as an untreated run;
    what looks well, and at last the best of those that rid the training of it, is seen on two more seeds. A problem is
    confirmed where the median gain is above the margin (3 points of accuracy, 5 of R², a fifth of a loss, for other
    metrics the spread of the untreated runs) and the treated networks know more than a guess. It is denied, and becomes
    an observation, where it is gone on two of the three seeds at least and nothing is gained. Else it stays as it was,
    undecided.

    Args:
        make: builds a fresh Setup from a seed.
        diagnosis: of this training; without it the training is run on `seed` and diagnosed.
        seed: of the first pair; the other two follow it.
        workers: processes that make the runs, with one thread each. The result does not depend on it.
        executor: any `concurrent.futures.Executor` instead.
        progress: show a bar with the time left on stderr.

    Returns:
        The diagnosis with its levels as the trials leave them, and what they showed in `confirmations`. Ctrl-C returns
        what is known by then.

    Raises:
        SetupError: `make` raises, gives no Setup, or one that cannot be trained and evaluated.
    """
    if not callable(make):
        raise SetupError(f"make: expected a function of a seed that returns a Setup, got {type(make).__name__}; "
                         "pass the function itself")  # fmt: skip
    if workers < 1:
        raise SetupError(f"confirm: expected at least 1 worker, got {workers}; raise it")
    with bar(progress) as told, Workers(workers, executor) as pool:
        case = _Case(make, range(seed, seed + PAIRS), pool, told)
        return case.settled(diagnosis or case.control(0).diagnosis)


@dataclass
class _Try:
    """One remedy against one problem, or parted rows (None), on as many seeds as were needed."""

    dose: Dose | None
    root: Finding
    margin: float
    measure: str = ""
    treatment: Treatment = PARTED
    differences: list[float] = field(default_factory=list)
    problems: list[frozenset[str]] = field(default_factory=list)
    learned: int = 0

    @property
    def name(self) -> str:
        return self.dose.remedy if self.dose else "parted rows"

    @property
    def median(self) -> float:
        return statistics.median(self.differences)

    @property
    def gone(self) -> int:
        """Pairs in which the treated run has the problem no longer."""
        return sum(self.root.problem not in problems for problems in self.problems)

    @property
    def gained(self) -> bool:
        """Whether the median is above the margin, so far; networks that learn no more than a guess gain nothing."""
        return self.median > self.margin and 2 * self.learned > len(self.differences)

    def job(self, case: _Case, place: int, length: int) -> Job:
        make, doses = (case.make, (self.dose,)) if self.dose else (Parted(case.make), ())
        return Job(make, case.seeds[place], doses, length, measure=measure_for(self.root.problem))

    def take(self, control: Run, treated: Run) -> bool:
        """One pair more; False where the treated run did not come to its end."""
        if treated.refused or treated.curve.error:
            return False
        self.measure = treated.measure
        self.treatment = treated.treatment if self.dose else PARTED
        better = score(self.measure, treated.end) - score(self.measure, control.end)
        self.differences.append(better if self.dose else -better)  # what copies add to a figure is what they cost
        self.problems.append(frozenset(treated.problems))
        self.learned += self.dose is None or not no_better_than_a_guess(treated)
        return True

    def says(self, verdict: Literal["confirmed", "denied"], cost: int) -> Confirmation:
        moved = f"{self.measure} {self.median:+.3f} in the median of {PAIRS} pairs, counted from {self.margin:.2g}"
        confirmed = verdict == "confirmed"
        if self.dose is None:
            begun = "Rows that stand on both sides make validation look better" if confirmed else (
                "Without the rows that stand on both sides validation says the same")  # fmt: skip
        else:
            begun = f"With {self.name} it is better" if confirmed else (
                f"With {self.name} it is gone, and nothing is gained")  # fmt: skip
        return Confirmation(self.root.problem, verdict, self.treatment, self.measure, tuple(self.differences),
                            self.margin, cost, f"{begun}: {moved}.")  # fmt: skip


@dataclass
class _Case:
    make: Make
    seeds: Sequence[int]
    pool: Workers
    told: Progress
    spent: int = 0
    made: int = 0
    expected: int = USUAL
    controls: dict[int, Run] = field(default_factory=dict)

    def settled(self, diagnosis: Diagnosis) -> Diagnosis:
        """Every problem asked; what a denied one was said to explain is asked too, where it is still there."""
        confirmations: list[Confirmation] = []
        asked: set[str] = set()
        self.expected = USUAL * max(1, len(diagnosis.problems))
        while root := next((one for one in diagnosis.problems if one.problem not in asked), None):
            asked.add(root.problem)
            try:
                confirmation, left = self._asked(root)
            except KeyboardInterrupt:
                confirmations.append(_undecided(root, "Interrupted before its trial was done."))
                break
            confirmations.append(confirmation)
            if confirmation.verdict == "denied":
                diagnosis = replace(diagnosis, findings=_lowered(diagnosis, root, left))
        ranked = sorted(diagnosis.findings, key=lambda one: one.level != "problem")
        return replace(diagnosis, findings=tuple(ranked), confirmations=tuple(confirmations))

    # -- runs

    def control(self, place: int, measure: str = "") -> Run:
        """The untreated run of a seed, made once."""
        if place not in self.controls:
            self._tell("the untreated run")
            self.controls[place] = next(self._runs([Job(self.make, self.seeds[place])]))
        return self._measured(place, measure)

    def _measured(self, place: int, measure: str) -> Run:
        found = self.controls[place]
        return found.by_loss() if measure == "loss" and found.measure != "loss" else found

    def _runs(self, jobs: Sequence[Job]) -> Iterator[Run]:
        with closing(self.pool.runs(jobs)) as runs:  # type: ignore[type-var]
            for run in runs:
                self.spent += run.steps
                self.made += 1
                yield run

    def _tell(self, doing: str) -> None:
        self.told(doing, min(0.95, self.made / self.expected))

    # -- one problem

    def _asked(self, root: Finding) -> tuple[Confirmation, frozenset[str]]:
        """What its trials show, and the problems that are left where it is gone."""
        before, measure = self.spent, measure_for(root.problem)
        control = self.control(0, measure)
        search = Search(self.make, control, 0, self.pool)
        try:
            confirmed, tries = self._tried(root, search, measure)
        except SetupError as reason:
            if root.problem != "data-leak":
                raise
            return _undecided(root, f"Its rows cannot be parted ({reason})."), frozenset()
        best = confirmed or max((one for one in tries if one.gone), key=lambda one: one.median, default=None)
        cost = self.spent - before + search.spent
        if best is not None and (confirmed or self._repeated(best, measure)):
            cost = self.spent - before + search.spent
            if best.gained:
                return best.says("confirmed", cost), frozenset()
            harmed = best.dose is not None and best.median < -best.margin
            if best.gone >= AGREE and best.median <= best.margin and not harmed and not _beyond(root, control):
                return best.says("denied", cost), frozenset[str]().union(*best.problems)
        return _undecided(root, _why(tries, search), cost), frozenset()

    def _tried(self, root: Finding, search: Search, measure: str) -> tuple[_Try | None, list[_Try]]:
        """Each remedy on the first seed, until one is confirmed on the others; that one, and all that ran."""
        control, margin = self.control(0, measure), self._margin(measure)
        doses = list(islice(_doses(search, root), TRIED))
        tries = [_Try(dose, root, margin) for dose in doses]
        done: list[_Try] = []
        with closing(self._runs([one.job(self, 0, control.steps) for one in tries])) as runs:  # type: ignore[type-var]
            for one in tries:
                self._tell(f"{root.problem}: {one.name}")
                if not one.take(control, next(runs)):
                    continue
                done.append(one)
                if one.gained and self._repeated(one, measure) and one.gained:
                    return one, done
        return None, done

    def _repeated(self, one: _Try, measure: str) -> bool:
        """The other pairs, unless they are there; whether each treated run came to its end."""
        places = range(len(one.differences), PAIRS)
        length = self.controls[0].steps
        missing = [place for place in places if place not in self.controls]
        self._tell(f"{one.root.problem}: {one.name}, on other seeds")
        jobs = [Job(self.make, self.seeds[place]) for place in missing]
        runs = list(self._runs([*jobs, *(one.job(self, place, length) for place in places)]))
        self.controls |= dict(zip(missing, runs, strict=False))
        treated = runs[len(missing) :]
        return all(one.take(self._measured(place, measure), run) for place, run in zip(places, treated, strict=True))

    def _margin(self, measure: str) -> float:
        name = self.control(0, measure).measure
        if name in COSTS:
            return COSTS[name]
        places = range(1 if name == "loss" else PAIRS)  # a metric whose scale nobody knows is held against its spread
        return margin_for(name, [self.control(place, measure) for place in places])


def _doses(search: Search, root: Finding) -> Iterator[Dose | None]:
    if root.problem == "data-leak":
        yield from (None,) if root.cause in COPIED else ()
    else:
        yield from chain.from_iterable(search.candidates((), root))


def _beyond(root: Finding, control: Run) -> bool:
    """Whether a trial in which nothing is gained tells nothing: a network that learned nothing is never harmless."""
    beyond = root.problem in BEYOND_TRIALS or (root.problem, root.cause) == IN_TRAIN_MODE
    return beyond or no_better_than_a_guess(control)


def _lowered(diagnosis: Diagnosis, root: Finding, left: frozenset[str]) -> tuple[Finding, ...]:
    """The root as an observation, with what it explains and went with it; what is left may be a root of its own."""
    gone = {root.problem, *(one.problem for one in diagnosis.explained(root) if one.problem not in left)}
    found = []
    for one in diagnosis.findings:
        if one.problem in gone:
            found.append(replace(one, level="observation", severity=min(one.severity, NO_HARM)))
        elif one.explained_by in gone and one.level == "problem":
            found.append(replace(one, explained_by=""))
        else:
            found.append(one)
    return tuple(found)


def _undecided(root: Finding, why: str, cost: int = 0) -> Confirmation:
    return Confirmation(root.problem, "undecided", Treatment((), (), ""), "", (), float("nan"), cost, why)


def _why(tries: Sequence[_Try], search: Search) -> str:
    if tries:
        return f"Of {len(tries)} remedies tried none is seen to help, and none shows that it is harmless."
    reasons = "; ".join(dict.fromkeys(search.why_not))
    return f"No remedy fits ({reasons})." if reasons else "There is no remedy that a trial could apply."
