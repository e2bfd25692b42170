"""What every face of a cure's report says: the verdict, both arms, the differences, the cost, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainclinic.records import Attempt, Cure, Curve, Difference, Trial
from trainclinic.report.words import clean, count, number, readable


@dataclass(frozen=True)
class Pair:
    """One seed in words: what was reached without and with the treatment, and the differences."""

    seed: str
    control: str
    treated: str
    half: str
    full: str


@dataclass(frozen=True)
class Try:
    """One short run of the search in words."""

    remedies: str
    gain: str
    outcome: str
    runs: str


def headline(cure: Cure) -> str:
    """The verdict with what it is about, in one line."""
    verdict = cure.verdict[:1].upper() + cure.verdict[1:]
    about = cure.trial.problem if cure.trial else next((root.problem for root in cure.diagnosis.problems), "")
    return f"{verdict}: {clean(about)}" if about else verdict


def mood(cure: Cure) -> str:
    """How the headline is coloured: "well", "ill", or "open" where nothing is decided."""
    if cure.verdict in ("cured", "nothing to cure"):
        return "well"
    return "open" if cure.verdict in ("helped", "undecided") else "ill"


def sentence(cure: Cure) -> str:
    """The outcome in a sentence that begins and ends as one."""
    said = clean(cure.said)
    said = said[:1].upper() + said[1:]
    return said if not said or said[-1] in ".!?" else said + "."


def key_figures(cure: Cure) -> tuple[tuple[str, str], ...]:
    """(what, how much) of the proof, or of nothing where there is none."""
    trial = cure.trial
    if trial is None:
        return (("Cost", cost(cure)[0]),)
    name = measure(trial)
    return (
        (f"{name} without", middle(trial.control)),
        (f"{name} with", middle(trial.treated)),
        ("Difference", interval(trial.full)),
        ("p", number(trial.full.p_value)),
        ("Cost", cost(cure)[0]),
    )


def measure(trial: Trial) -> str:
    """What was compared, as it is said: "Accuracy", "Loss", "R²"."""
    return "R²" if trial.measure == "r2" else readable(trial.measure)


def unit(trial: Trial) -> str:
    """What a difference is."""
    if trial.measure == "loss":
        return "ln(loss without ÷ loss with): 0.69 is half the loss"
    name = "R²" if trial.measure == "r2" else clean(trial.measure).replace("_", " ")
    return f"{name} with the treatment, minus {name} without it"


def pairs(trial: Trial) -> tuple[Pair, ...]:
    """Both arms, seed by seed."""
    rows = zip(trial.control, trial.treated, trial.half.values, trial.full.values, strict=True)
    return tuple(
        Pair(str(control.seed), reached(control), reached(treated), signed(half), signed(full))
        for control, treated, half, full in rows
    )


def reached(curve: Curve) -> str:
    """The value at the end of a run, or that it broke off."""
    if curve.error:
        return "broke off"
    return decimals(curve.values[-1]) if curve.values else "none"


def middle(curves: tuple[Curve, ...]) -> str:
    """The median of the last values."""
    ends = sorted(curve.values[-1] for curve in curves if curve.values and not curve.error)
    if not ends:
        return "none"
    return decimals((ends[(len(ends) - 1) // 2] + ends[len(ends) // 2]) / 2)


def signed(value: float) -> str:
    """A difference with its sign."""
    return ("+" if value > 0 else "") + decimals(value)


def decimals(value: float) -> str:
    """Three decimals, so that numbers in a column can be compared; what they do not suit is written as elsewhere."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.3f}" if value == 0 or 1e-3 <= abs(value) < 1000 else number(value)


def interval(found: Difference) -> str:
    """The median with its interval, where there are pairs enough for one."""
    if not math.isfinite(found.low) or not math.isfinite(found.high):
        return signed(found.median)
    return f"{signed(found.median)} [{signed(found.low)}, {signed(found.high)}]"


def outcome(trial: Trial) -> tuple[str, ...]:
    """What was asked beside the difference: is the problem gone, is another one there, were the batches the same."""
    amount = len(trial.treated)
    gone = f"{clean(trial.problem)} is gone in {round(trial.cleared * amount)} of {count(amount, 'treated run')}"
    new = f"new problems: {', '.join(map(clean, trial.new))}" if trial.new else "no new problem"
    same = "both arms saw the same batches in the same order" if trial.paired else "paired by seed alone"
    return gone, new, same


def tries(cure: Cure) -> tuple[Try, ...]:
    """The search in words."""
    return tuple(
        Try(" + ".join(clean(str(dose)) for dose in one.remedies), signed(one.gain) if one.gain == one.gain else "–",
            _came_of(one), runs(one.cost, cure))
        for one in cure.tried
    )  # fmt: skip


def _came_of(one: Attempt) -> str:
    return clean(one.said) or ("problem gone" if one.cleared else "problem still found")


def runs(steps: int, cure: Cure) -> str:
    """Steps in units of one untreated run."""
    if not cure.run_length:
        return "–"
    share = steps / cure.run_length
    return (f"{share:.2f}" if share < 1 else f"{share:.1f}").rstrip("0").rstrip(".") or "0"


def in_runs(steps: int, cure: Cure) -> str:
    """The same with its noun."""
    amount = runs(steps, cure)
    return f"{amount} run" if amount == "1" else f"{amount} runs"


def cost(cure: Cure) -> tuple[str, ...]:
    """What it took: all of it first, then its parts."""
    whole = f"{in_runs(cure.cost, cure)}, {cure.cost:,} steps"
    if not cure.trial:
        return whole, f"one untreated run is {cure.run_length:,} steps"
    rest = cure.cost - cure.run_length - cure.trial.cost
    search = "search, and runs without single remedies" if cure.parts else "search"
    return (
        whole,
        f"the untreated run ({cure.run_length:,} steps)",
        f"{search}: {in_runs(rest, cure)}",
        f"trial: {in_runs(cure.trial.cost, cure)}",
    )


def proven(cure: Cure) -> bool:
    """Whether the trial shows that the treatment helps."""
    return cure.verdict in ("cured", "helped")


def use(cure: Cure) -> str:
    """What the code is good for."""
    return "paste it once, right before the training loop" if proven(cure) else (
        "what the trial ran; nothing proves that it helps")  # fmt: skip


def pasted(cure: Cure) -> str:
    """The code as a file: what it is stands on top, or that there is nothing to paste."""
    if not cure.treatment.code or not proven(cure):
        return f"# {headline(cure)}. There is nothing to paste: {clean(cure.said)}\n"
    return f"# {headline(cure)}. To use it, {use(cure)}.\n{cure.treatment.code}"
