"""confirm: a short controlled trial of each problem of a diagnosis: does it cost anything, or is it harmless?

A single run shows what is abnormal in it. What that costs is known only where the same training is seen without it. So
each root cause at level `problem` gets its remedies, on the same seeds as runs that have none; a leak between training
and validation is held against the same training on rows that were parted.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
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
from trainclinic.prove.trial import LOSS_MARGIN, measure_for, no_better_than_a_guess
from trainclinic.prove.workers import Workers
from trainclinic.records import Confirmation, Diagnosis, Dose, Finding, Treatment

PAIRS = 3
AGREE = 2  # of them
TRIED = 6  # remedies for one problem, at most
LATE = 0.9  # of a run: an evaluation after it is that of the trained network
USUAL = 6  # runs that one problem takes
#: what a problem has to cost to be one: points of accuracy and of explained variance, as benchmarks/diagnosis.py has it
COSTS = {"accuracy": 0.03, "r2": 0.05}
#: what is wrong with the rows is so in validation, too, and answers that are all the same have a cause elsewhere: that
#: nothing is gained in a trial says nothing about them
BEYOND_TRIALS = ("class-imbalance", "constant-feature", "constant-prediction", "misaligned-data", "noisy-labels")
IN_TRAIN_MODE = ("wrong-mode", "evaluated in train mode")  # seen in what the training says of itself alone
COPIED = ("copies", "changed copies", "the training set")  # causes of a leak that parting the rows undoes
NOT_SHOWN = "The untreated runs of the trial do not show it: it may be of some seeds only."
NONE = Treatment((), (), "")
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
    confirmed where it is gone on two of the three seeds at least, the median gain is above the margin (3 points of
    accuracy, 5 of R², a fifth of a loss, for other metrics the spread of the untreated runs), and the treated networks
    know more than a guess. It is denied, and becomes an observation, where it is gone likewise, and no remedy that was
    tried gains anything. Else it stays as it was, undecided. Without validation data nothing is decided.

    Args:
        make: builds a fresh Setup from a seed; of its metric more is better.
        diagnosis: of this training; without it the training is run on `seed` and diagnosed.
        seed: of the first pair; the other two follow it. Best that of the diagnosed run.
        workers: processes that make the repetitions, with one thread each. The result does not depend on it.
        executor: any `concurrent.futures.Executor` instead.
        progress: show a bar with the time left on stderr.

    Returns:
        The diagnosis with its levels as the trials leave them, and what they showed in `confirmations`. Ctrl-C during
        the trials returns what is known by then.

    Raises:
        SetupError: `make` raises, gives no Setup, or one that cannot be trained and evaluated; `diagnosis` is none.
    """
    if not callable(make):
        raise SetupError(f"make: expected a function of a seed that returns a Setup, got {type(make).__name__}; "
                         "pass the function itself")  # fmt: skip
    if diagnosis is not None and not isinstance(diagnosis, Diagnosis):
        raise SetupError(f"diagnosis: expected a Diagnosis, got {type(diagnosis).__name__}; pass tc.diagnose(…) of it")
    if workers < 1:
        raise SetupError(f"confirm: expected at least 1 worker, got {workers}; raise it")
    with bar(progress) as told, Workers(workers, executor) as pool:
        case = _Case(make, range(seed, seed + PAIRS), pool, told)
        return case.settled(diagnosis or case.own())


@dataclass
class _Try:
    """One remedy against one problem, or parted rows (None), on as many seeds as were needed."""

    dose: Dose | None
    root: Finding
    margin: float
    measure: str = ""
    treatment: Treatment = NONE
    differences: list[float] = field(default_factory=list)
    problems: list[frozenset[str]] = field(default_factory=list)
    gone: int = 0  # pairs in which the untreated run has the problem, and the treated run is rid of it
    learned: int = 0  # treated runs that know more than a guess
    failed: str = ""  # why a treated run did not come to its end

    @property
    def name(self) -> str:
        return self.dose.remedy if self.dose else "parted rows"

    @property
    def median(self) -> float:
        return statistics.median(self.differences)

    @property
    def gained(self) -> bool:
        """Whether the median is above the margin, so far; networks that learn no more than a guess gain nothing."""
        return self.median > self.margin and 2 * self.learned > len(self.differences)

    def jobs(self, case: _Case, places: Sequence[int]) -> list[Job]:
        """Of a remedy the treated runs; of parted rows the leaking ones, too, each before its own."""
        seeds = [case.seeds[place] for place in places]
        if self.dose:
            length, measure = case.controls[0].steps, measure_for(self.root.problem)
            return [Job(case.make, seed, (self.dose,), length, measure=measure) for seed in seeds]
        arms = (Parted(case.make, leaking=True), Parted(case.make))
        return [Job(make, seed) for seed in seeds for make in arms]

    def take(self, control: Run, treated: Run) -> bool:
        """One pair more; False where one of them did not come to its end."""
        self.failed = treated.refused or treated.curve.error or control.curve.error
        if self.failed:
            return False
        self.measure, self.treatment = treated.measure, treated.treatment if self.dose else PARTED
        better = _difference(self.measure, control.end, treated.end)
        self.differences.append(better if self.dose else -better)  # what copies add to a figure is what they cost
        self.problems.append(frozenset(treated.problems))
        self.gone += self.dose is None or _rid(self.root.problem, control, treated)
        self.learned += self.dose is None or not no_better_than_a_guess(treated)
        return True

    def says(self, verdict: Literal["confirmed", "denied"], cost: int) -> Confirmation:
        if self.dose is None:
            begun = "Rows that stand on both sides make validation look better" if verdict == "confirmed" else (
                "Without the rows that stand on both sides validation says the same")  # fmt: skip
        else:
            begun = f"With {self.name} it is better" if verdict == "confirmed" else (
                f"With {self.name} it is gone, and nothing is gained")  # fmt: skip
        return Confirmation(self.root.problem, verdict, self.treatment, self.measure, tuple(self.differences),
                            self.margin, cost, f"{begun}: {_moved(self)}.")  # fmt: skip


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

    def own(self) -> Diagnosis:
        """Of the untreated run.

        Raises:
            SetupError: it broke off, and no problem says why.
        """
        found = self.control(0)
        if found.curve.error and not found.diagnosis.problems:
            raise SetupError(f"make: expected a training that runs to its end, but after {found.steps} steps it raised "
                             f"{found.curve.error}; mend that first")  # fmt: skip
        return found.diagnosis

    def settled(self, diagnosis: Diagnosis) -> Diagnosis:
        """Every problem asked; what a denied one was said to explain is asked too, where it is still there."""
        confirmations: list[Confirmation] = []
        asked: set[str] = set()
        self.expected = USUAL * max(1, len(diagnosis.problems))
        while root := next((one for one in diagnosis.problems if one.problem not in asked), None):
            asked.add(root.problem)
            before = self.spent
            try:
                confirmation, left = self._asked(root)
            except KeyboardInterrupt:
                confirmations.append(_undecided(root, "Interrupted before its trial was done.", self.spent - before))
                return replace(diagnosis, confirmations=tuple(confirmations), interrupted=True)
            confirmations.append(replace(confirmation, cost=self.spent - before))
            if confirmation.verdict == "denied":
                diagnosis = replace(diagnosis, findings=_lowered(diagnosis, root, left))
        return replace(diagnosis, confirmations=tuple(confirmations))

    # -- runs

    def control(self, place: int, measure: str = "") -> Run:
        """The untreated run of a seed, made once."""
        if place not in self.controls:
            self._tell("the untreated run")
            self.controls[place] = self._runs([Job(self.make, self.seeds[place])])[0]
        found = self.controls[place]
        return found.by_loss() if measure == "loss" and found.measure != "loss" else found

    def _runs(self, jobs: Sequence[Job]) -> list[Run]:
        made = list(self.pool.runs(jobs))
        self.spent += sum(run.steps for run in made)
        self.made += len(made)
        return made

    def _tell(self, doing: str) -> None:
        self.told(doing, min(0.95, self.made / self.expected))

    # -- one problem

    def _asked(self, root: Finding) -> tuple[Confirmation, frozenset[str]]:
        """What its trials show, and the problems that are left where it is gone."""
        measure = measure_for(root.problem)
        control = self.control(0, measure)
        if control.on_training_batches:
            return _undecided(root, "There is no validation data to compare on."), frozenset()
        if (root.problem, root.cause) == IN_TRAIN_MODE:
            left = frozenset(name for place in range(PAIRS) for name in self.control(place).problems)
            return self._said_of_itself(root), left - {root.problem}  # it brought nothing else about
        search = Search(self.make, control, 0, self.pool)
        confirmed, tries = self._tried(root, search, self._margin(control.measure, measure))
        self.spent += search.spent
        if confirmed:
            return confirmed.says("confirmed", 0), frozenset()
        done = [one for one in tries if one.differences and not one.failed]
        rid = [one for one in done if one.gone and (one.dose is None or one.median >= -one.margin)]
        best = max(rid, key=lambda one: one.median, default=None)
        if best is None or not self._extended(best, PAIRS, measure) or best.gone < AGREE:
            return _undecided(root, _why(root, tries, search, self.controls.values())), frozenset()
        if best.gained:
            return best.says("confirmed", 0), frozenset()
        helped = next((one for one in done if len(one.differences) == PAIRS and one.gained), None)
        helped = helped or next((one for one in done if one.differences[0] > one.margin and one.learned), None)
        if helped or _beyond(root, control) or self._wide(best, measure) or not self._harmless(best):
            return _undecided(root, _why(root, tries, search, self.controls.values())), frozenset()
        return best.says("denied", 0), frozenset[str]().union(*best.problems)

    def _tried(self, root: Finding, search: Search, margin: float) -> tuple[_Try | None, list[_Try]]:
        """Each remedy on the first seed, until one is confirmed on the others; that one, and all that were tried."""
        tries: list[_Try] = []
        measure = measure_for(root.problem)
        for dose in islice(_doses(search, root), TRIED):
            one = _Try(dose, root, margin)
            tries.append(one)
            self._tell(f"{root.problem}: {one.name}")
            well = self._extended(one, 1, measure) and one.gained and self._extended(one, PAIRS, measure)
            if well and one.gained and one.gone >= AGREE:
                return one, tries
        return None, tries

    def _harmless(self, best: _Try) -> bool:
        """Whether the difference is known, and nothing: a remedy that makes it worse shows nothing."""
        known = all(math.isfinite(one) for one in best.differences)
        better = sum(one > best.margin for one in best.differences)
        nothing = best.differences[0] <= best.margin and better < AGREE
        return known and nothing and (best.dose is None or best.median >= -best.margin)

    def _extended(self, one: _Try, pairs: int, measure: str) -> bool:
        """Make pairs until there are so many; whether each of their runs came to its end."""
        places = range(len(one.differences), pairs)
        missing = [place for place in places if place not in self.controls] if one.dose else []
        jobs = [Job(self.make, self.seeds[place]) for place in missing]
        try:
            runs = self._runs([*jobs, *one.jobs(self, places)])
        except SetupError as reason:
            if one.dose:
                raise
            one.failed = str(reason)
            return False
        self.controls |= dict(zip(missing, runs, strict=False))
        made = runs[len(missing) :]
        if one.dose:
            return all(one.take(self.control(place, measure), run) for place, run in zip(places, made, strict=True))
        arms = zip(made[::2], made[1::2], strict=True)
        return all(one.take(leaking, parted) for leaking, parted in arms)

    def _said_of_itself(self, root: Finding) -> Confirmation:
        """What the training's own evaluation says, against one in eval mode: no other training is needed for that."""
        controls = [self.control(place) for place in range(PAIRS)]
        name = controls[0].measure
        margin, differences = self._margin(name, ""), []
        if sum(_found(root.problem, one) for one in controls) < AGREE:
            return _undecided(root, NOT_SHOWN)
        for one in controls:
            told = one.diagnosis.recording.series(f"validation_{name}") if one.diagnosis.recording else None
            if not told or told.steps[-1] < LATE * one.steps or not math.isfinite(one.end):
                return _undecided(root, "What the training's own evaluation says at its end was not seen.")
            differences.append(abs(_difference(name, one.end, float(told.values[-1]))))
        median = statistics.median(differences)
        moved = f"{name} off by {median:.3g} in the median of {PAIRS} runs, counted from {margin:.2g}"
        if median > margin:
            why = f"Evaluated in eval mode the same networks are another: {moved}."
            return Confirmation(root.problem, "confirmed", NONE, name, tuple(differences), margin, 0, why)
        if _beyond(root, controls[0]):
            return _undecided(root, "The networks know no more than a guess, in whichever mode.")
        why = f"Evaluated in eval mode the same networks say the same: {moved}."
        return Confirmation(root.problem, "denied", NONE, name, tuple(differences), margin, 0, why)

    def _margin(self, name: str, measure: str) -> float:
        """What a difference must exceed to count, in its own unit."""
        if name in COSTS:
            return COSTS[name]
        ends = [self.control(place, measure).end for place in range(1 if name == "loss" else PAIRS)]
        if name == "loss" and ends[0] > 0:
            return LOSS_MARGIN
        ends = [self.control(place, measure).end for place in range(PAIRS)]
        return statistics.stdev(ends) if all(map(math.isfinite, ends)) else math.inf  # of a scale that nobody knows

    def _wide(self, best: _Try, measure: str) -> bool:
        """Whether the margin is the untreated runs' spread, and the treated ones lie closer: the fault made it wide."""
        if best.measure in COSTS or best.margin == LOSS_MARGIN:
            return False
        ends = [self.control(place, measure).end + one for place, one in enumerate(best.differences)]
        return statistics.stdev(ends) < abs(best.median)


def _doses(search: Search, root: Finding) -> Iterator[Dose | None]:
    if root.problem == "data-leak":
        yield from (None,) if root.cause in COPIED else ()
    else:
        yield from chain.from_iterable(search.candidates((), root))


def _rid(problem: str, control: Run, treated: Run) -> bool:
    """Whether the treated run is rid of it: of the finding, or of its being a problem. The untreated one has it."""
    lower = problem in control.problems and problem not in treated.problems
    return _found(problem, control) and (lower or not _found(problem, treated))


def _found(problem: str, run: Run) -> bool:
    return any(one.problem == problem for one in run.diagnosis.findings)


def _difference(measure: str, control: float, treated: float) -> float:
    """Treated against control, where more is better: ln(control / treated) of losses above 0, else as they are."""
    if measure == "loss" and not (control > 0 and treated > 0):
        return control - treated
    return score(measure, treated) - score(measure, control) if measure in (*COSTS, "loss") else treated - control


def _moved(one: _Try) -> str:
    """The median difference in words."""
    if one.measure == "loss" and one.margin == LOSS_MARGIN:
        lower = 1 - math.exp(-abs(one.median))
        return (f"a loss {'lower' if one.median >= 0 else 'higher'} by {lower:.0%} in the median of {PAIRS} pairs, "
                f"counted from {1 - math.exp(-one.margin):.0%}")  # fmt: skip
    if one.measure == "loss":
        word = "lower" if one.median >= 0 else "higher"
        return f"a loss {word} by {abs(one.median):.3g} in the median of {PAIRS} pairs, counted from {one.margin:.2g}"
    return f"{one.measure} {one.median:+.3g} in the median of {PAIRS} pairs, counted from {one.margin:.2g}"


def _beyond(root: Finding, control: Run) -> bool:
    """Whether a trial in which nothing is gained tells nothing: a network that learned nothing is never harmless."""
    return root.problem in BEYOND_TRIALS or no_better_than_a_guess(control)


def _lowered(diagnosis: Diagnosis, root: Finding, left: frozenset[str]) -> tuple[Finding, ...]:
    """The root as an observation, with what it explains and went with it; what is left may be a root of its own.

    Problems come first, each root followed by what it explains.
    """
    gone = {root.problem, *(one.problem for one in diagnosis.explained(root) if one.problem not in left)}
    found = []
    for one in diagnosis.findings:
        if one.problem in gone:
            found.append(replace(one, level="observation", severity=min(one.severity, NO_HARM)))
        elif one.explained_by in gone and one.level == "problem":
            found.append(replace(one, explained_by=""))
        else:
            found.append(one)
    lowered = replace(diagnosis, findings=tuple(found))
    roots = sorted(lowered.roots, key=lambda one: one.level != "problem")
    grouped = [one for own in roots for one in (own, *lowered.explained(own))]
    return tuple(dict.fromkeys((*grouped, *found)))


def _undecided(root: Finding, why: str, cost: int = 0) -> Confirmation:
    return Confirmation(root.problem, "undecided", NONE, "", (), math.nan, cost, why)


def _why(root: Finding, tries: Sequence[_Try], search: Search, controls: Iterable[Run]) -> str:
    """Why nothing is decided."""
    done = [one for one in tries if one.differences]
    helped = [one.name for one in done if len(one.differences) == PAIRS and one.gained]
    if helped:
        return f"{helped[0]} makes it better, but {root.problem} is still found with it."
    if done and not any(_found(root.problem, control) for control in controls):
        return NOT_SHOWN
    if any(one.differences[0] > one.margin for one in done):
        return "A remedy helps on one seed, and not on others: it may be of some seeds only."
    if done:
        return f"Of {len(done)} remedies tried none is seen to help, and none shows that it is harmless."
    reasons = dict.fromkeys((*(one.failed for one in tries if one.failed), *search.why_not))
    return (
        f"No trial could be made ({'; '.join(reasons)})." if reasons else "There is no remedy that a trial could apply."
    )
