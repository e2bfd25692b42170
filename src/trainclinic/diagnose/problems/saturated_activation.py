"""saturated-activation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Layer, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class SaturatedActivation(Problem):
    """Most units of hidden layers sit where their sigmoid or tanh is flat.

    What it is:
        Sigmoid and tanh change little for large |z|: their derivative there is close to 0. A unit whose inputs keep it
        there passes the same number on whatever comes in, and no gradient back.

    Why training suffers:
        The backward signal is multiplied with that derivative, so the weights below a saturated layer get almost
        none of it, and the unit itself cannot find its way back.

    How it is measured:
        The share of values whose |φ'(z)| is below a tenth of the steepest slope (sigmoid: |z| > 3.7, tanh: |z| > 1.8),
        in every layer but the output, over the run: it counts when it is exceeded in most of the samples.

    When it is harmless:
        The output of a confident classifier, the gates of an LSTM, attention that should be sharp, and binary codes
        are saturated because they should be.

    What to do:
        1. Standardize the inputs.
        2. Xavier initialization, with gain 5/3 for tanh and 1 for sigmoid.
        3. BatchNorm or LayerNorm before the activation function.
        4. ReLU or GELU instead.
        5. Where it grew during training: a third of the learning rate, and some weight decay.

    References:
        Glorot & Bengio 2010; LeCun et al. 1998 (Efficient BackProp); Rakitianskaia & Engelbrecht 2015 (measuring
        saturation).
    """

    share: float = limit(0.5, "1", RANGE)
    persistence: float = limit(0.8, "1", RANGE)
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("saturated_share", "activation_derivative", "loss")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "learned": "share of the loss that training removed, in training and validation"
    }
    causes: ClassVar[dict[str, str]] = {
        "saturated from the start": "The units were on the flat part before the first step.",
        "saturated while training": "The units were driven onto the flat part while training.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge each hidden layer with a bounded activation function."""
        layers = _hidden(recording)
        if not layers:
            raise NotExaminedError("no sigmoid or tanh was seen in a hidden layer")
        flat = [layer for layer in layers if self._persists(recording, layer.name)]
        if not flat:
            return
        result = outcome(recording)
        harm = hurts(result, self.learned)
        first = np.median([recording.series("saturated_share", layer.name).values[0] for layer in flat])
        evidence = [
            Evidence("saturated_share", layer.name, _median(recording, layer.name), self.share, "1")
            for layer in flat[:3]
        ]
        evidence.append(
            Evidence(
                "activation_derivative",
                flat[0].name,
                recording.series("activation_derivative", flat[0].name).late(),
                math.nan,
                "1",
                "below",
            )
        )
        steps = recording.series("saturated_share", flat[0].name).steps
        yield Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result),
            confidence=0.8,
            layers=tuple(layer.name for layer in flat),
            steps=(int(steps[0]), int(steps[-1])),
            evidence=(*evidence, Evidence("learned", "", result.reached, self.learned, "1", "below")),
            cause="saturated from the start" if first > self.share else "saturated while training",
        )

    def _persists(self, recording: Recording, layer: str) -> bool:
        values = recording.series("saturated_share", layer).values
        late = values[len(values) // 2 :]
        return bool(np.mean(late > self.share) >= self.persistence)


def _hidden(recording: Recording) -> list[Layer]:
    """Bounded activations that are followed by a layer with weights."""
    weights = [layer.position for layer in recording.layers if layer.role == "weight" and layer.shape]
    last = max(weights, default=-1)
    return [layer for layer in recording.measured("saturated_share") if layer.position < last]


def _median(recording: Recording, layer: str) -> float:
    return float(np.median(recording.series("saturated_share", layer).values))
