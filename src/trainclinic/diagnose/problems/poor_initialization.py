"""poor-initialization."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.chain import Link, chain, forward_gain, hidden, slope
from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
_EXACT = ("all alike", "hidden by norms", "recurrent weights too large")  # what no noise in the labels excuses


@dataclass(frozen=True)
class PoorInitialization(Problem):
    """The starting weights let the signal die out, or drive the activation functions onto their flat parts.

    What it is:
        A layer keeps the size of a signal when the variance of its weights fits the number of its inputs and its
        activation function: 2/fan_in for ReLU (He), 2/(fan_in + fan_out) for tanh and sigmoid (Glorot). Much smaller
        weights shrink the signal in every layer, forward and backward; much larger ones saturate tanh and sigmoid.

    Why training suffers:
        With weights that are too small the output does not depend on the input, so there is nothing to learn from.
        With saturated units the derivative is close to 0, and only the last layers learn.

    How it is measured:
        At the first step, before learning has changed anything: the slope of log10 RMS of the layers' outputs against
        the layer's number; the share of saturated values together with the gain of the weights; that gain alone where
        it is 4 and more and the first loss is twice that of a guess, or norms hide it; or below 0.15 where there are no
        norms; that of recurrent weights, above 2.5. And exactly: layers whose units all have the same
        weights, other than 0.

    When it is harmless:
        Zero-initialized last layers of residual branches, LayerScale and adapters are small on purpose. BatchNorm and
        LayerNorm repair the scale of whatever precedes them. Shallow nets forgive much.

    What to do:
        1. torch.nn.init.kaiming_normal_ for the ReLU family, xavier_normal_ with calculate_gain("tanh") for tanh,
           LeCun normal for SELU; biases 0.
        2. Orthogonal weights for recurrent layers.
        3. Put BatchNorm or LayerNorm before the activation function.

    References:
        Glorot & Bengio 2010; He et al. 2015; Saxe, McClelland & Ganguli 2014; Mishkin & Matas 2016 (LSUV).
    """

    forward_slope: float = limit(-0.3, "decades/layer", RANGE, "below")
    forward_span: float = limit(-2.0, "decades", RANGE, "below")
    small_gain: float = limit(0.5, "1", RANGE, "below")
    saturated: float = limit(0.5, "1", RANGE)
    gain: float = limit(2.0, "1", RANGE)
    huge_gain: float = limit(4.0, "1", RANGE)
    tiny_gain: float = limit(0.15, "1", RANGE, "below")
    recurrent_gain: float = limit(2.5, "1", RANGE)
    start: float = limit(2.0, "1", RANGE)
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("activation_rms", "saturated_share", "weight_rms", "loss")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "forward_slope": "forward signal lost from layer to layer",
        "forward_span": "forward signal, last against first layer",
        "first_loss": "loss before the first step against that of a guess",
        "alike": "layers whose units all have the same weights",
        "first_saturated": "share of saturated values at the start",
        "recurrent_gain": "factor by which recurrent weights stretch the state at each time step",
        "forward_gain": "factor by which the weights stretch their input",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "weights too small": "The weights are too small for the number of their inputs: every layer shrinks "
        "the signal.",
        "all alike": "All units of a layer have the same weights: they get the same gradient and remain one unit.",
        "hidden by norms": "The weights are many times too large for the number of their inputs. Norms hide it from "
        "the signal, and a step of the usual size is nothing beside such weights.",
        "recurrent weights too large": "The recurrent weights stretch the state at every time step, until gates and "
        "activation functions are stuck at their ends.",
        "gain far above 1": "The weights are several times too large for the number of their inputs: what comes out is "
        "far larger than what goes in.",
        "weights too large": "The weights are too large for the number of their inputs: the sums that reach the "
        "activation functions lie far out on their flat parts.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the weights as they were, then the first sample."""
        ran = [layer.name for layer in recording.measured("activation_rms")]
        same = [name for name in recording.facts.get("alike", []) if name in ran[:-1]]
        if same:
            evidence = (Evidence("alike", "", float(len(same)), 0.0, "layers"),)
            yield self._finding(recording, tuple(same), "all alike", evidence)
            return
        links = chain(recording, "first")  # a few steps of Adam move the biases enough to hide it
        bounded = recording.measured("saturated_share")
        if len(links) < 2 and not bounded:
            raise NotExaminedError("fewer than two layers with weights, and no sigmoid or tanh, were seen")
        inner = hidden(links)
        line = slope([link.forward for link in inner])
        gains = [gain for gain in (forward_gain(recording, layer) for layer in before_output(recording)) if gain > 0]
        gain = sorted(gains)[len(gains) // 2] if gains else math.nan
        shrinks = len(inner) >= 3 and -line.span <= self.forward_span and line.slope <= self.forward_slope
        if shrinks and gain <= self.small_gain:
            too_small = (
                Evidence("forward_slope", "", line.slope, self.forward_slope, "decades/layer", "below"),
                Evidence("forward_span", "", -line.span, self.forward_span, "decades", "below"),
                Evidence("forward_gain", "", gain, self.small_gain, "1", "below"),
            )
            yield self._finding(recording, _names(inner), "weights too small", too_small)
            return
        saturated = [recording.series("saturated_share", layer.name).early(1) for layer in bounded]
        share = sorted(saturated)[len(saturated) // 2] if saturated else math.nan
        if share >= self.saturated and gain >= self.gain:
            too_large = (
                Evidence("first_saturated", "", share, self.saturated, "1"),
                Evidence("forward_gain", "", gain, self.gain, "1"),
            )
            yield self._finding(recording, _names(inner), "weights too large", too_large)
            return
        result = outcome(recording)
        start = result.first / result.chance if result.chance > 0 else math.nan
        again, stretch = recurrent(recording)
        if stretch >= self.recurrent_gain:
            evidence = (Evidence("recurrent_gain", "", stretch, self.recurrent_gain, "1"),)
            yield self._finding(recording, again, "recurrent weights too large", evidence)
            return
        behind_norms = normed(recording)
        if gain <= self.tiny_gain and not behind_norms:
            evidence = (Evidence("forward_gain", "", gain, self.tiny_gain, "1", "below"),)
            yield self._finding(recording, _names(inner), "weights too small", evidence)
            return
        if gain >= self.huge_gain and behind_norms:
            evidence = (Evidence("forward_gain", "", gain, self.huge_gain, "1"),)
            yield self._finding(recording, _names(inner), "hidden by norms", evidence)
            return
        if gain >= self.huge_gain and start >= self.start:
            huge = (
                Evidence("forward_gain", "", gain, self.huge_gain, "1"),
                Evidence("first_loss", "", start, self.start, "1"),
            )
            yield self._finding(recording, _names(inner), "gain far above 1", huge)

    def _finding(
        self, recording: Recording, layers: tuple[str, ...], cause: str, evidence: tuple[Evidence, ...]
    ) -> Finding:
        result = outcome(recording)
        harm = hurts(result, self.learned, neighbours=cause not in _EXACT)
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result),
            confidence=0.8,
            layers=layers,
            steps=(0, recording.steps - 1),
            evidence=(*evidence, Evidence("learned", "", result.reached, self.learned, "1", "below")),
            cause=cause,
        )


def _names(links: tuple[Link, ...]) -> tuple[str, ...]:
    return tuple(link.layer.name for link in links)


def recurrent(recording: Recording) -> tuple[tuple[str, ...], float]:
    """The weights that PyTorch's recurrent layers apply at every time step, and their largest gain; NaN of none."""
    names = [layer.name for layer in recording.measured("weight_rms") if ".weight_hh" in f".{layer.name}"]
    return tuple(names), max((forward_gain(recording, name) for name in names), default=math.nan)


def normed(recording: Recording) -> bool:
    """Whether there are norms: their scales are the parameters of one dimension that are no biases."""
    vectors = [entry for entry in recording.facts.get("parameters", []) if len(entry["shape"]) == 1 < entry["shape"][0]]
    return any("bias" not in entry["name"] for entry in vectors)


def before_output(recording: Recording) -> list[str]:
    """Names of the weights, without embeddings and without the output layer, which is the last that ran."""
    weights = [layer.name for layer in recording.measured("weight_rms") if "Embedding" not in layer.kind]
    ran = [layer.name for layer in recording.measured("activation_rms") if layer.name in weights]
    last = (ran or weights)[-1:]
    weights = [name for name in weights if name not in last] if len(weights) > 1 else weights
    # Of a recurrent layer, those that are applied again at every time step.
    return [name for name in weights if not name.rpartition(".")[2].startswith("weight_ih")] or weights
