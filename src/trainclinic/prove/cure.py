"""cure: find what is wrong, treat it, and prove the treatment by a controlled trial."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from trainclinic.errors import SetupError
from trainclinic.measure.run import Make, build
from trainclinic.prove.pairs import FIXED_BATCHES, Job, Run, score
from trainclinic.prove.progress import Progress, bar
from trainclinic.prove.search import NOTHING_LEARNED, Search
from trainclinic.prove.statistics import difference
from trainclinic.prove.streams import seed_all
from trainclinic.prove.trial import judge, margin_for, measure_for, no_better_than_a_guess
from trainclinic.prove.workers import Workers
from trainclinic.records import Cure, Dose, Finding, Part, Treatment, Trial
from trainclinic.setup import Setup
from trainclinic.treat.operation import operate, remedy_of
from trainclinic.treat.remedy import RefusedError

PAIRS = 6  # the fewest whose smallest and largest difference cover the median with 95 %
SEARCH = 0.2  # of the budget, at most
USUAL = 14  # runs that a cure takes: the untreated one, the search, twelve of the proof
PARTS = 3  # pairs for each remedy of a plan of several, of half length


def cure(
    make: Make,
    *,
    budget: float = 20,
    seed: int = 0,
    workers: int = 1,
    executor: Executor | None = None,
    progress: bool = False,
) -> Cure:
    """Find what is wrong with a training, treat it, and prove the treatment on fresh seeds with a control.

    Args:
        make: builds a fresh Setup from a seed. It is called once for each run, after the global generators were seeded.
        budget: the most that may be spent, in whole untreated runs; the search takes a fifth of it at most, a proof
            twelve runs.
        seed: of the untreated run and the search; the proof takes the six that follow it.
        workers: processes that make the runs, with one thread each. The result does not depend on it.
        executor: any `concurrent.futures.Executor` instead, such as `distributed.Client().get_executor()`.
        progress: show a bar with the time left on stderr.

    Returns:
        The Cure: the diagnosis, what was tried, and the treatment with its Trial. Ctrl-C returns what is known by then.

    Raises:
        SetupError: `make` raises, gives no Setup, or one that cannot be trained and evaluated.
    """
    if not callable(make):
        raise SetupError(f"make: expected a function of a seed that returns a Setup, got {type(make).__name__}; "
                         "pass the function itself")  # fmt: skip
    if budget < 1 or workers < 1:
        raise SetupError(f"cure: expected budget and workers of at least 1, got {budget} and {workers}; raise them")
    with bar(progress) as told, Workers(workers, executor) as pool:
        case = _Case(make, budget, seed, pool, told)
        return replace(case.cure(), interrupted=case.interrupted)


def trial(
    make: Make,
    remedies: Sequence[Dose],
    problem: str,
    *,
    seeds: Sequence[int] = range(1, 1 + PAIRS),
    workers: int = 1,
    executor: Executor | None = None,
    treated: Make | None = None,
) -> Trial:
    """One controlled trial of remedies against a problem, without a search.

    Args:
        make: builds the Setup.
        remedies: of the treated arm.
        problem: that is to be cured; it decides what is compared.
        seeds: of the pairs.
        workers: see `cure`.
        executor: see `cure`.
        treated: builds the treated arm's Setups instead of `make`; for placebos, which no remedy makes.

    Raises:
        SetupError: `make` gives no Setup that can be trained and evaluated.
        RefusedError: the remedies do not fit it.
    """
    measure = measure_for(problem)
    with Workers(workers, executor) as pool:
        length = next(iter(pool.runs([Job(make, seeds[0], measure=measure)]))).steps
        arms = ((make, ()), (treated or make, tuple(remedies)))
        jobs = [Job(build_, seed, doses, length, measure=measure) for seed in seeds for build_, doses in arms]
        runs = list(pool.runs(jobs))
    refused = next((one.refused for one in runs if one.refused), "")
    if refused:
        raise RefusedError(refused)
    return judge(problem, runs[::2], runs[1::2])


@dataclass
class _Case:
    make: Make
    budget: float
    seed: int
    pool: Workers
    told: Progress
    cost: int = 0
    interrupted: bool = False

    def cure(self) -> Cure:
        self.told("the untreated run", 0.0)
        control = next(iter(self.pool.runs([Job(self.make, self.seed)])))
        self.cost = control.steps
        diagnosis = control.diagnosis
        known = Cure(diagnosis, "", cost=self.cost, run_length=control.steps, _make=Treated(self.make, ()))
        if control.curve.error and not diagnosis.problems:
            raise SetupError(f"make: expected a training that runs to its end, but after {control.steps} steps "
                             f"it raised {control.curve.error}; mend that first")  # fmt: skip
        if not diagnosis.problems:
            if no_better_than_a_guess(control):
                said = f"not treated, because no rule names a cause, and yet the network {NOTHING_LEARNED}"
                return replace(known, said=said, unexplained=True)
            return replace(known, said="nothing to cure: no problem was found in the untreated run")
        search = Search(self.make, control, int(min(SEARCH * self.budget, self.budget - 1) * control.steps), self.pool,
                        lambda doing, spent: self._tell(doing, control.steps, spent))  # fmt: skip
        try:
            root, plan = self._planned(search, diagnosis.problems)
        except KeyboardInterrupt:
            self.interrupted = True
            return replace(known, said="interrupted during the search", tried=tuple(search.tried),
                           cost=self.cost + search.spent)  # fmt: skip
        self.cost += search.spent
        known = replace(known, tried=tuple(search.tried), cost=self.cost)
        if not plan:
            return replace(known, said=_why_not(root, search))
        return self._prove(known, root, plan, control)

    def _tell(self, doing: str, length: int, spent: int = 0) -> None:
        """What is being done, and how much of what is likely to be needed has been spent."""
        self.told(doing, (self.cost + spent) / (length * min(self.budget, USUAL)))

    def _planned(self, search: Search, roots: Sequence[Finding]) -> tuple[Finding, tuple[Dose, ...]]:
        """The first root cause for which there is a plan; the first of all where there is none."""
        for root in roots:
            plan = search.plan(root)
            if plan:
                return root, plan
        return roots[0], ()

    def _prove(self, known: Cure, root: Finding, plan: tuple[Dose, ...], control: Run) -> Cure:
        known = replace(known, _make=Treated(self.make, plan))
        controls, treated, said = self._arms(root, plan, control)
        if not treated:
            return replace(known, said=said or "the budget was spent before the proof", cost=self.cost)
        trial = judge(root.problem, controls, treated)
        parts: tuple[Part, ...] = ()
        if len(plan) > 1 and trial.verdict in ("cured", "helped") and not said:
            parts = self._parts(trial, plan, treated, controls, control)
        said = said or trial.why
        if control.on_training_batches:
            said = f"{said} Judged on {FIXED_BATCHES} training batches, as there is no validation data."
        return replace(known, trial=trial, parts=parts, said=said, cost=self.cost)

    def _arms(self, root: Finding, plan: tuple[Dose, ...], control: Run) -> tuple[list[Run], list[Run], str]:
        """Both arms, as many whole pairs as could be made, and why there are not all, or ""."""
        length, measure = control.steps, measure_for(root.problem)
        seeds = range(self.seed + 1, self.seed + 1 + PAIRS)
        jobs = [Job(self.make, one, arm, length, measure=measure) for one in seeds for arm in (plan, ())]
        made: list[Run] = []
        said = ""
        limit = self.budget * length
        try:
            runs = self.pool.runs(jobs)
            for index in range(len(jobs)):
                if self.cost + length > limit:
                    said = f"the budget of {self.budget:g} runs ended after {len(made) // 2} of {PAIRS} pairs"
                    break
                self._tell(f"proof: pair {index // 2 + 1} of {PAIRS}", length)
                made.append(next(runs))
                self.cost += made[-1].steps
                _check_shapes(control, made[-1])
        except KeyboardInterrupt:
            self.interrupted = True
            said = f"interrupted after {len(made) // 2} of {PAIRS} pairs"
        pairs = len(made) // 2
        return made[1 : 2 * pairs : 2], made[: 2 * pairs : 2], said

    def _parts(
        self, trial: Trial, plan: tuple[Dose, ...], treated: Sequence[Run], controls: Sequence[Run], control: Run
    ) -> tuple[Part, ...]:
        """The plan without each of its remedies in turn, over half a run."""
        length, measure = control.steps, trial.measure
        margin = margin_for(measure, controls)
        parts: list[Part] = []
        try:
            for left_out in plan:
                rest = tuple(dose for dose in plan if dose != left_out)
                jobs = [Job(self.make, one.curve.seed, rest, length, 0.5, measure=measure) for one in treated[:PARTS]]
                if self.cost + 0.5 * length * len(jobs) > self.budget * length:
                    break
                self._tell(f"without {left_out.remedy}", length)
                without = list(self.pool.runs(jobs))
                self.cost += sum(one.steps for one in without)
                lost = difference([score(measure, b.half) - score(measure, a.end)
                                   for a, b in zip(without, treated, strict=False)])  # fmt: skip
                parts.append(Part(left_out, lost, lost.median > margin))
        except KeyboardInterrupt:  # the proof stands; the parts that are known are told
            self.interrupted = True
        return tuple(parts)


class Treated:
    """A `make` whose Setups are treated; it travels wherever the user's own `make` does.

    Args:
        make: builds the untreated Setup.
        doses: what is applied to it.
    """

    def __init__(self, make: Make, doses: tuple[Dose, ...]) -> None:
        self._make, self._doses = make, doses

    def __call__(self, seed: int) -> Setup:
        """The treated Setup, built fresh, as in the trials."""
        return self.treated(seed)[0]

    def treated(self, seed: int) -> tuple[Setup, Treatment]:
        """The same, with what was changed and the code for it."""
        setup = build(self._make, seed)
        seed_all(seed, "surgery")
        setup, treatment = operate(setup, [remedy_of(dose) for dose in self._doses])
        seed_all(seed, "noise")
        return setup, treatment


def _why_not(root: Finding, search: Search) -> str:
    if search.in_vain:
        return f"not treated, because what helps against {search.in_vain} still {NOTHING_LEARNED}"
    reasons = "; ".join(dict.fromkeys(search.why_not))
    tried = f"{len(search.tried)} short trials gave nothing better" if search.tried else "no remedy fits"
    return f"not treated, because against {root.problem} {tried}" + (f" ({reasons})" if reasons else "")


def _check_shapes(control: Run, other: Run) -> None:
    if other.shapes and other.shapes != control.shapes:
        raise SetupError(f"make: expected the same network for every seed, got other parameters for seed "
                         f"{other.curve.seed} than for seed {control.curve.seed}; let the seed change the weights, "
                         "never the shapes")  # fmt: skip
