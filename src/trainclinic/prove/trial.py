"""judge: the runs of both arms become a Trial with its verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from trainclinic.prove.pairs import Run, score
from trainclinic.prove.statistics import difference
from trainclinic.records import Difference, Trial, Verdict

LEVEL = 0.05  # of the one-sided test; six pairs that all agree give 1/64
CLEARED = 0.8  # share of the treated runs in which the problem must be gone
LOSS_MARGIN = math.log(1.25)  # a loss lower by a fifth: new seeds alone move it by up to 0.2 nats (see the benchmark)
METRIC_MARGIN = 0.02  # of an accuracy or an R²: two points
#: problems that a better metric may hide: they are judged by the validation loss
BY_LOSS = frozenset({"overfitting"})


def no_better_than_a_guess(run: Run) -> bool:
    """Whether a run is known to have learned nothing that a constant answer would not know as well."""
    return run.learned <= METRIC_MARGIN  # of a mean squared error the share is R²; NaN, not known, is no verdict


def measure_for(problem: str) -> str:
    """What a trial against this problem compares: "" for the Setup's own metric."""
    return "loss" if problem in BY_LOSS else ""


def margin_for(measure: str, controls: Sequence[Run]) -> float:
    """What a difference must exceed to count, in the unit of the differences.

    A metric of the user's own has a scale that nobody knows: there it is the spread of the untreated runs.
    """
    if measure == "loss":
        return LOSS_MARGIN
    if measure in ("accuracy", "r2"):
        return METRIC_MARGIN
    ends = [score(measure, run.end) for run in controls]
    return statistics.stdev(ends) if len(ends) > 1 else 0.0


def judge(problem: str, controls: Sequence[Run], treated: Sequence[Run]) -> Trial:
    """The Trial of two arms with the same seeds, in the same order."""
    measure = treated[0].measure
    margin = margin_for(measure, controls)
    half = difference([score(measure, b.half) - score(measure, a.half) for a, b in zip(controls, treated, strict=True)])
    full = difference([score(measure, b.end) - score(measure, a.end) for a, b in zip(controls, treated, strict=True)])
    cleared = sum(problem not in run.problems and not run.curve.error for run in treated) / len(treated)
    new = _new(controls, treated)
    learned = _learned(treated)
    verdict, why = _verdict(half, full, margin, cleared, new, problem, learned)
    return Trial(
        treatment=treated[0].treatment,
        measure=measure,
        control=tuple(run.curve for run in controls),
        treated=tuple(run.curve for run in treated),
        half=half,
        full=full,
        margin=margin,
        problem=problem,
        cleared=cleared,
        new=new,
        paired=all(_same(a.batches, b.batches) for a, b in zip(controls, treated, strict=True)),
        cost=sum(run.steps for run in (*controls, *treated)),
        verdict=verdict,
        why=why,
    )


def _verdict(
    half: Difference, full: Difference, margin: float, cleared: float, new: tuple[str, ...], problem: str, learned: bool
) -> tuple[Verdict, str]:
    pairs = len(full.values)
    if not math.isfinite(full.low):
        return "undecided", f"{pairs} pairs are too few to decide: six are needed."
    if not any(full.values):
        return "no effect", f"There is no difference in any of the {pairs} pairs."
    if full.high <= -margin:
        return "harmed", f"It is worse with it in all but chance, by {-full.median:.3g} in the median."
    if -margin < full.low and full.high < margin:
        return "no effect", f"The difference is smaller than {margin:.3g} in all {pairs} pairs."
    if full.low < margin or full.p_value > LEVEL:
        return "undecided", f"The interval of the difference, {full.low:.3g} to {full.high:.3g}, does not clear the " \
                            f"margin of {margin:.3g}."  # fmt: skip
    if half.median <= -margin:  # of a fault that strikes late, half of a run shows nothing yet
        return "helped", f"It is better at the end, but worse at half of the run, by {-half.median:.3g} in the median."
    if cleared < CLEARED:
        return "helped", f"It is better in every pair, but {problem} is still found in {1 - cleared:.0%} of the runs."
    if not learned:
        return "helped", "It is better in every pair, but no better than a network that was never trained."
    if new:
        return "helped", f"It is better in every pair, but brings {', '.join(new)}."
    return "cured", f"It is better in all {pairs} pairs, by {full.median:.3g} in the median, and {problem} is gone."


def _learned(treated: Sequence[Run]) -> bool:
    """Whether training made the treated networks better than they were drawn: one cut short overfits nothing."""
    measure = treated[0].measure
    margin = margin_for(measure, ()) or 1e-9
    better = [score(measure, run.end) - score(measure, run.start) > margin for run in treated]
    return sum(better) >= CLEARED * len(better)


def _new(controls: Sequence[Run], treated: Sequence[Run]) -> tuple[str, ...]:
    before = {name for run in controls for name in run.problems}
    counts: dict[str, int] = {}
    for run in treated:
        for name in run.problems:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(name for name, count in counts.items() if 2 * count > len(treated) and name not in before))


def _same(one: bytes, other: bytes) -> bool:
    shared = min(len(one), len(other))
    return shared > 0 and one[:shared] == other[:shared]
