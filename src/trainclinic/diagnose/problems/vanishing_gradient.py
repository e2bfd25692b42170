"""vanishing-gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.chain import Link, Slope, chain, hidden, reach, slope
from trainclinic.diagnose.outcome import SOME, Outcome, hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.diagnose.rehearsed import learned, rehearsal
from trainclinic.recording import Layer, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
CHECKUPS = "benchmarks/diagnosis_checkup.py --development"


@dataclass(frozen=True)
class VanishingGradient(Problem):
    """The training signal shrinks on its way back, so that the first layers hardly learn.

    What it is:
        Backpropagation multiplies the signal, layer by layer, with the weights and with the derivative of the
        activation function. Where the product of a layer's gain and its mean |φ'| stays below 1, the signal shrinks
        geometrically with depth. The sigmoid's derivative is at most 0.25, so n layers leave at most 0.25ⁿ of it
        when the weights keep their size.

    Why training suffers:
        The first layers turn the input into features. Without a signal they stay as they were drawn at random, and
        the layers above learn from noise: the loss stays at the value of a guess.

    How it is measured:
        The RMS of the backward signal at the output of every layer with weights, on a log scale against the layer's
        number: slope [decades per layer] and span from the last hidden layer to the first [decades]. RMS does not
        depend on the layer's size, and unlike the weights' own gradients it is not hidden by a forward signal that
        shrinks as well. Of a layer that is called once per time step, what is left after all its calls. It is called a
        problem only where the loss did not fall as it should; before a training, where a batch was not fitted as it
        should be, unless less than five decades are lost, the first layers' updates are nearly as large as the last
        ones', a tenth of the loss is gone, and a rehearsal learned something, or there was none and the optimizer is
        not SGD.

    When it is harmless:
        Adam and its kin rescale every weight's gradient and often train in spite of two to five decades. PyTorch's
        own initialization of a ReLU net loses 0.39 decades per layer and trains well up to about ten layers.

    What to do:
        1. Replace sigmoid or tanh between layers by ReLU or GELU, with He initialization.
        2. Add normalization: BatchNorm after the linear layer, or LayerNorm in front of the block.
        3. Add residual connections, x + f(x).
        4. For sequences: LSTM or GRU with a forget-gate bias of 1.
        A larger learning rate or gradient clipping does not cure it.

    References:
        Hochreiter 1991; Bengio, Simard & Frasconi 1994; Glorot & Bengio 2010; He et al. 2015 (initialization);
        Ioffe & Szegedy 2015 (BatchNorm); He et al. 2016 (residual connections).
    """

    span: float = limit(-3.0, "decades", RANGE, "below")
    fit: float = limit(0.8, "1", RANGE)
    layers: int = limit(4, "1", RANGE, "equal")
    call_span: float = limit(-6.0, "decades", RANGE, "below")
    in_time: float = limit(0.91, "1", RANGE, "below")
    update_share: float = limit(1e-2, "1", RANGE, "below")
    learned: float = limit(0.9, "1", RANGE, "below")
    in_spite: float = limit(-5.0, "decades", CHECKUPS, "below")

    reads: ClassVar[tuple[str, ...]] = (
        "backward_rms", "backward_call_span", "activation_derivative", "weight_gain", "update_ratio", "loss",
    )  # fmt: skip
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "backward_span": "backward signal, first against last hidden layer",
        "backward_slope": "backward signal lost from layer to layer",
        "mean_derivative": "mean |φ'(z)| of the activations",
        "mean_gain": "mean gain of the weights",
        "update_share": "update ratio of the first layers against the last",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "squashing activation": "The activation function flattens everything: its derivative is far below 1 even where "
        "it is steepest, and every layer multiplies the gradient with it.",
        "saturation": "Most units sit on the flat part of their activation function, where its derivative is close "
        "to 0.",
        "initialization too small": "The weights are so small that every layer shrinks what passes through it, forward "
        "and backward.",
        "dead block": "A layer's units are zero for every input, so nothing passes back through it.",
        "through time": "The same recurrent weights are applied at every time step, and each application makes the "
        "gradient smaller: the first time steps of a sequence teach nothing.",
        "single layer": "Most of the signal is lost in one place.",
        "": "Weights and activations together shrink the signal in every layer.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the hidden layers' backward signal early in the run, and where early is fine, late."""
        result = outcome(recording)
        links = hidden(chain(recording))
        recurrent = recording.measured("backward_call_span")
        if len(links) < 2 and not recurrent:
            raise NotExaminedError(
                "neither two hidden layers that passed a backward signal nor a layer called once per time step was seen"
            )
        for when in ("early", "late"):
            links = hidden(chain(recording, when))
            line = slope([link.backward for link in links])
            severed = any(link.backward == 0 for link in links)
            if severed or self._vanishes(line, links):
                yield self._finding(recording, links, line, result)
                return
        yield from self._through_time(recording, recurrent, result)

    def _through_time(self, recording: Recording, recurrent: tuple[Layer, ...], result: Outcome) -> Iterable[Finding]:
        """Judge what is left of the backward signal after a layer's first call, of all its calls."""
        spans = {layer.name: recording.series("backward_call_span", layer.name).early() for layer in recurrent}
        lost = [name for name, span in spans.items() if span <= self.call_span]
        if not lost:
            return
        steps = recording.series("backward_call_span", lost[0]).steps
        yield Finding(
            problem=self.id(),
            level="problem" if hurts(result, self.in_time) else "observation",
            severity=severity(result),
            confidence=0.8,
            layers=tuple(lost),
            steps=(int(steps[0]), int(steps[-1])),
            evidence=(
                *(Evidence("backward_call_span", name, spans[name], self.call_span, "decades", "below")
                  for name in lost),
                Evidence("learned", "", result.reached, self.in_time, "1", "below"),
            ),
            cause="through time",
        )  # fmt: skip

    def _vanishes(self, line: Slope, links: tuple[Link, ...]) -> bool:
        return self._lost(line) <= self.span and (
            line.layers < self.layers or line.r2 >= self.fit or _in_one_place(links)
        )

    def _lost(self, line: Slope) -> float:
        """Decades between the first and the last hidden layer; of few layers only what the line says."""
        return min(line.span, reach(line)) if line.layers >= self.layers else reach(line)

    def _made_up_for(self, recording: Recording, share: float, links: tuple[Link, ...], line: Slope) -> bool:
        """Whether what is left of the signal is enough: first layers take steps as large, and the rehearsal learned.

        The steps alone do not tell: where the signal shrinks forward, too, the gradients of all weights are alike and
        none of them teaches. Where nothing was rehearsed an optimizer that rescales every gradient has to do.
        """
        severed = any(link.backward == 0 for link in links)
        enough = share >= self.update_share and self._lost(line) > self.in_spite
        rescaled = "SGD" not in recording.environment.get("optimizer", "SGD")
        teaches = learned(recording) if rehearsal(recording) else rescaled
        return enough and not severed and teaches

    def _finding(self, recording: Recording, links: tuple[Link, ...], line: Slope, result: Outcome) -> Finding:
        share = _update_share(recording, links)
        harm = hurts(result, self.learned) and not (
            "checkup" in recording.facts and result.reached > SOME and self._made_up_for(recording, share, links, line)
        )
        derivatives = [link.derivative for link in links if math.isfinite(link.derivative)]
        gains = [link.gain for link in links[1:] if math.isfinite(link.gain)]
        evidence = [
            Evidence("backward_span", "", self._lost(line), self.span, "decades", "below"),
            Evidence("backward_slope", "", line.slope, math.nan, "decades/layer"),
            Evidence("update_share", "", share, self.update_share, "1", "below"),
            Evidence("learned", "", result.reached, self.learned, "1", "below"),
        ]
        if derivatives:
            evidence.insert(0, Evidence("mean_derivative", "", _mean(derivatives), math.nan, "1", "below"))
        if gains:
            evidence.append(Evidence("mean_gain", "", _mean(gains), math.nan, "1", "below"))
        steps = recording.series("backward_rms", links[0].layer.name).steps
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result),
            confidence=0.9 if share < self.update_share else 0.7,
            layers=tuple(link.layer.name for link in links),
            steps=(int(steps[0]), int(steps[-1])),
            evidence=tuple(evidence),
            cause=_cause(recording, links),
        )


def _update_share(recording: Recording, links: tuple[Link, ...]) -> float:
    """Median update ratio of the first third of the hidden layers over that of the last third."""
    third = max(1, len(links) // 3)
    first, last = (
        sorted(recording.series("update_ratio", link.layer.name).late(1.0) for link in part)[third // 2]
        for part in (links[:third], links[-third:])
    )
    return first / last if last else math.nan


def _cause(recording: Recording, links: tuple[Link, ...]) -> str:
    if any(link.backward == 0 for link in links):
        return "dead block"
    if _in_one_place(links):
        return "single layer"
    derivatives = [math.log10(link.derivative) for link in links if link.derivative > 0]
    gains = [math.log10(link.gain) for link in links[1:] if link.gain > 0]
    activations, weights = sum(derivatives), sum(gains)
    if activations < weights and derivatives:
        saturated = [
            recording.series("saturated_share", link.activation.name).early() for link in links if link.activation
        ]
        known = [share for share in saturated if math.isfinite(share)]
        if known and _mean(known) > 0.5:
            return "saturation"
        return "squashing activation" if known else ""
    return "initialization too small" if gains and weights < -1 else ""


def _in_one_place(links: tuple[Link, ...]) -> bool:
    """Whether one step back loses most of what is lost."""
    steps = [math.log10(link.factor) for link in links[:-1] if link.factor > 0]
    return len(steps) >= 3 and min(steps) < 0.6 * sum(steps) < 0


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
