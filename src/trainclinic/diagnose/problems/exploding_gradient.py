"""exploding-gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from trainclinic.diagnose.chain import Link, chain, hidden, reach, slope
from trainclinic.diagnose.outcome import Outcome, hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Layer, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
_NO_WEIGHTS = ("steep activation", "")  # causes that doubtful labels may excuse


@dataclass(frozen=True)
class ExplodingGradient(Problem):
    """The training signal grows on its way back, through the layers or through time.

    What it is:
        The mirror image of the vanishing gradient: where the product of a layer's gain and its mean |φ'| stays above
        1, the backward signal grows geometrically with depth; in a recurrent net, with the number of time steps.

    Why training suffers:
        One step is then as large as the whole weight: the loss jumps, bounces or turns into NaN, and a learning rate
        small enough for the first layers is far too small for the last ones.

    How it is measured:
        Slope and span of log10 RMS of the backward signal over the hidden layers, before anything was learned; for a
        layer that is called once per time step, the growth of its backward signal over all calls. In a net of few
        layers: weights that stretch every signal, and a loss far above that of a guess before the first step.
        Growth at the start of the run parts it from a learning rate that is too high, which shows only later.

    When it is harmless:
        Residual nets with normalization in front of each block grow by up to two decades and train best of all.
        Single large norms early in training are healthy; so is a spike that the loss does not follow.

    What to do:
        1. Scale inputs and targets to mean 0 and deviation 1.
        2. Initialize for the activation function: He for ReLU, Glorot for tanh; orthogonal for recurrent weights.
        3. Clip the global gradient norm at 1.0 (torch.nn.utils.clip_grad_norm_) before optimizer.step().
        4. Warm the learning rate up, or divide it by 3.
        5. Add normalization; for long sequences use LSTM or GRU and truncate backpropagation.

    References:
        Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013 (clipping); He et al. 2015; Zhang, Dauphin &
        Ma 2019 (Fixup); Yang et al. 2019 (mean field theory of BatchNorm).
    """

    span: float = limit(2.0, "decades", RANGE)
    call_span: float = limit(2.0, "decades", RANGE)
    gain: float = limit(2.5, "1", RANGE)
    start: float = limit(10.0, "1", RANGE)
    recurrent_gain: float = limit(1.5, "1", "Saxe, McClelland & Ganguli 2014")  # 1 keeps the size of a signal
    learned: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("backward_rms", "backward_call_span", "weight_gain", "loss", "gradient_norm")
    in_checkup: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "backward_span": "backward signal, first against last hidden layer",
        "first_gradient_norm": "global gradient norm in the first steps",
        "first_loss": "loss before the first step against that of a guess",
        "mean_gain": "mean gain of the weights",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "weights with gain above 1": "The weights stretch every signal: forward and backward it grows from layer to "
        "layer.",
        "through time": "The same recurrent weights are applied at every time step, and each application makes the "
        "gradient larger.",
        "steep activation": "At every time step the gradient grows although the recurrent weights keep its size: the "
        "activation function between them is steeper than 1.",
        "": "The backward signal grows from layer to layer although the forward signal does not.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the first samples, before learning has changed the weights much."""
        result = outcome(recording)
        links = hidden(chain(recording))
        recurrent = recording.measured("backward_call_span")
        if len(links) < 2 and not recurrent:
            raise NotExaminedError("neither two hidden layers nor a layer called once per time step was seen")
        line = slope([link.backward for link in links])
        grown = min(line.span, reach(line)) if len(links) >= 3 else math.nan
        through_time = max(
            (recording.series("backward_call_span", layer.name).early() for layer in recurrent), default=math.nan
        )
        first = hidden(chain(recording, "first"))
        # What the first steps have blown up was not so from the start: the steps are to blame.
        spans = grown >= self.span and not slope([link.backward for link in first]).span < self.span / 2
        gain, start = _stretch(first, result)
        stretched = gain >= self.gain and start >= self.start
        if not (spans or through_time >= self.call_span or stretched):
            return
        in_time = not spans and through_time >= self.call_span
        forward = slope([link.forward for link in links])
        by_weights = forward.slope > 0.1 or (stretched and not spans)
        by_activation = in_time and _gain(recording, recurrent) <= self.recurrent_gain
        growing = "weights with gain above 1" if by_weights else ""
        cause = "steep activation" if by_activation else "through time" if in_time else growing
        harm = hurts(result, self.learned, neighbours=cause in _NO_WEIGHTS)
        telling = Evidence("backward_span", "", grown, self.span, "decades")
        if in_time:
            telling = Evidence("backward_call_span", "", through_time, self.call_span, "decades")
        evidence = [
            telling,
            Evidence("mean_gain", "", gain, self.gain, "1"),
            Evidence("first_loss", "", start, self.start, "1"),
            Evidence("first_gradient_norm", "", recording.series("gradient_norm").early(), math.nan, "loss/1"),
            Evidence("learned", "", result.reached, self.learned, "1", "below"),
        ]
        yield Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=severity(result),
            confidence=0.8,
            layers=tuple(layer.name for layer in recurrent) if in_time else tuple(link.layer.name for link in links),
            steps=(0, recording.steps - 1),
            evidence=tuple(evidence),
            cause=cause,
        )


def _gain(recording: Recording, recurrent: tuple[Layer, ...]) -> float:
    """Of the weights that are applied to their own result, at the start; NaN where none is square."""
    square = [layer.name for layer in recurrent if len(layer.shape) == 2 and layer.shape[0] == layer.shape[1]]
    return max((recording.series("weight_gain", name).early(1) for name in square), default=math.nan)


def _stretch(links: tuple[Link, ...], result: Outcome) -> tuple[float, float]:
    """Before the first step: the middle gain of the hidden weights, and the loss against that of a guess."""
    gains = sorted(link.gain for link in links[1:] if math.isfinite(link.gain))
    start = result.first / result.chance if result.chance > 0 else math.nan
    return (gains[len(gains) // 2] if gains else math.nan), start
