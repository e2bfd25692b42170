"""batchnorm-small-batch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class BatchnormSmallBatch(Problem):
    """BatchNorm takes its means over so few values that they are mostly noise.

    What it is:
        In training BatchNorm subtracts the mean of the batch and divides by its deviation; in eval mode it uses
        running averages. Over two or four values a mean is a coin toss: the two modes compute different functions.

    Why training suffers:
        Every sample is shifted and scaled by its accidental neighbours. The network learns to live with that noise,
        and in eval mode, without it, it answers differently from what it was trained for. Of two values BatchNorm
        leaves only which one is larger.

    How it is measured:
        Exactly: the most values a mean was taken over, batch size times positions, in each BatchNorm layer in train
        mode, and the samples of a batch: the positions of one picture are alike, and two pictures are not many however
        many positions they have. A last batch that is small does not count. It is called a problem where the loss did
        not fall as it should, in training or in validation. Before a training, where that is not known yet, fewer than
        four samples are one.

    When it is harmless:
        In convolutions a small batch has many positions: eight pictures of 8 × 8 are 512 values. As a deliberate noise
        at 16 values and more. In eval mode on purpose (frozen BatchNorm) nothing is averaged.

    What to do:
        1. A larger batch, of 32 and more. Accumulating gradients does not help: the means stay those of the small
           batch.
        2. GroupNorm or LayerNorm instead, which do not look at the batch.
        3. SyncBatchNorm where a batch is spread over several devices.

    References:
        Ioffe & Szegedy 2015 (BatchNorm); Ioffe 2017 (batch renormalization); Wu & He 2018 (group normalization).
    """

    values: int = limit(8, "1", RANGE, "below")
    samples: int = limit(4, "rows", RANGE, "below")
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "values_per_mean": "values that a mean is taken over",
        "batch_size": "samples in a batch",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "": "The means and deviations that BatchNorm takes in training are those of a handful of values.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Count what a mean is taken over."""
        counts = recording.facts.get("batch_norm")
        if counts is None:
            raise NotExaminedError("the recording does not say what BatchNorm took its means over")
        size = _samples(recording)
        few = {name: count for name, count in counts.items() if count < self.values or size < self.samples}
        if not few:
            return
        result = outcome(recording)
        yield self._finding(recording, few, harm=hurts(result, self.learned) and result.finite)

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Count the samples, too: before a training there is no outcome that would tell whether they are too few."""
        counts, size = recording.facts.get("batch_norm"), _samples(recording)
        if counts and size < self.samples:
            yield self._finding(recording, counts, harm=True)
        else:
            yield from self.find(recording)

    def _finding(self, recording: Recording, few: dict[str, int], *, harm: bool) -> Finding:
        result = outcome(recording)
        size = float(recording.facts.get("batch_size") or math.nan)
        worst = min(few, key=lambda name: few[name])
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result) if harm else 0.2,
            confidence=0.9,
            layers=tuple(few),
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence("values_per_mean", worst, float(few[worst]), float(self.values), "1", "below"),
                Evidence("batch_size", "", size, float(self.samples), "rows", "below"),
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
        )


def _samples(recording: Recording) -> float:
    """Of a batch; NaN where the first dimension of the input may be something else: an edge's ends, time, one graph.

    It is none of these where there is one target for each.
    """
    inputs, shape = recording.facts.get("inputs", {}), recording.facts.get("inputs", {}).get("shape", ())
    rows = inputs.get("kind") == "float" and len(shape) != 3
    rows = rows or list(recording.facts.get("targets", {}).get("shape", ())) == [*shape[:1]] != []
    return float(recording.facts.get("batch_size") or math.nan) if rows else math.nan
