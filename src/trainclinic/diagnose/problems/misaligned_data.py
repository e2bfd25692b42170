"""misaligned-data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from trainclinic.diagnose.card import GUESS, SURE, by_class, card, neighbours_count, no_better_than_a_guess, positions
from trainclinic.diagnose.outcome import nothing_told, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.diagnose.rehearsed import complete, guessed, learned, learned_by_heart, rehearsal
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not
_WINDOWS = 0.5  # of the rows that are the row before, moved on


@dataclass(frozen=True)
class MisalignedData(Problem):
    """Inputs and targets do not belong together.

    What it is:
        Two files shuffled apart, a join on the wrong key, targets that slipped by one row; or a validation set whose
        classes are numbered, or whose inputs are prepared, in another way than those of training.

    Why training suffers:
        There is nothing to learn. A large net learns the pairs by heart, slowly, and is no better than a guess on
        rows it has not seen; a small one stays where it began.

    How it is measured:
        For each of up to 2,000 training rows, what its five nearest neighbours, and a linear map, say of its target,
        against the same with the targets permuted. It is called a problem when neither tells more than of permuted ones
        and no evaluation was better than a guess, and an observation when some was, but the last one and a fit in
        closed form know hardly more. By the answers in validation, too: where they fit the targets of the
        row before or after, and those fit each other no better than chance. Before a training a rehearsal of three
        seconds stands for it: a network that learned something excuses its neighbours, and one that is still no better
        than a guess tells only where it was the whole training, or learned the rows by heart. For the validation set:
        its rows have their neighbours in training, which tell their targets there and not here.

    When it is harmless:
        Where near rows do not have like targets although inputs decide them, such as in parity: then the net can
        learn what its neighbours cannot, and validation shows it.

    What to do:
        1. Look at ten pairs with your own eyes, as the model gets them, after all loading and shuffling.
        2. Carry an id with each sample through every sort, join and shuffle, and compare the ids at the end.
        3. Shift the targets by one row either way and see whether the link comes back.
        4. For validation: one table of classes, and one preparation of the inputs, for both sets.

    References:
        Zhang et al. 2017 (nets learn random labels); Good 2005 (permutation tests).
    """

    agreement: float = limit(0.0, "1", RANGE, "below")
    commonest: float = limit(0.8, "1", RANGE, "below")
    rows: float = limit(100.0, "rows", RANGE)
    gap: float = limit(0.3, "1", RANGE)
    learned: float = limit(0.3, "1", RANGE)
    told: float = limit(0.1, "1", DEVELOPMENT, "below")

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    in_the_rows: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "link_excess": "what nearest neighbours, or a linear map, tell of the targets, beyond that of permuted ones",
        "commonest": "share of the commonest class",
        "rows": "training rows that were looked at",
        "link_gap": "what training rows tell of training targets, beyond what they tell of validation targets",
        "shifted": "how well the answers fit the targets of the row before, or after",
        "own": "how well they fit their own",
        "learned": "share of the loss that training removed",
        "reached": "share of the loss that is gone, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "learned by heart": "The training pairs are learned one by one, and rows not seen before are only guessed: the "
        "targets do not go with the inputs.",
        "not learned": "Neither the net, nor the nearest neighbours, nor a linear map find anything in the inputs that "
        "tells the targets.",
        "a guess": "The net does no better than a guess; what neighbours know of targets with several positions was "
        "not asked.",
        "validation": "The training pairs belong together, those of the validation set do not: other class numbers, "
        "other rows, or inputs prepared differently.",
        "shifted": "The answers fit the targets of the rows beside theirs: in a part of the set the targets slipped "
        "by one.",
        "no link": "Rows that are near each other have nothing in common in their targets.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the answers, then the link, then whether validation is a guess."""
        slipped = _slipped(recording)
        if slipped:
            yield self._finding("shifted", recording, slipped)
            return
        try:
            link = self._link(recording)
        except NotExaminedError:
            nothing = nothing_told(recording, self.told)
            if positions(recording) <= 1 or not (nothing or no_better_than_a_guess(recording)):
                raise
            yield self._finding("a guess", recording, (), "observation")
            return
        learned = outcome(recording).learned
        if _beyond_chance(link) < self.agreement:
            if no_better_than_a_guess(recording):
                cause = "learned by heart" if learned > self.learned else "not learned"
                yield self._finding(cause, recording, self._no_link(link))
            elif nothing_told(recording, self.told):
                yield self._finding("not learned", recording, self._no_link(link), "observation")
        elif learned > self.learned and self._gap(recording, link) > self.gap and no_better_than_a_guess(recording):
            told = (self._link_gap(recording, link), Evidence("learned", "", learned, self.learned, "1"))
            yield self._finding("validation", recording, told)

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge the answers of the rehearsal, then the link, then whether the rehearsal ended in a guess.

        Sequences and tokens may well hide the link from their neighbours, and a short rehearsal from the network.
        """
        slipped = _slipped(recording)
        if slipped:
            yield self._finding("shifted", recording, slipped)
            return
        try:
            link = self._link(recording)
        except NotExaminedError:
            if recording.facts.get("data", {}).get("link") or not rehearsal(recording):
                raise  # the classes are too unequal
            link = {}
        if link and _beyond_chance(link) >= self.agreement:
            if self._gap(recording, link) > self.gap:
                yield self._finding("validation", recording, (self._link_gap(recording, link),))
            return
        if learned(recording):
            return
        if guessed(recording) and (complete(recording) or learned_by_heart(recording, self.learned)):
            cause = "learned by heart" if learned_by_heart(recording, self.learned) else "not learned"
        elif link and neighbours_count(recording):
            cause = "no link"
        else:
            raise NotExaminedError(
                "the nearest neighbours tell nothing here, which says little of sequences and tokens, and in so short "
                "a time the network learned nothing either"
            )
        yield self._finding(cause, recording, self._no_link(link) if link else ())

    def _link(self, recording: Recording) -> dict[str, Any]:
        link = card(recording, "link")
        if link["rows"] <= self.rows or link["guess"] >= self.commonest:
            raise NotExaminedError("too few rows, or too few of the rarer classes, for neighbours to tell anything")
        return link

    def _gap(self, recording: Recording, link: dict[str, Any]) -> float:
        """What the neighbours' answers lose from training to validation; 0 while those to validation are no guess."""
        held = recording.facts["data"].get("validation", {})
        if "agreement" not in held:
            return 0.0
        samples = by_class(recording).get("samples")
        guess = float(samples.max() / samples.sum()) if samples is not None else float(link["guess"])
        luck = SURE * (guess * (1 - guess) / held["rows"]) ** 0.5
        return float(link["agreement"] - held["agreement"]) if held["agreement"] <= guess + luck else 0.0

    def _link_gap(self, recording: Recording, link: dict[str, Any]) -> Evidence:
        return Evidence("link_gap", "", self._gap(recording, link), self.gap, "1")

    def _no_link(self, link: dict[str, Any]) -> tuple[Evidence, ...]:
        return (
            Evidence("link_excess", "", _beyond_chance(link), self.agreement, "1", "below"),
            Evidence("rows", "", float(link["rows"]), self.rows, "rows"),
        )

    def _finding(
        self, cause: str, recording: Recording, told: tuple[Evidence, ...], level: Level = "problem"
    ) -> Finding:
        result = outcome(recording)
        reached = (Evidence("reached", "", result.reached, GUESS, "1", "below"),) if recording.steps else ()
        return Finding(
            problem=self.id(),
            level=level,
            severity=max(0.9, severity(result)) if level == "problem" else 0.2,
            confidence=0.6 if cause in ("not learned", "no link") else 0.9,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=(*told, *reached),
            cause=cause,
        )


def _slipped(recording: Recording) -> tuple[Evidence, ...]:
    """What tells that the answers belong to the targets of another row; nothing where they do not."""
    answers = recording.facts.get("answers", {})
    shifted, own = max(answers.get("before", -1.0), answers.get("after", -1.0)), answers.get("own", math.nan)
    # Windows of one series have targets like their neighbours', and hold the target of the row before.
    if recording.facts.get("data", {}).get("validation", {}).get("overlap", 0.0) > _WINDOWS:
        return ()
    if shifted > max(own, answers.get("luck", math.inf)) and answers["order"] < answers["luck"]:
        return (Evidence("shifted", "", shifted, max(own, answers["luck"]), "1"),
                Evidence("own", "", own, math.nan, "1", "below"))  # fmt: skip
    return ()


def _beyond_chance(link: dict[str, Any]) -> float:
    # A sum of many pixels has no neighbours. Twenty permutations do not tell luck well: a standard error more is asked.
    linear = link.get("linear", -math.inf) - link.get("linear_null", 0.0) - link["rows"] ** -0.5
    return float(max(link["agreement"] - link["null"], linear))
