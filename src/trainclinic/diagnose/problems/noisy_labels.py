"""noisy-labels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainclinic.diagnose.card import at_least, card, excess, neighbours_count, positions, short_of_neighbours
from trainclinic.diagnose.outcome import Outcome, outcome
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.diagnose.problems.data_leak import DataLeak
from trainclinic.diagnose.problems.misaligned_data import MisalignedData
from trainclinic.diagnose.rehearsed import settled
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
_SLACK = 0.02  # of a correlation, by which a few hundred rows differ


@dataclass(frozen=True)
class NoisyLabels(Problem):
    """A share of the labels is wrong.

    What it is:
        Samples that carry the name of another class: slips of annotators, labels taken from file names, a rule that
        labels most of the samples rightly.

    Why training suffers:
        The net first learns what the right labels have in common, then, one by one, the wrong ones. From then on it is
        worse on samples that it has not seen.

    How it is measured:
        By the answers of the last evaluation: of the fifth that the network is surest of, the share that is right. Hard
        samples are those it is unsure of, and where outcomes are a matter of chance some are surer than others; where a
        share of the labels is wrong, the surest answers are wrong as often as all, within 0.15.
        Of real targets: whether a share of the rows has the answer's own target and the others any other row's, held
        against errors of two sizes around the answers. Both are asked where validation has gained less than a tenth in
        the later half of the run: who is still learning is not sure yet; and whatever else is wrong explains both.
        Where that is nearly so, it is an observation.
        Before a training these are the answers of a rehearsal of three seconds, where it was the whole training, or
        validation gained less than a twentieth of its loss in its later half; where its surest answers are right, they
        excuse what neighbours say of both sets, and without such a rehearsal that is never more than an observation.
        By neighbours: of the training samples whose five nearest neighbours all are of one class, the share that
        carries another one. Clean tables show under 3 %. Where neighbours tell the labels of the validation set better
        than those of the training set itself, the wrong ones are in training alone; where they do not, classes that
        overlap look the same, and more is asked: of sequences and tokens it is never more than an observation. It is
        called a problem when the net has learned them by heart (validation has turned, or lies below what the
        neighbours reach, while training goes on), or when a fifth of the training labels is wrong.

    When it is harmless:
        Where nothing is learned by heart: few epochs, weight decay, dropout, many samples for each weight. Classes that
        overlap by nature.

    What to do:
        1. Look at the samples that disagree with all their neighbours, and label them again or leave them out.
        2. Stop early, with the best weights restored.
        3. Label smoothing 0.1, mixup, weight decay.
        4. Wrong labels in validation, too: clean that set first; until then no figure can be trusted above 1 − their
           share.

    References:
        Northcutt et al. 2021 (confident learning); Arpit et al. 2017 (memorization); Wilson 1927 (intervals); Prechelt
        1998 (early stopping).
    """

    odd: float = limit(0.03, "1", RANGE)
    odd_in_both: float = limit(0.1, "1", RANGE)
    gap: float = limit(0.03, "1", RANGE)
    many: float = limit(0.2, "1", RANGE)
    by_heart: float = limit(0.1, "1", RANGE)
    rise: float = limit(0.1, "1", RANGE)
    shortfall: float = limit(0.0, "1", RANGE)
    unanimous: float = limit(40.0, "rows", RANGE)
    surest: float = limit(0.8, "1", RANGE, "below")
    mixture: float = limit(0.8, "1", RANGE, "below")
    mixture_gain: float = limit(0.05, "nats", RANGE)
    surer: float = limit(0.15, "1", RANGE, "below")
    perhaps: float = limit(0.85, "1", RANGE, "below")
    perhaps_surer: float = limit(0.3, "1", RANGE, "below")
    perhaps_gain: float = limit(0.02, "nats", RANGE)
    gaining: float = limit(0.1, "1", RANGE, "below")
    still: float = limit(0.05, "1", "Prechelt 1998")

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    in_the_rows: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "odd": "share of another class among samples whose neighbours are all of one, at least (95 %)",
        "label_gap": "how much better neighbours tell the labels of validation than those of training, at least (95 %)",
        "unanimous": "samples whose neighbours are all of one class",
        "fit_gap": "the validation loss above that of training, against the loss of a guess",
        "validation_rise": "rise of the validation loss since its best, against the loss of a guess",
        "surest": "share of right answers among the fifth that the network is surest of, in validation, at most (95 %)",
        "mixture": "share of the validation targets that are those of their rows",
        "mixture_gain": "what such a mixture explains better than errors of two sizes around the answers, a row",
        "shortfall": "by how much validation lies below what nearest neighbours reach, at least (95 %)",
    }
    causes: ClassVar[dict[str, str]] = {
        "training labels": "Labels of the training set contradict their neighbours; those of the validation set do "
        "not.",
        "sure answers": "Even the answers that the network is surest of are wrong often: for that share of the samples "
        "no answer can be right.",
        "other targets": "A share of the targets is what the network answers, the others could be those of any row.",
        "all labels": "Labels of both sets contradict their neighbours: wrong ones, or classes that overlap.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the labels, then whether they were learned by heart."""
        if len(recording.facts.get("loss", {}).get("graph", ())) > 1:
            raise NotExaminedError("the loss has several parts, so that it is not known what the label of a sample is")
        learns = gain(recording) < self.gaining and _rows(recording) > MisalignedData.rows  # few are learned by heart
        answered = self._answers(recording) if learns else None
        try:
            cause, told = self._labels(recording)
        except NotExaminedError:
            if not (answered or recording.facts.get("answers")):
                raise
            cause, told = "", ()
        result, short = outcome(recording), short_of_neighbours(recording)
        fit, rise = _since_best(recording, result)
        learned = fit > self.by_heart and (rise > self.rise or short > self.shortfall)
        many = cause == "training labels" and told[1].observed > self.many
        wrong = bool(cause) and self._sure(recording, cause, told) and (learned or many)
        if answered and not wrong and cause != "training labels":
            yield self._finding(recording, *answered)
            return
        if not cause or (cause == "all labels" and not wrong and self._right_where_sure(recording, self.perhaps)):
            return
        yield self._finding(
            recording,
            cause,
            "problem" if wrong else "observation",
            (
                *told,
                Evidence("fit_gap", "", fit, self.by_heart, "1"),
                Evidence("validation_rise", "", rise, self.rise, "1"),
                Evidence("shortfall", "", short, self.shortfall, "1"),
            ),
        )

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge the answers of the rehearsal, then the labels alone.

        Where the rehearsed network is right in what it is sure of, neighbours that contradict it are merely neighbours;
        and where it had no time to become sure of anything, they may be.
        """
        answered = self._answers(recording) if self._can_tell(recording) else None
        if answered and answered[1] == "problem":
            yield self._finding(recording, *answered)
            return
        try:
            cause, told = self._labels(recording)
        except NotExaminedError:
            if not (settled(recording, self.still) and recording.facts.get("answers")):
                raise
            cause, told = "", ()
        if not cause or (cause == "training labels" and _holds_copies(recording)):
            if answered:
                yield self._finding(recording, *answered)
            return
        sure = self._sure(recording, cause, told)
        if cause == "all labels":
            sure = sure and settled(recording, self.still) and not self._right_where_sure(recording, self.surest)
        yield self._finding(recording, cause, "problem" if sure else "observation", told)

    def _can_tell(self, recording: Recording) -> bool:
        """Whether the rehearsal is at its end, had rows to learn from, and neighbours know no better than it does."""
        rows = _rows(recording)
        held = recording.facts.get("data", {}).get("validation", {})
        reached, own = held.get("agreement", math.nan), recording.facts.get("answers", {}).get("own", math.nan)
        short = "surest" in recording.facts.get("answers", {}) and excess(reached, held.get("rows", 0), own, held.get(
            "rows", 0)) > self.shortfall  # fmt: skip
        return settled(recording, self.still) and rows > MisalignedData.rows and not short

    def _right_where_sure(self, recording: Recording, enough: float) -> bool:
        answers = recording.facts.get("answers", {})
        known = answers.get("own", 0.0) > answers.get("luck", math.inf)
        return bool(known and answers.get("surest", 0.0) >= enough)

    def _answers(self, recording: Recording) -> tuple[str, Level, tuple[Evidence, ...]] | None:
        """What the answers of the last evaluation tell; None where they tell nothing."""
        answers = recording.facts.get("answers", {})
        if not answers.get("own", 0.0) > answers.get("luck", math.inf):
            return self._perhaps(answers)  # what was learned, if anything, is too little for labels to contradict
        if "surest" in answers:
            count = answers["surest_rows"]
            surest = 1 - at_least(1 - answers["surest"], count)
            if surest < self.surest and answers["surest"] - answers["own"] < self.surer:
                level: Level = "observation" if _next_tokens(recording) else "problem"
                return "sure answers", level, (Evidence("surest", "", surest, self.surest, "1", "below"),)
        # Where that share is right and the others any row's, no answer correlates with the targets by more than it.
        elif answers["own"] < answers["mixture"] + _SLACK and self._mixed(answers):
            told = (
                Evidence("mixture", "", answers["mixture"], self.mixture, "1", "below"),
                Evidence("mixture_gain", "", answers["mixture_gain"], self.mixture_gain, "nats"),
            )
            return "other targets", "problem", told
        return self._perhaps(answers)

    def _perhaps(self, answers: dict[str, float]) -> tuple[str, Level, tuple[Evidence, ...]] | None:
        """The same with less certainty, where the answers are by two standard errors no luck."""
        own, luck, rows = answers.get("own", 0.0), answers.get("luck", math.inf), answers.get("rows", 1)
        if "surest" in answers:
            surer = answers["surest"] - own
            if own > luck - rows**-0.5 and answers["surest"] < self.perhaps and surer < self.perhaps_surer:
                surest = Evidence("surest", "", answers["surest"], self.perhaps, "1", "below")
                return "sure answers", "observation", (surest,)
            return None
        gain, right = answers.get("mixture_gain", 0.0), answers.get("mixture", 1.0)
        if luck / 2 < own < right + 5 * _SLACK and right < self.mixture and gain > self.perhaps_gain:
            told = (
                Evidence("mixture", "", right, self.mixture, "1", "below"),
                Evidence("mixture_gain", "", gain, self.perhaps_gain, "nats"),
            )
            return "other targets", "observation", told
        return None

    def _mixed(self, answers: dict[str, float]) -> bool:
        return answers["mixture"] < self.mixture and answers["mixture_gain"] > self.mixture_gain

    def _sure(self, recording: Recording, cause: str, told: tuple[Evidence, ...]) -> bool:
        """Whether it can be nothing but wrong labels, as overlapping classes contradict their neighbours, too."""
        in_both = neighbours_count(recording) and told[0].observed > self.odd_in_both
        return cause == "training labels" or in_both

    def _labels(self, recording: Recording) -> tuple[str, tuple[Evidence, ...]]:
        """Which labels are wrong, and what tells it; "" where none are."""
        link = card(recording, "link")
        unanimous = link.get("unanimous", 0)
        if unanimous <= self.unanimous:
            raise NotExaminedError("too few samples have neighbours that agree on a class")
        odd = at_least(link.get("odd", math.nan), unanimous)
        gap = _label_gap(recording, link)
        if not (odd > self.odd and link["agreement"] > link["null"]):
            return "", ()
        only_training = gap > self.gap
        return "training labels" if only_training else "all labels", (
            Evidence("odd", "", odd, self.odd if only_training else self.odd_in_both, "1"),
            Evidence("label_gap", "", gap, self.gap, "1"),
            Evidence("unanimous", "", float(unanimous), self.unanimous, "rows"),
        )

    def _finding(self, recording: Recording, cause: str, level: Level, told: tuple[Evidence, ...]) -> Finding:
        return Finding(
            problem=self.id(),
            level=level,
            severity=min(1.0, 0.3 + 2 * _share(told[0])) if level == "problem" else 0.2,
            confidence=0.9 if cause == "training labels" else 0.7,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=told,
            cause=cause,
        )


def _next_tokens(recording: Recording) -> bool:
    """Whether each position has a class that may be the next token: what comes next is seldom sure."""
    return recording.facts.get("inputs", {}).get("kind") == "integer" and positions(recording) > 1


def _rows(recording: Recording) -> int:
    """Different training rows that were looked at."""
    return int(recording.facts.get("data", {}).get("training", {}).get("rows", 0))


def gain(recording: Recording) -> float:
    """Share of its loss that validation gained in the later half of the run; NaN of fewer than three evaluations."""
    values = recording.series("validation_loss").values
    return float(1 - values[-1] / values[len(values) // 2 - 1]) if len(values) > 2 else math.nan


def _share(evidence: Evidence) -> float:
    """Of the labels that are wrong."""
    return evidence.observed if evidence.signal == "odd" else 1 - evidence.observed


def _label_gap(recording: Recording, link: dict[str, Any]) -> float:
    held = recording.facts["data"].get("validation", {})
    if "agreement" not in held:
        return math.nan
    return excess(held["agreement"], held["rows"], link["agreement"], link["rows"])


def _holds_copies(recording: Recording) -> bool:
    """Whether validation rows are training rows, whose neighbours then are themselves."""
    held = recording.facts.get("data", {}).get("validation", {})
    return bool(held.get("copies", 0.0) > DataLeak.copies or held.get("training_batches", 0.0) > 0)


def _since_best(recording: Recording, result: Outcome) -> tuple[float, float]:
    """The validation loss of the last fifth of the evaluations above that of training, and above its own best.

    Both against the loss of a guess.
    """
    values = recording.series("validation_loss").values
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.nan, math.nan
    last = float(np.median(finite[-max(3, len(finite) // 5) :]))
    return (last - result.last) / result.chance, (last - float(finite.min())) / result.chance
