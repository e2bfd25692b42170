"""Outcome: did the run learn? The clause that parts a problem from an observation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trainclinic.recording import Floats, Recording

WINDOWS = 20  # the loss curve is judged on medians of this many windows: a minibatch loss is mostly noise


@dataclass(frozen=True)
class Outcome:
    """The loss curve in numbers [loss units, unless said].

    Attributes:
        first: loss before the first update.
        last: median of the last twentieth of the run.
        best: smallest median of a twentieth.
        chance: loss of the best constant prediction, from the targets that were seen; NaN where unknown.
        learned: share of the starting point (chance where known, else `first`) that is gone at the end; ≤ 1,
            negative when the loss ended above it.
        reached: the smaller of `learned` and the same share for the best validation loss, where one was seen.
        finite: whether every loss was finite.
        matches_neighbours: whether validation came as far as a look at similar samples, where labels are doubtful.
    """

    first: float
    last: float
    best: float
    chance: float
    learned: float
    reached: float
    finite: bool
    matches_neighbours: bool = False

    @property
    def diverged(self) -> bool:
        """Whether the loss left the finite, or ended half as high again as it had once been and above its start."""
        return not self.finite or (self.last > 1.5 * self.best and self.last > self.first > 0)


def outcome(recording: Recording) -> Outcome:
    """The outcome of a run; `learned` is NaN when no loss was seen."""
    series = recording.series("loss")
    losses = series.values
    chance = chance_loss(recording)
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        return Outcome(math.nan, math.nan, math.nan, chance, math.nan, math.nan, not len(losses))
    medians = windows(losses)
    first = float(finite[0])
    last = float(medians[-1]) if math.isfinite(medians[-1]) else math.inf
    start = chance if math.isfinite(chance) else first
    learned = 1 - last / start if start > 0 else math.nan
    reached = min(learned, validation_learned(recording, chance))
    is_finite = recording.facts.get("non_finite") is None
    matches = _matches_neighbours(recording)
    return Outcome(first, last, float(np.nanmin(medians)), chance, learned, reached, is_finite, matches)


def validation_learned(recording: Recording, chance: float) -> float:
    """Share of the loss of a guess that was gone at the best evaluation; inf where none was seen."""
    values = recording.series("validation_loss").values
    finite = values[np.isfinite(values)]
    return 1 - float(finite.min()) / chance if len(finite) and chance > 0 else math.inf


SOME = 0.1  # of the loss of a guess: so much has been learned at least, where neighbours excuse the rest
# Of what there is to know: where neighbours tell as much as this, but no more, the labels are doubtful.
TELLING, DOUBTFUL = 0.4, 0.7


def _matches_neighbours(recording: Recording) -> bool:
    """Whether the last evaluations lie within two standard errors of what nearest neighbours reach, or above."""
    network, neighbours, error = scores(recording)
    guess = recording.facts.get("data", {}).get("link", {}).get("guess", math.nan)
    told = (neighbours - guess) / (1 - guess) if guess < 1 else math.nan
    return TELLING <= told <= DOUBTFUL and network >= neighbours - 2 * error


def windows(losses: Floats, count: int = WINDOWS) -> Floats:
    """Medians of `count` equal stretches; a stretch that is mostly non-finite gives inf."""
    parts = np.array_split(losses, min(count, len(losses)))
    return np.array([np.median(np.where(np.isfinite(part), part, np.inf)) for part in parts])


def chance_loss(recording: Recording) -> float:
    """Loss of the best answer that ignores the input: the entropy of the classes, or the targets' variance."""
    loss, targets = recording.facts.get("loss", {}), recording.facts.get("targets", {})
    name = loss.get("name", "")
    counts = np.array(list(targets.get("classes", {}).values()), dtype=float)
    if name in ("cross_entropy", "nll_loss") or name.startswith("binary_cross_entropy"):
        if targets.get("dtype", "").startswith("float") and not targets.get("binary"):
            return math.nan  # soft labels
        share = counts[counts > 0] / counts.sum() if len(counts) else counts
        return float(-(share * np.log(share)).sum()) if len(share) > 1 else math.nan
    if name == "mse_loss":
        return float(targets.get("std", math.nan)) ** 2 or math.nan
    return math.nan


def hurts(result: Outcome, learned: float, *, neighbours: bool = True) -> bool:
    """Whether the run ended badly: it diverged, or kept more than that share of its starting loss.

    Where as much as that cannot be had, since the labels are doubtful, similar samples do no better: no harm is seen.
    `neighbours`: False for a fault from which they suffer, too.
    """
    excused = neighbours and result.matches_neighbours and result.reached > SOME
    return (not result.reached >= learned and not excused) or result.diverged


#: of what a guess leaves to be known; GOOD excuses faults: benchmarks/diagnosis.py --development, decision 19
ALMOST, GOOD, FITTING = 0.75, 0.7, 0.3


def answers_well(recording: Recording, *, neighbours: bool = True) -> bool:
    """Whether the answers of the last evaluations are good all the same, whatever the loss says of them.

    They are where the network knows nearly all that a guess does not, or as much as its samples' nearest neighbours
    where these tell much (`neighbours`).
    """
    network, near, error, guess = _standing(recording)
    if not guess < 1:
        return False
    if (network - guess) / (1 - guess) >= ALMOST:
        return True
    return neighbours and (near - guess) / (1 - guess) >= TELLING and network >= near - error


def serves(recording: Recording, *, surely: bool = False, bad: float = 0.25, fit: bool = True) -> bool:
    """Whether the answers of the later evaluations are good, and nothing simpler clearly knows more.

    Simpler are nearest neighbours and a linear map. Good are answers that know most of what a guess does not, or as
    much as a fit in closed form (`fits`). What is abnormal in such a training has done no harm that can be seen.
    `surely`: and one of these is known. `bad`: of the last third of the evaluations, the share that may be bad. `fit`:
    False for a fault from which the fit suffers, too.
    """
    if "checkup" in recording.facts or outcome(recording).diverged:
        return False
    if fit and fits(recording, bad):
        return True
    network, near, error, guess = _standing(recording)
    usual = min(network, later(recording, bad))
    if not (guess < 1 and GOOD <= (usual - guess) / (1 - guess) <= 1):  # a figure beyond is no share
        return False
    linear = _linear(recording, near)
    if surely and math.isnan(near) and math.isnan(linear):
        return False
    return not (near - network > 2 * error or linear - network > 2 * error)


def closed_form(recording: Recording) -> float:
    """What a fit in closed form to the training rows tells of those of validation; NaN where none was made."""
    return float(recording.facts.get("data", {}).get("validation", {}).get("closed_form", math.nan))


def fits(recording: Recording, bad: float = 0.25) -> bool:
    """Whether the later answers know as much as a fit in closed form to the same rows, and that is much.

    Then more may not be there to be known. It is held to one standard error, since both answered the same rows;
    neighbours and a linear map, which answered training rows, to two.
    """
    network, near, error, guess = _standing(recording)
    usual = min(network, later(recording, bad))
    fit = closed_form(recording)
    if not (guess < 1 and usual <= 1 and (fit - guess) / (1 - guess) >= FITTING):
        return False
    simple = (near, _linear(recording, near))
    return usual >= fit - error and not any(score - usual > 2 * error for score in simple)


def nothing_told(recording: Recording, most: float) -> bool:
    """Whether neither the last evaluation nor a fit in closed form knows more than `most` of what a guess does not.

    A fit does not suffer from a bad training: where it knows nothing either, the rows tell nothing of the targets.
    """
    network, _, _, guess = _standing(recording)
    fit = closed_form(recording)
    return guess < 1 and all((score - guess) / (1 - guess) < most for score in (network, fit))


def _linear(recording: Recording, near: float) -> float:
    """What a linear map tells, where neighbours are held against the network, too."""
    return math.nan if math.isnan(near) else float(recording.facts["data"].get("link", {}).get("linear", math.nan))


def _standing(recording: Recording) -> tuple[float, float, float, float]:
    """Network and neighbours in validation, the standard error of their difference, and what a guess reaches."""
    network, near, error = scores(recording)
    guess = recording.facts.get("data", {}).get("link", {}).get("guess", math.nan)
    answers = recording.facts.get("answers", {})
    if math.isnan(network):  # several labels a sample, or mixed ones: neighbours are held against real numbers there
        own, held = answers.get("own", math.nan), recording.facts.get("data", {}).get("validation", {})
        rows = min(answers.get("rows", 0), held.get("rows", 0))  # labels of one sample are not independent
        error = math.sqrt(max(0.0, own * (1 - own)) / max(1, rows))
        return own, math.nan, error, answers.get("guess", math.nan)
    if math.isnan(guess):
        counts = recording.facts.get("targets", {}).get("classes", {}).values()
        guess = answers.get("guess", max(counts, default=math.nan) / max(1, sum(counts)) if counts else 0.0)
    return network, near, error, guess


def later(recording: Recording, share: float) -> float:
    """What all but that share of the last third of the evaluations reach; inf where no figure of them was seen."""
    for name in ("validation_accuracy", "validation_r2"):
        values = recording.series(name).values
        if len(values):
            return float(np.quantile(values[-max(3, len(values) // 3) :], share))
    return math.inf


def severity(result: Outcome) -> float:
    """0..1: how much of the starting loss was left; 1 when the run diverged or no loss was seen."""
    if result.diverged or not math.isfinite(result.reached):
        return 1.0
    return float(min(1.0, max(0.0, 1 - result.reached)))


def scores(recording: Recording) -> tuple[float, float, float]:
    """Network and neighbours in validation, and the standard error of their difference."""
    data = recording.facts.get("data", {})
    held, link = data.get("validation", {}), data.get("link", {})
    neighbours = held.get("agreement", link.get("agreement", math.nan))
    if recording.facts.get("targets", {}).get("classes"):
        network = recording.series("validation_accuracy").late()
        samples = max(1, held.get("rows", 0) or sum(recording.facts.get("classes", {}).get("samples", [0])))
        return network, neighbours, math.sqrt(max(0.0, network * (1 - network)) / samples)
    network = recording.series("validation_r2").late()
    return network, neighbours, (1 - min(1.0, max(0.0, network))) / math.sqrt(max(1, held.get("rows", 1)))


def late_fall(recording: Recording) -> float:
    """Share of the loss that went away between the third and the last fifth of the run."""
    losses = recording.series("loss").values
    medians = windows(losses) if len(losses) >= 5 else np.full(5, math.nan)
    part = max(1, len(medians) // 5)
    then, now = float(np.median(medians[-3 * part : -2 * part])), float(np.median(medians[-part:]))
    return 1 - now / then if then > 0 else math.nan
