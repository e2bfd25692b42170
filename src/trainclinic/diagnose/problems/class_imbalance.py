"""class-imbalance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from trainclinic.diagnose.card import at_least, by_class, excess
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.diagnose.problems.unshuffled_data import in_order
from trainclinic.diagnose.rehearsed import complete
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
_FEWEST = 5  # validation samples of rare classes; of fewer nothing follows


@dataclass(frozen=True)
class ClassImbalance(Problem):
    """Some classes are so rare that the net does well to ignore them.

    What it is:
        Ten or a hundred times fewer samples of one class than of another, where the rare one matters as well.

    Why training suffers:
        A loss summed over samples hardly notices a class of a few percent. The net answers with the frequent classes,
        with an accuracy that looks good and a recall of the rare ones that does not.

    How it is measured:
        The commonest class against each rare one, in training; then, on the last evaluation, the recall of the rare
        ones against what the same scores reach once the frequencies are taken out of them (logit adjustment). It is
        called a problem when that surely gains a twentieth on the rare classes, for all the chance of so few samples,
        and in the mean of all recalls, too; when the rare ones are surely found less often than the others, by a
        tenth; when a rare class is never answered at all while the others are; or when it is so rare that validation
        has not five samples of it, so that nobody would know. Before a training it is the frequencies alone that are
        judged, more than twenty to one, unless a rehearsal of three seconds was the whole training.

    When it is harmless:
        Where the classes are well apart, so that rare ones are found all the same; where errors on rare classes cost
        no more than others; where the loss or the sampler already weighs them.

    What to do:
        1. Judge by the recall of each class, not by accuracy.
        2. Take the logarithm of the frequencies out of the scores, or move the threshold: no new training is needed.
        3. Weights in the loss (1 / √frequency), or a sampler that draws rare classes more often.
        4. More samples of the rare classes, or augmentation of those.

    References:
        Menon et al. 2021 (logit adjustment); Buda et al. 2018 (imbalance in deep learning); Wilson 1927 (intervals).
    """

    ratio: float = limit(10.0, "1", RANGE)
    severe: float = limit(20.0, "1", RANGE)
    gain: float = limit(0.05, "1", RANGE)
    balanced: float = limit(0.02, "1", RANGE)
    others: float = limit(0.5, "1", RANGE)
    behind: float = limit(0.1, "1", RANGE)

    reads: ClassVar[tuple[str, ...]] = ()
    beyond_answers: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "class_ratio": "samples of the commonest class for each of the rarest, in training",
        "rare_gain": "recall of the rare classes that a shift of the scores would add, at least (95 %)",
        "balanced_gain": "what that shift adds to the mean of all recalls",
        "rare_recall": "recall of the rare classes",
        "behind": "by how much the recall of the rare classes lies below that of the others, at least (95 %)",
        "rare_samples": "validation samples of the rare classes",
        "others_recall": "mean recall of the other classes",
    }
    causes: ClassVar[dict[str, str]] = {
        "decision": "The scores know the rare classes better than the answers do: the frequencies outvote them.",
        "behind": "The rare classes are found less often than the others.",
        "unseen": "A class is so rare that validation has hardly a sample of it: whether it is found, nobody knows.",
        "not learned": "Rare classes are never answered, while the others are.",
        "": "Some classes are much rarer than others.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the frequencies, then the recalls."""
        counts, classes = _counts(recording), by_class(recording)
        if classes:  # a class of which none was seen in training is a rare one, too
            counts = np.pad(counts, (0, max(0, len(classes["samples"]) - len(counts))))[: len(classes["samples"])]
        ratio = _ratio(counts, classes["samples"] > 0 if classes else counts > 0)
        if ratio <= self.ratio:
            return
        told = [Evidence("class_ratio", "", ratio, self.ratio, "1")]
        cause = self._cause(classes, (counts + 1) * self.ratio < counts.max(), told) if classes else ""
        yield self._finding(recording, cause, "problem" if cause else "observation", told)

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge the frequencies; and the recalls of the rehearsal, where it was the whole training.

        One that answers a single class says nothing of the others: the frequencies stay.
        """
        counts, classes = _counts(recording), by_class(recording)
        ratio = _ratio(counts, counts > 0)
        if ratio <= self.ratio:
            return
        told = [Evidence("class_ratio", "", ratio, self.severe, "1")]
        cause = ""
        level: Level = "problem" if ratio > self.severe else "observation"
        if complete(recording) and classes and (classes["predicted"] > 0).sum() > 1:
            counts = np.pad(counts, (0, max(0, len(classes["samples"]) - len(counts))))[: len(classes["samples"])]
            cause = self._cause(classes, (counts + 1) * self.ratio < counts.max(), told)
            level = "problem" if cause else "observation"
        yield self._finding(recording, cause, level, told)

    def _cause(self, classes: dict[str, Floats], rare: npt.NDArray[np.bool_], told: list[Evidence]) -> str:
        """Whether the rare classes suffer, and how; what it was decided by is added to `told`."""
        samples, right, adjusted = classes["samples"], classes["right"], classes["right_adjusted"]
        count = float(samples[rare].sum())
        if count < _FEWEST:
            told.append(Evidence("rare_samples", "", count, float(_FEWEST), "rows", "below"))
            return "unseen" if told[0].observed > self.severe else ""
        gain = at_least(max(0.0, float((adjusted - right)[rare].sum())) / count, count)
        seen = samples > 0
        balanced = float(((adjusted - right)[seen] / samples[seen]).mean())
        told += [
            Evidence("rare_gain", "", gain, self.gain, "1"),
            Evidence("balanced_gain", "", balanced, self.balanced, "1"),
            Evidence("rare_recall", "", float(right[rare].sum()) / count, math.nan, "1", "below"),
        ]
        if gain > self.gain and balanced > self.balanced:
            return "decision"
        frequent = seen & ~rare
        others = float((right[frequent] / samples[frequent]).mean()) if frequent.any() else math.nan
        behind = excess(others, float(samples[frequent].sum()), float(right[rare].sum()) / count, count)
        told.append(Evidence("behind", "", behind, self.behind, "1"))
        never = rare & (samples >= _FEWEST) & (classes["predicted"] == 0)
        told.append(Evidence("others_recall", "", others, self.others, "1"))
        answered = int((classes["predicted"] > 0).sum())
        # Nets that are broken answer one class, too; where it is by far the commonest one, that is reason enough.
        collapsed = answered == 1 and int(seen.sum()) > 2 and told[0].observed < self.severe
        if never.any() and not collapsed and others > self.others:
            return "not learned"
        # Where a shift of the scores costs more than it gains, the loss weighs them already.
        return "behind" if behind > self.behind and balanced > -self.balanced and not collapsed else ""

    def _finding(self, recording: Recording, cause: str, level: Level, told: list[Evidence]) -> Finding:
        gain = next((evidence.observed for evidence in told if evidence.signal == "rare_gain"), 0.0)
        return Finding(
            problem=self.id(),
            level=level,
            severity=min(1.0, 0.5 + gain) if level == "problem" else 0.2,
            confidence=0.9,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=tuple(told),
            cause=cause,
        )


def _counts(recording: Recording) -> Floats:
    """How often each class came in training, from 0 on."""
    targets = recording.facts.get("targets", {})
    counts = {int(name): number for name, number in targets.get("classes", {}).items() if int(name) >= 0}
    shape = targets.get("shape", [])
    each = shape[:1] == [recording.facts.get("batch_size")] and all(size == 1 for size in shape[1:])
    if len(counts) < 2 or not each:
        raise NotExaminedError("the targets are not one class for each sample")
    if in_order(recording):
        raise NotExaminedError("the batches come in order, so that the classes seen first are not those of the set")
    return np.array([counts.get(label, 0) for label in range(max(counts) + 1)], float)


def _ratio(counts: Floats, of: npt.NDArray[np.bool_]) -> float:
    """The commonest class against the rarest, of which one more may have been missed."""
    return float(counts.max() / (counts[of].min() + 1)) if of.any() else 1.0
