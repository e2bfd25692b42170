"""What the card of the data and the evaluations say, and how sure a share of so few rows is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainclinic.diagnose.outcome import outcome
from trainclinic.diagnose.problem import NotExaminedError
from trainclinic.recording import Floats, Recording

SURE = 1.96  # standard errors: 95 %
GUESS = 0.05  # of the loss of a guess: what a validation may gain by luck


def card(recording: Recording, part: str) -> dict[str, Any]:
    """`training`, `order`, `link` or `validation` of the card.

    Raises:
        NotExaminedError: nothing is known of it.
    """
    found: dict[str, Any] = recording.facts.get("data", {}).get(part, {})
    if not found:
        raise NotExaminedError(_WANTING[part])
    return found


_WANTING = {
    "training": "no rows of the training set were seen",
    "order": "no targets were seen that neighbours in a batch could share",
    "link": "too few rows were seen with one target each",
    "validation": "no rows of a validation set were seen",
}


def neighbours_count(recording: Recording) -> bool:
    """Whether rows that lie near each other mean the same: those of tables and images; not sequences, nor tokens."""
    inputs = recording.facts.get("inputs", {})
    return inputs.get("kind") == "float" and len(inputs.get("shape", ())) != 3


def positions(recording: Recording) -> float:
    """Targets of a sample, also where they were flattened with the batch; 1 where it is not known."""
    shape, batch = recording.facts.get("targets", {}).get("shape", []), recording.facts.get("batch_size")
    return math.prod(shape) / batch if shape and batch else 1.0


def at_least(share: float, count: float) -> float:
    """Lower end of the 95 % interval of a share of `count` rows (Wilson 1927)."""
    if not count:
        return 0.0
    center = share + SURE**2 / (2 * count)
    spread = SURE * math.sqrt(max(0.0, share * (1 - share)) / count + SURE**2 / (4 * count**2))
    return (center - spread) / (1 + SURE**2 / count)


def at_most(share: float, count: float) -> float:
    """Upper end of the same interval."""
    return 1 - at_least(1 - share, count)


def excess(share: float, count: float, other: float, other_count: float) -> float:
    """By how much `share` lies above `other`, at least, with 95 %."""
    if not (count and other_count):
        return -math.inf
    error = math.sqrt(max(0.0, share * (1 - share)) / count + max(0.0, other * (1 - other)) / other_count)
    return share - other - SURE * error


def by_class(recording: Recording) -> dict[str, Floats]:
    """The last evaluation, class by class; empty where the answers were not seen."""
    return {name: np.array(counts, float) for name, counts in recording.facts.get("classes", {}).items()}


def accuracy(recording: Recording) -> float:
    """Share of right answers in the last evaluation; NaN where none was seen."""
    classes = by_class(recording)
    if classes:
        return float(classes["right"].sum() / classes["samples"].sum())
    series = recording.series("validation_accuracy")
    return float(series.values[-1]) if series else math.nan


def no_better_than_a_guess(recording: Recording) -> bool:
    """Whether no evaluation did better than an answer that ignores the input.

    Raises:
        NotExaminedError: no validation loss was seen, or it is not known what a guess would cost.
    """
    result = outcome(recording)
    if not (recording.series("validation_loss") and math.isfinite(result.chance)):
        raise NotExaminedError("no validation was seen that could be held against a guess")
    classes = by_class(recording)
    seen = classes["samples"] > 0 if classes else np.zeros(0, bool)
    if seen.sum() > 1:  # the loss may be weighted, and the commonest class tells little: the mean of the recalls
        recall, count = classes["right"][seen] / classes["samples"][seen], classes["samples"][seen]
        error = math.sqrt(float((recall * (1 - recall) / count).sum())) / len(recall)
        if recall.mean() > 1 / len(recall) + max(3 * error, GUESS):
            return False
    return not result.reached >= GUESS


def short_of_neighbours(recording: Recording) -> float:
    """By how much the network's last evaluation lies below what five nearest neighbours reach, at least; or NaN.

    Both are a share of right answers, or an R² (of which a tenth is put down to luck).
    """
    held = recording.facts.get("data", {}).get("validation", {})
    reached, score = held.get("agreement", math.nan), accuracy(recording)
    if not math.isnan(score):
        return excess(reached, held.get("rows", 0), score, held.get("rows", 0))
    series = recording.series("validation_r2")
    return reached - float(series.values[-1]) - 0.1 if series else math.nan
