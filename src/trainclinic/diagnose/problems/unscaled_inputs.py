"""unscaled-inputs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
_NORMALIZES = ("BatchNorm", "LayerNorm", "InstanceNorm", "GroupNorm", "RMSNorm")


@dataclass(frozen=True)
class UnscaledInputs(Problem):
    """The input features are far from mean 0 and deviation 1, or of very different size.

    What it is:
        Pixels from 0 to 255, incomes beside ages, temperatures in kelvin: numbers as they were stored.

    Why training suffers:
        The gradient of a weight is proportional to its input. With large inputs every step of the first layer is
        huge; with features of very different size no learning rate fits all of them. Units saturate or die at once.

    How it is measured:
        Mean and deviation of each feature over the first samples: offset |mean|/deviation, deviation itself, largest
        deviation against the median one. It is called a problem only when the first layer's output is out of scale,
        too, and the loss did not fall as it should. Inputs that are scaled inside the model are seen as harmless that
        way.

    When it is harmless:
        Token numbers for an embedding, one-hot and sparse features, a BatchNorm or LayerNorm as the first layer; and
        often under Adam, which rescales each weight's step.

    What to do:
        1. Subtract the mean and divide by the deviation of the *training* set, feature by feature; keep both with the
           model.
        2. Images: divide by 255, then standardize per channel.
        3. Heavy tails: a logarithm first.
        4. Where the data cannot be touched: BatchNorm as the first layer.

    References:
        LeCun et al. 1998 (Efficient BackProp).
    """

    offset: float = limit(5.0, "1", RANGE)
    largest: float = limit(10.0, "1", RANGE)
    smallest: float = limit(0.01, "1", RANGE, "below")
    spread: float = limit(100.0, "1", RANGE)
    share: float = limit(0.2, "1", RANGE)
    output_low: float = limit(0.1, "1", RANGE, "below")
    output_high: float = limit(10.0, "1", RANGE)
    far: float = limit(100.0, "1", RANGE)
    seen: float = limit(0.05, "1", RANGE, "below")
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("activation_rms", "loss")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "feature_std": "median deviation of the input features",
        "feature_offset": "median |mean| / deviation of the input features",
        "feature_spread": "largest deviation of a feature against the median one",
        "first_output": "RMS of the first layer's output at the start",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "too large": "The inputs are far larger than 1, and with them the gradients of the first layer.",
        "too small": "The inputs are far smaller than 1, so that the first layer hardly sees them.",
        "very different": "Some features are hundreds of times larger than others.",
        "off center": "The inputs lie far from 0 compared with their deviation.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the features, then whether it matters."""
        inputs = recording.facts.get("inputs", {})
        if "features" not in inputs:
            raise NotExaminedError("the model's input was not seen as a tensor of numbers")
        first = str(recording.facts.get("first_module", ""))
        if first.startswith(_NORMALIZES) or (first.startswith("Embedding") and inputs["kind"] == "integer"):
            return
        scale = _scale(inputs["features"])
        cause = self._cause(scale) if len(scale["std"]) else ""
        if not cause:
            return
        result = outcome(recording)
        weights = [
            layer  # a table takes the number of a row, whose size means nothing
            for layer in recording.measured("activation_rms")
            if layer.role == "weight" and "Embedding" not in layer.kind
        ]
        output = recording.series("activation_rms", weights[0].name).early(1) if weights else math.nan
        strange = not self.output_low <= output <= self.output_high
        # Biases alone can give an output its size: then samples do not differ in it.
        strange = strange or (cause == "too small" and recording.facts.get("first_spread", 1.0) < self.seen)
        size = float(np.median(scale["std"]))
        # What comes before the first layer may hide the size of its input: a scaling, which is fine, or a sine.
        lost = not result.reached > 0
        strange = strange or (bool(weights) and lost and (size > self.far or size * self.far < 1))
        harm = strange and hurts(result, self.learned)
        yield Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result) if harm else 0.2,
            confidence=0.9 if strange else 0.5,
            layers=(weights[0].name,) if weights else (),
            steps=(0, recording.steps - 1),
            evidence=(
                self._telling(scale, cause),
                Evidence("first_output", weights[0].name if weights else "", output, self.output_high, "1"),
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
            cause=cause,
        )

    def _telling(self, scale: dict[str, Floats], cause: str) -> Evidence:
        """The one number that the cause stands for."""
        if cause == "too small":
            return Evidence("feature_std", "", float(np.median(scale["std"])), self.smallest, "1", "below")
        if cause == "very different":
            return Evidence("feature_spread", "", _spread(scale["std"]), self.spread, "1")
        if cause == "off center":
            return Evidence("feature_offset", "", float(np.median(scale["offset"])), self.offset, "1")
        return Evidence("feature_std", "", float(np.median(scale["std"])), self.largest, "1")

    def _cause(self, scale: dict[str, Floats]) -> str:
        if np.mean(scale["std"] > self.largest) > self.share:
            return "too large"
        if np.mean(scale["std"] < self.smallest) > self.share:
            return "too small"
        if _spread(scale["std"]) > self.spread:
            return "very different"
        return "off center" if np.mean(scale["offset"] > self.offset) > self.share else ""


def _scale(features: dict[str, list[float]]) -> dict[str, Floats]:
    """Deviation of the features that vary; offset of those that vary as much as features here usually do."""
    mean, std = np.array(features["mean"]), np.array(features["std"])
    usual = std >= 0.1 * np.median(std[std > 0]) if (std > 0).any() else std > 0
    return {"std": std[std > 0], "offset": np.abs(mean[usual]) / np.maximum(std[usual], 1e-30)}


def _spread(std: Floats) -> float:
    """Against the median, not the smallest: a feature that hardly varies does no harm, one that dwarfs others does."""
    return float(std.max() / np.median(std)) if len(std) else 1.0
