"""over-regularized."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from trainclinic.diagnose.outcome import Outcome, hurts, outcome, severity, validation_learned
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Layer, Recording, Series
from trainclinic.records import Evidence, Finding, Level

RANGE = "benchmarks/results/limits.json"
DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not
EARLY = 0.2  # of the run: at the optimum of a penalised loss decay and gradient balance by definition


@dataclass(frozen=True)
class OverRegularized(Problem):
    """Weight decay or dropout is so strong that the network cannot learn even what it is shown.

    What it is:
        Regularization holds a network back from learning the training set by heart. Too much of it holds it back from
        learning at all.

    Why training suffers:
        Strong decay pulls the weights to zero faster than the gradient can raise them: the outputs shrink to a guess.
        Dropout at 0.8 or 0.9 leaves each unit a tenth of its input, another one at every step.

    How it is measured:
        Decay: its pull on each layer's weights against the loss's own, in the first fifth of the run (later the two
        balance wherever there is decay at all), and the weights' size at the end against the start. Dropout: the
        share that is dropped, and the training loss, taken with dropout, against the validation loss, taken without;
        of a network that learned next to nothing the two are alike, and 0.8 dropped is enough.
        A penalty written into the loss: whether the autograd graph leads from the loss to the weights directly, and the
        training loss against the validation loss. It is called a problem only where the loss did not fall as it should.

    When it is harmless:
        Wherever the loss falls all the same. In front of a normalization the weights' size does not matter: there decay
        only sets the effective learning rate.

    What to do:
        1. A tenth of the weight decay; none on biases and normalization.
        2. Dropout of 0.1 to 0.5, not in front of the output.
        3. AdamW instead of Adam with weight_decay, which is another thing.
        4. Milder augmentation; label smoothing of 0.05.

    References:
        Krogh & Hertz 1992 (weight decay); Srivastava et al. 2014 (dropout); van Laarhoven 2017 (decay and
        normalization); Loshchilov & Hutter 2019 (AdamW).
    """

    pull: float = limit(0.85, "1", RANGE)
    weights: float = limit(0.4, "1", RANGE, "below")
    dropout: float = limit(0.6, "1", RANGE)
    mode_gap: float = limit(1.1, "1", RANGE)
    penalty: float = limit(1.5, "1", DEVELOPMENT)
    usual: float = limit(0.1, "1", "Loshchilov & Hutter 2019")
    most: float = limit(0.8, "1", "Srivastava et al. 2014, 7.3")
    learned: float = limit(0.7, "1", RANGE, "below")
    outweighed: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("weight_rms", "gradient_rms", "update_ratio", "learning_rate", "loss")
    measures: ClassVar[dict[str, str]] = {
        "early_pull": "pull of the decay against that of the loss, in the first fifth of the run, median over layers",
        "weights_left": "size of the weights at the end against the start, median over layers",
        "dropped": "largest share that a dropout layer drops",
        "mode_gap": "training loss, with dropout or penalty, against the validation loss, without",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "weight decay": "Weight decay pulls the weights to zero more strongly than the loss can raise them.",
        "decay of long steps": "Weight decay is a part of every step, here of the usual strength; the steps are so "
        "long that it takes the weights.",
        "penalty": "The loss has a term of the weights' own size, and that is a large part of it.",
        "much dropout": "Dropout takes away most of what every layer says.",
        "dropout": "Dropout takes away so much that what is left does not suffice to learn from.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Weigh the decay, then the dropout."""
        groups, modes = recording.facts.get("weight_decay"), recording.facts.get("modes", {})
        if groups is None:
            raise NotExaminedError("the recording does not say what the optimizer's weight decay was")
        result = outcome(recording)
        dropped = max((module.get("dropout", 0.0) for module in modes.get("sensitive", [])), default=0.0)
        if not hurts(result, self.outweighed) or not result.finite:
            if dropped >= self.most:
                much = Evidence("dropped", "", dropped, self.most, "1")
                yield self._finding(recording, result, "much dropout", (much,), "observation")
            return
        pull, left = _decay(recording)
        badly = hurts(result, self.learned)
        if pull >= self.pull and left <= self.weights and badly:
            evidence = (
                Evidence("early_pull", "", pull, self.pull, "1"),
                Evidence("weights_left", "", left, self.weights, "1", "below"),
            )
            usual = groups[_strongest(groups)]
            long = usual["decoupled"] and usual["weight_decay"] <= self.usual
            yield self._finding(recording, result, "decay of long steps" if long else "weight decay", evidence)
            return
        validation = recording.series("validation_loss").late()
        gap = result.last / validation if validation > 0 else math.nan
        held = validation_learned(recording, result.chance)
        penalty = recording.facts.get("loss", {}).get("penalty")
        if penalty and held < self.outweighed and (gap >= self.penalty or left <= self.weights):
            weighed = (
                Evidence("mode_gap", "", gap, self.penalty, "1"),
                Evidence("weights_left", "", left, self.weights, "1", "below"),
            )
            yield self._finding(recording, replace(result, reached=held), "penalty", weighed)
            return
        if dropped >= self.most or (badly and dropped >= self.dropout and (gap >= self.mode_gap or math.isnan(gap))):
            told = (
                Evidence("dropped", "", dropped, self.dropout, "1"),
                Evidence("mode_gap", "", gap, self.mode_gap, "1"),
            )
            yield self._finding(recording, result, "dropout", told)

    def _finding(
        self,
        recording: Recording,
        result: Outcome,
        cause: str,
        evidence: tuple[Evidence, ...],
        level: Level = "problem",
    ) -> Finding:
        return Finding(
            problem=self.id(),
            level=level,
            severity=severity(result),
            confidence=0.8,
            layers=(),
            steps=(0, recording.steps - 1),
            evidence=(*evidence, Evidence("learned", "", result.reached, self.learned, "1", "below")),
            cause=cause,
        )


def _decay(recording: Recording) -> tuple[float, float]:
    """Pull of the decay against the loss's, early; size of the weights late against early; medians over layers."""
    pulls, left = [], []
    for layer in recording.measured("weight_rms"):
        pull = _pull(recording, layer)
        size = recording.series("weight_rms", layer.name)
        if math.isfinite(pull) and size.early(1) > 0:
            pulls.append(pull)
            left.append(size.late() / size.early(1))
    return (float(np.median(pulls)), float(np.median(left))) if pulls else (math.nan, math.nan)


def _strongest(groups: list[dict[str, Any]]) -> int:
    return max(range(len(groups)), key=lambda number: groups[number]["weight_decay"])


def _pull(recording: Recording, layer: Layer) -> float:
    """Of the strongest group's decay, on one layer's weights: against the gradient, or against the update.

    Decay that is part of the gradient: λ‖w‖ against ‖g‖. Decoupled decay: ηλ against ‖Δw‖/‖w‖, of which it is a part.
    """
    groups = recording.facts["weight_decay"]
    index = _strongest(groups)
    strength = groups[index]["weight_decay"]
    if not strength:
        return 0.0
    if groups[index]["decoupled"]:
        rate = recording.series("learning_rate", f"group {index}")
        update = recording.series("update_ratio", layer.name)
        return strength * _early(rate) / _early(update) if _early(update) > 0 else math.nan
    weights, gradient = recording.series("weight_rms", layer.name), recording.series("gradient_rms", layer.name)
    return strength * _early(weights) / _early(gradient) if _early(gradient) > 0 else math.nan


def _early(series: Series) -> float:
    if not series:
        return math.nan
    values = series.values[series.steps <= EARLY * series.steps[-1]]
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else math.nan
