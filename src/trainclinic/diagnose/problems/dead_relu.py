"""dead-relu."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"


@dataclass(frozen=True)
class DeadRelu(Problem):
    """Units of a ReLU are zero for every sample, get no gradient, and cannot come back.

    What it is:
        A ReLU passes on 0 where its input is negative. A unit whose input is negative for every sample is dead: its
        output never changes, and neither do the weights that lead to it.

    Why training suffers:
        A layer with many dead units is a narrower layer. One whose units are all dead cuts the net in two: nothing
        below it learns, and everything above it sees a constant.

    How it is measured:
        Per unit (per channel in a convolution, over all positions): zero for each of at least 3,000 samples, or of
        the whole training set where it is smaller. By the rule of three such a unit fires for fewer than 0.1 % of
        samples, with 95 % confidence. Half the *values* of a healthy ReLU are zero; that is not counted.

    When it is harmless:
        Some dead units are common in wide and in deep nets that train well; a third of them was seen to do no harm.
        Sparse activity in large transformers is not death: each unit fires for some input.

    What to do:
        1. A tenth of the learning rate, or warm-up: most units die in the first steps.
        2. He initialization, biases 0.
        3. LeakyReLU, ELU or GELU instead of ReLU.
        4. BatchNorm before the ReLU; standardized inputs.

    References:
        Maas, Hannun & Ng 2013 (LeakyReLU); He et al. 2015; Lu et al. 2020 (dying ReLU and initialization).
    """

    fraction: float = limit(0.5, "1", RANGE)
    severed: float = limit(0.7, "1", RANGE)
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("dead_unit_fraction", "activation_derivative", "loss")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "first_active": "share of active values before the first update",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "dead from the start": "The units were silent before the first update: a bias, the initialization or the "
        "input keeps them below zero.",
        "died while training": "The units died while training: an update threw their inputs below zero for good.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge every ReLU by its latest window of samples."""
        layers = recording.measured("dead_unit_fraction")
        if not layers:
            if any(layer.kind == "relu" for layer in recording.layers):
                raise NotExaminedError("too few samples were seen to tell a dead unit from a quiet one")
            raise NotExaminedError("no ReLU was seen")
        latest = {layer.name: recording.series("dead_unit_fraction", layer.name) for layer in layers}
        dead = [name for name, series in latest.items() if series.values[-1] > self.fraction]
        if not dead:
            return
        result = outcome(recording)
        worst = max(dead, key=lambda name: float(latest[name].values[-1]))
        # One thin layer with half its units dead is seen in nets that train well; the net must be cut or thin all over.
        cut = latest[worst].values[-1] > self.severed or 2 * len(dead) > len(layers)
        harm = cut and hurts(result, self.learned, neighbours=False)
        active = recording.series("activation_derivative", worst).values[:1]
        evidence = [
            Evidence("dead_unit_fraction", name, float(latest[name].values[-1]), self.fraction, "1")
            for name in sorted(dead, key=lambda name: -float(latest[name].values[-1]))[:3]
        ]
        if len(active):
            evidence.append(Evidence("first_active", worst, float(active[0]), 0.0, "1", "equal"))
        yield Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result),
            confidence=0.9 if latest[worst].values[-1] == 1 else 0.7,
            layers=tuple(dead),
            steps=(int(latest[worst].steps[0]), int(latest[worst].steps[-1])),
            evidence=(*evidence, Evidence("learned", "", result.reached, self.learned, "1", "below")),
            cause="dead from the start" if len(active) and active[0] < 0.01 else "died while training",
        )
