"""constant-feature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainclinic.diagnose.card import card
from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
CHECKUPS = "benchmarks/diagnosis_checkup.py --development"

FEWEST = 20  # rows


@dataclass(frozen=True)
class ConstantFeature(Problem):
    """Input features hold the same number in every sample.

    What it is:
        A sensor that was off, a join that found nothing, a column read as text and filled with zeros; or one that
        stands still in training and moves afterwards.

    Why training suffers:
        What the column should have told is missing. A weight on a feature that never moves is not taught: when the
        feature moves in validation, an untrained weight multiplies it. And whoever divides by its deviation, which is
        0, gets millions as soon as it moves.

    How it is measured:
        Exactly: features with one value over up to 2,000 training rows, and those of them that move in validation: in
        how many rows, and how far, in deviations of a usual feature. It is called a problem when the loss, in training
        or validation, did not fall as it should; before a training, where they are no border of a picture and no
        padding, which two in five of a series' channels that stand still all the time are not.

    When it is harmless:
        The border of images (not most of the picture, nor stripes of it), padding, rare categories coded as columns of
        their own: a few columns that stand still in both sets, beside others that tell enough.

    What to do:
        1. Look where the column comes from: the join, the parser, the sensor.
        2. Leave it out, or fill it and add a column that says so.
        3. Standardise with a floor: divide by max(deviation, 0.05 of a usual one).

    References:
        Sculley et al. 2015 (data dependencies); scikit-learn's StandardScaler, which leaves such a column alone.
    """

    share: float = limit(0.3, "1", RANGE)
    channels: float = limit(0.4, "1", CHECKUPS)
    most: float = limit(0.6, "1", RANGE)
    moved: float = limit(0.5, "1", RANGE)
    farthest: float = limit(1000.0, "1", RANGE)
    learned: float = limit(0.8, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    in_the_rows: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "constant_share": "share of the input features that hold one value in all training rows",
        "moved": "share of the validation rows in which a feature moves that stood still in training",
        "farthest": "how far it moves, in deviations of a usual feature",
        "reached": "share of the loss that is gone, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "divided by zero": "A feature that stands still in training takes enormous values in validation: it was "
        "divided by a deviation of 0.",
        "moves in validation": "A feature that stands still in training moves in validation, where a weight that was "
        "never taught multiplies it.",
        "columns": "Many input features hold the same number in every sample.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the features, then how the run ended."""
        cause, told = self._features(recording)
        if not cause:
            return
        result = outcome(recording)
        harm = hurts(result, self.learned, neighbours=False) and not (cause == "columns" and self._borders(recording))
        yield Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=max(0.5, severity(result)) if harm else 0.2,
            confidence=0.7 if cause == "columns" else 0.9,
            layers=(),
            steps=(0, recording.steps - 1),
            evidence=(told, Evidence("reached", "", result.reached, self.learned, "1", "below")),
            cause=cause,
        )

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """Judge the features alone: no outcome tells whether what the others say is enough."""
        cause, told = self._features(recording)
        if cause:
            still = card(recording, "training").get("channels", 0.0)
            channels = still > self.channels and recording.facts.get("inputs", {}).get("kind") == "float"
            harmless = cause == "columns" and self._borders(recording) and not channels
            yield Finding(
                self.id(), "observation" if harmless else "problem", 0.5, 0.7, (), (0, 0), (told,), cause=cause
            )

    def _borders(self, recording: Recording) -> bool:
        """Whether what stands still may be the border of pictures, or padding."""
        inputs, rows = recording.facts.get("inputs", {}), card(recording, "training")
        dimensions = len(inputs.get("shape", ()))
        if dimensions > 3 and rows["constant"] > self.most:
            return False
        spread_out = dimensions > 2 or inputs.get("kind") == "integer"
        return spread_out and not rows.get("inside", 0.0) > self.share

    def _features(self, recording: Recording) -> tuple[str, Evidence]:
        """What is wrong with them, and what tells it."""
        rows = card(recording, "training")
        if rows["rows"] < FEWEST:
            raise NotExaminedError(f"fewer than {FEWEST} rows were seen: too few to tell what never differs")
        held: dict[str, Any] = recording.facts["data"].get("validation", {})
        share = max(float(rows["constant"]), _nearly_constant(recording))
        columns = Evidence("constant_share", "", share, self.share, "1")
        if held.get("farthest", 0.0) > self.farthest:
            return "divided by zero", Evidence("farthest", "", held["farthest"], self.farthest, "1")
        if held.get("moved", 0.0) > self.moved:
            return "moves in validation", Evidence("moved", "", held["moved"], self.moved, "1")
        return "columns" if share > self.share else "", columns


def _nearly_constant(recording: Recording) -> float:
    """Share of a table's features whose deviation is what rounding leaves."""
    inputs = recording.facts.get("inputs", {})
    features = inputs.get("features", {})
    if inputs.get("kind") != "float" or len(inputs["shape"]) != 2 or not features:
        return 0.0
    low, high = np.array(features["min"]), np.array(features["max"])
    with np.errstate(invalid="ignore"):
        return float(np.mean(high - low <= 1e-6 * np.maximum(np.abs(low), np.abs(high))))
