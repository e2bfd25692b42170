"""data-leak."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from trainclinic.diagnose.card import at_least, at_most, card
from trainclinic.diagnose.problem import Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not
_BITS = 40  # in a row of real numbers: two such rows are never alike by chance
_WHOLE = 0.95  # of the validation rows
_SEEN = 0.25  # of the training rows; of fewer it is not known which validation rows are no copies
_MOST = 2000  # rows of an evaluation that are looked at: what comes after them is not known


@dataclass(frozen=True)
class DataLeak(Problem):
    """The validation set holds samples of the training set.

    What it is:
        Rows that were doubled before the split, a split drawn twice, oversampling before the split, or the training set
        itself under the name of validation.

    Why training suffers:
        Training does not, its judgement does: what is learned by heart counts as understood. Overfitting goes unseen,
        and the figure is too good.

    How it is measured:
        Validation rows that equal a training row, number for number. Rows of coarse numbers equal each other
        by chance; how often is read from rows that equal each other within the validation set and within training
        batches, and only what lies far above it counts. Copies with a little noise: validation rows that lie four times
        nearer to a training row than training rows usually lie to each other, against the share of training rows that
        do. Samples of the same patient or minute are not seen. Where the answers to copies are hardly better than those
        to the other rows it is an observation. And a single feature that is the target, or nearly so; one of several
        targets among the features is observed, and before a training on a table, to the last digit, a problem.

    When it is harmless:
        Natural repetition, such as short texts or tables of few values; an evaluation of the training set that is meant
        as one.

    What to do:
        1. Remove doubles first, then split; oversample after the split, and only the training rows.
        2. Split by patient, user, document or time where samples belong together.
        3. Fit the scaler, the vocabulary and the selection of features on training rows only.
        4. Judge anew: every figure so far is too good.

    References:
        Kapoor & Narayanan 2023 (leakage in science); Barz & Denzler 2020 (duplicates in CIFAR).
    """

    copies: float = limit(0.005, "1", RANGE)
    proxy: float = limit(0.995, "1", RANGE)
    many: float = limit(0.02, "1", RANGE)
    chance: float = limit(1.5, "1", RANGE)
    rows: float = limit(2.0, "rows", RANGE)
    near: float = limit(0.2, "1", RANGE)
    itself: float = limit(1 - 1e-9, "1", "rounding of float32")
    flattered: float = limit(0.03, "1", DEVELOPMENT)

    reads: ClassVar[tuple[str, ...]] = ()
    beyond_answers: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "copies": "share of the validation rows that equal a training row",
        "copies_of_chance": "that share, against what chance gives with rows like these",
        "copied_rows": "number of such rows",
        "near": "share of the validation rows with a training row strangely near, beyond that of training rows",
        "flattered": "by how much the figure is better than that of the validation rows that are no copies",
        "proxy": "largest correlation of a single feature with the target",
    }
    causes: ClassVar[dict[str, str]] = {
        "the training set": "What is called validation is the training set.",
        "copies": "Rows of the validation set are in the training set, too.",
        "changed copies": "Rows of the validation set are rows of the training set with a little noise.",
        "target": "A single feature is the target itself, or tells it all: where the net is used it will not be there.",
        "one target": "A single feature is one of the targets, or nearly so: the last value of a slow series, or what "
        "is not there where the net is used.",
        "evaluated": "Training rows were evaluated; nobody said that they are the validation set.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Count the copies; whose evaluation it was decides whether it is a leak."""
        above = _flattery(recording)
        told = (Evidence("flattered", "", above, self.flattered, "1"),) if not math.isnan(above) else ()
        for finding in self._judge(recording, bool(recording.facts.get("validation_told"))):
            if finding.cause not in ("copies", "changed copies"):
                yield finding
            else:
                level: Level = "observation" if above <= self.flattered else finding.level
                yield replace(finding, level=level, evidence=(*finding.evidence, *told))

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """The same, of the loaders."""
        return self._judge(recording, True)

    def _judge(self, recording: Recording, told_validation: bool) -> Iterable[Finding]:
        proxy = recording.facts.get("data", {}).get("link", {}).get("proxy", 0.0)
        tokens = recording.facts.get("inputs", {}).get("kind") == "integer"  # how often one comes may be what is asked
        several = math.prod(recording.facts.get("targets", {}).get("shape", [])[1:]) > 1  # of a series, one is the next
        told = (Evidence("proxy", "", proxy, self.proxy, "1"),)
        table = "checkup" in recording.facts and len(recording.facts.get("inputs", {}).get("shape", ())) == 2
        if proxy > self.proxy and not (tokens or (several and not (table and proxy > self.itself))):
            yield self._finding("target", "problem", 1.0, told, recording)
            return
        found = tuple(self._copied(recording, told_validation))
        if proxy > self.proxy and several and not (tokens or found):
            yield self._finding("one target", "observation", 1.0, told, recording)
        yield from found

    def _copied(self, recording: Recording, told: bool) -> Iterable[Finding]:
        held = card(recording, "validation")
        if "copies" not in held:
            return
        share = _share(recording, held, told)
        by_chance = _by_chance(recording, held, told)
        against_chance = share / by_chance if by_chance else math.inf if share else 0.0
        rows = share * held["rows"]
        if not (share > self.copies and against_chance > self.chance and rows > self.rows):
            near = self._near(held)
            if near > self.near:
                yield self._finding("changed copies", "problem", near, (Evidence("near", "", near, self.near, "1"),),
                                    recording)  # fmt: skip
            return
        itself = share > _WHOLE and held["rows"] < _MOST
        meant = not told and held["training_batches"] == 1
        cause = "evaluated" if meant else "the training set" if itself else "copies"
        level: Level = "problem" if cause != "evaluated" and share > self.many else "observation"
        told_by = (
            Evidence("copies", "", share, self.many, "1"),
            Evidence("copies_of_chance", "", against_chance, self.chance, "1"),
            Evidence("copied_rows", "", rows, self.rows, "rows"),
        )
        yield self._finding(cause, level, share, told_by, recording)

    def _near(self, held: dict[str, Any]) -> float:
        """Share of changed copies, at least (95 %), beyond what lies as near in training."""
        count = held["rows"] * (1 - held["training_batches"])
        return at_least(held.get("near", 0.0), count) - 2 * float(held.get("near_in_training", 1.0))

    def _finding(
        self, cause: str, level: Level, share: float, evidence: tuple[Evidence, ...], recording: Recording
    ) -> Finding:
        return Finding(
            problem=self.id(),
            level=level,
            severity=min(1.0, 0.4 + share) if level == "problem" else 0.2,
            confidence=0.9,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=evidence,
            cause=cause,
        )


def _flattery(recording: Recording) -> float:
    """By how much the figure is better than that of the rows that are no copies; NaN where it is not known.

    Copies of training rows that were not kept stand among the others, and make the difference look smaller. Of copies
    a share s is seen, m of the validation rows; then c = m / s are copies, and what was measured is the truth times
    s (1 - c) / (1 - m).
    """
    measured = float(recording.facts.get("answers", {}).get("flattered", math.nan))
    data = recording.facts.get("data", {})
    marked = data.get("validation", {}).get("copies", 0.0) or data.get("validation", {}).get("near", 0.0)
    rows = data.get("training", {}).get("rows", 0)
    seen = min(1.0, rows / (recording.facts.get("training_samples") or max(1, rows)))
    if not seen >= _SEEN or marked / seen >= _WHOLE:
        return math.nan
    return float(measured * (1 - marked) / (seen - marked))


def _share(recording: Recording, held: dict[str, Any], told: bool) -> float:
    """Share of the validation rows that equal a training row.

    Where trainclinic's own loop evaluated, it was the validation set and nothing else, and the training rows that were
    not seen can be added. Elsewhere the training set may have been evaluated, too, and the batch with fewest counts.
    """
    samples = recording.facts.get("training_samples")
    if not (told and samples):
        return float(held["fewest_copies"])
    found = held["training_batches"] + (1 - held["training_batches"]) * held["copies"]
    return float(min(1.0, found * max(1.0, samples / card(recording, "training")["rows"])))


def _by_chance(recording: Recording, held: dict[str, Any], told: bool) -> float:
    """Share of validation rows that equal some training row where rows repeat as often as among themselves.

    For `again` a row meets the half of its set that came before it; here it meets all rows of training.
    """
    training = card(recording, "training")
    if recording.facts.get("inputs", {}).get("kind") == "float" and training["bits"] > _BITS:
        return 0.0
    batch = max(1, recording.facts.get("batch_size", 0))
    within = max(at_most(held["again"], held["rows"]) / held["rows"], training["again"] / batch)
    rows = max(training["rows"], (recording.facts.get("training_samples") or 0) if told else 0)  # as `_share` counts
    return float(min(1.0, 2 * rows * within))
