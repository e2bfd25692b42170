"""underfitting."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.outcome import late_fall, outcome, scores
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Layer, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class Underfitting(Problem):
    """The network is too small, or of the wrong kind, for what the data hold.

    What it is:
        Training has come to rest, on the training set as on new data, and the answers are still worse than those of a
        simple method: to answer like the five most similar training samples.

    Why training suffers:
        It does not: the optimizer found what this network can represent. One line cannot part two spirals, and a layer
        of two units cannot pass on ten classes.

    How it is measured:
        Accuracy (or R²) in validation against that of nearest neighbours on the same samples; the loss, which must have
        come to rest; validation and training loss, which must be close together. What else is wrong with the training
        explains it and comes first.

    When it is harmless:
        Where the labels are noisy neighbours are no better, and nothing is reported. A linear model may be meant.

    What to do:
        1. More units, more layers (with residual connections), no bottleneck.
        2. Another kind of network: convolutions for pictures, attention or recurrence for sequences.
        3. Less regularization.
        4. Better features, or embeddings for categories.

    References:
        Goodfellow, Bengio & Courville 2016 (deep learning, 5.2 and 11.3); Cover & Hart 1967 (nearest neighbours).
    """

    shortfall: float = limit(0.08, "1", RANGE)
    errors: float = limit(3.0, "1", RANGE)
    fall: float = limit(0.2, "1", RANGE, "below")
    gap: float = limit(2.5, "1", RANGE, "below")
    steps: int = limit(200, "step", RANGE, "equal")

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss", "batch_accuracy")
    measures: ClassVar[dict[str, str]] = {
        "shortfall": "what nearest neighbours reach beyond the network, in validation",
        "of_neighbours": "accuracy or R² of nearest neighbours",
        "of_network": "accuracy or R² of the network",
        "errors": "that shortfall, in standard errors",
        "late_fall": "fall of the loss over the last two fifths of the run",
        "gap": "validation loss against the training loss",
        "narrowest": "units of the narrowest hidden layer",
    }
    causes: ClassVar[dict[str, str]] = {
        "narrow layer": "Training has come to rest, and a look at similar samples still answers better: one layer has "
        "fewer units than there are outputs, and lets too little of the input through.",
        "": "Training has come to rest, and a look at similar samples still answers better: the network cannot "
        "represent what the data hold.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Compare the network with its samples' nearest neighbours."""
        if recording.steps < self.steps:
            raise NotExaminedError(f"at least {self.steps} steps are needed to tell rest from a slow start")
        network, neighbours, error = scores(recording)
        if math.isnan(network) or math.isnan(neighbours):
            raise NotExaminedError(
                "neither accuracy nor R² in validation, or no neighbours to compare it with, were seen"
            )
        shortfall = neighbours - network
        fall = late_fall(recording)
        result = outcome(recording)
        gap = recording.series("validation_loss").late() / result.last if result.last > 0 else math.nan
        rests = fall < self.fall and not result.diverged
        if not (shortfall > self.shortfall and shortfall > self.errors * error and rests and gap < self.gap):
            return
        narrowest = _narrowest(recording)
        yield Finding(
            problem=self.id(),
            level="problem",
            severity=float(min(1.0, 0.3 + shortfall)),
            confidence=0.7,
            layers=(narrowest.name,) if narrowest else (),
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence("shortfall", "", shortfall, self.shortfall, "1"),
                Evidence("of_neighbours", "", neighbours, math.nan, "1"),
                Evidence("of_network", "", network, math.nan, "1", "below"),
                Evidence("errors", "", shortfall / error if error > 0 else math.inf, self.errors, "1"),
                Evidence("late_fall", "", fall, self.fall, "1", "below"),
                Evidence("gap", "", gap, self.gap, "1", "below"),
                *_width(narrowest),
            ),
            cause="narrow layer" if narrowest else "",
        )


def _narrowest(recording: Recording) -> Layer | None:
    """The narrowest hidden layer, where it is narrower than both the input and the output; None where none is."""
    weights = [layer for layer in recording.layers if layer.role == "weight" and layer.shape]
    hidden = min(weights[:-1], key=lambda layer: layer.shape[0], default=None)
    return hidden if hidden and hidden.shape[0] < min(weights[-1].shape[0], weights[0].shape[-1]) else None


def _width(layer: Layer | None) -> tuple[Evidence, ...]:
    return (Evidence("narrowest", layer.name, float(layer.shape[0]), math.nan, "1", "below"),) if layer else ()
