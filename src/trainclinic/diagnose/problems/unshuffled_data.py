"""unshuffled-data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.card import card, short_of_neighbours
from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"

FEWEST = 20  # steps


@dataclass(frozen=True)
class UnshuffledData(Problem):
    """The training samples come in the order in which they were stored.

    What it is:
        All of one class, then all of the next; sorted by the target, by source or by date, in every epoch alike.

    Why training suffers:
        The gradient of a batch then stands for one class only. Each stretch overwrites what the one before it taught,
        the net ends with what came last, and BatchNorm's means are those of single classes.

    How it is measured:
        How often neighbours within a batch share their class, against what shuffling gives, in standard errors; for
        real targets the correlation of neighbours. It is called a problem when, besides, the last evaluation lies
        below what the nearest neighbours of the samples reach, or the loss did not fall as it should.

    When it is harmless:
        Batches that hold nearly the whole set; small steps, many epochs and classes that are easy; windows of a series
        that are read in the order of time, a curriculum, batches made of samples of like length.

    What to do:
        1. `DataLoader(…, shuffle=True)`; for a stream a buffer of ten batches or more.
        2. Several processes: `DistributedSampler` with `set_epoch` in every epoch.
        3. A series: cut the windows first and split by time, then shuffle those of training.

    References:
        Bengio 2012 (practical recommendations); McCloskey & Cohen 1989 (catastrophic interference).
    """

    score: float = limit(5.0, "standard errors", RANGE)
    alike: float = limit(0.2, "1", RANGE)
    strongly: float = limit(0.5, "1", RANGE)
    learned: float = limit(0.5, "1", RANGE, "below")
    shortfall: float = limit(0.02, "1", RANGE)

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    measures: ClassVar[dict[str, str]] = {
        "order_score": "how far neighbours in a batch are from shuffled ones",
        "order_excess": "how alike they are, from 0 (shuffled) to 1 (the same)",
        "shortfall": "by how much validation lies below what nearest neighbours reach, at least (95 %)",
        "reached": "share of the loss that is gone, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "classes": "Samples of one class follow each other.",
        "values": "Samples of like targets follow each other.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the order, then how the run ended."""
        told = self._order(recording)
        if not told:
            return
        result, short = outcome(recording), short_of_neighbours(recording)
        # Pure batches of real and of faked samples are what a discriminator trains on: a few steps decide nothing.
        few = recording.steps < FEWEST and told[1].observed >= 1
        harm = (hurts(result, self.learned) or short > self.shortfall) and not few
        ended = (
            Evidence("shortfall", "", short, self.shortfall, "1"),
            Evidence("reached", "", result.reached, self.learned, "1", "below"),
        )
        yield self._finding(recording, "problem" if harm else "observation", severity(result), (*told, *ended))

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge the order alone."""
        told = self._order(recording)
        if told:
            level: Level = "problem" if told[1].observed > self.strongly else "observation"
            yield self._finding(recording, level, 0.5, told)

    def _order(self, recording: Recording) -> tuple[Evidence, ...]:
        """What tells that neighbours are alike; nothing where they are not."""
        order = card(recording, "order")
        excess = _excess(recording)
        if not (order["score"] > self.score and excess > self.alike):
            return ()
        return (
            Evidence("order_score", "", float(order["score"]), self.score, "standard errors"),
            Evidence("order_excess", "", excess, self.alike, "1"),
        )

    def _finding(self, recording: Recording, level: Level, weight: float, told: tuple[Evidence, ...]) -> Finding:
        return Finding(
            problem=self.id(),
            level=level,
            severity=max(0.5, weight) if level == "problem" else 0.2,
            confidence=0.9,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=told,
            cause="classes" if card(recording, "order")["expected"] else "values",
        )


def _excess(recording: Recording) -> float:
    order = card(recording, "order")
    return float((order["alike"] - order["expected"]) / max(1e-9, 1 - order["expected"]))


def in_order(recording: Recording) -> bool:
    """Whether the training samples come in an order of their own, as far as it was seen."""
    return bool(recording.facts.get("data", {}).get("order")) and any(UnshuffledData()._order(recording))
