"""glorot-init."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.activations import activation_names
from trainclinic.treat.passages import initialized
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage
from trainclinic.treat.surgery import calls, counted, drawn_anew, scaled_already

Gain = Literal["tanh", "sigmoid"]
GAINS: dict[str, Gain] = {
    "Tanh": "tanh",
    "Hardtanh": "tanh",
    "Softsign": "tanh",
    "Sigmoid": "sigmoid",
    "Hardsigmoid": "sigmoid",
}


@dataclass(frozen=True)
class GlorotInit(Remedy):
    """Draw the hidden weights anew so that a tanh or sigmoid network neither saturates nor fades.

    What it does:
        Each hidden Linear or Conv layer gets normal weights of variance gain² · 2 / (fan_in + fan_out), with a gain
        of 5/3 for tanh and 1 for the sigmoid, and biases of 0. The last layer stays as it is.

    When it helps:
        Weights that are too large push the units onto the flat part of their function, where no gradient passes;
        weights that are too small make every layer shrink what passes through it.

    Side effects:
        Weights that were loaded or trained before are lost. Deep sigmoid networks stay untrainable: their derivative is
        at most 1/4, whatever the weights.

    References:
        Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
    """

    treats: ClassVar[dict[str, int]] = {
        "poor-initialization": 1, "saturated-activation": 1, "exploding-gradient": 1, "vanishing-gradient": 2,
    }  # fmt: skip
    stage: ClassVar[Stage] = "initialization"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Not where the activation function is to blame whatever the weights are, nor for recurrent weights."""
        return [] if finding.cause in ("squashing activation", "through time") else [cls()]

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name, with the gain of the function that is there."""
        found = calls(setup)
        layers = drawn_anew(self.id(), found)
        kinds = activation_names(setup, found)
        gains = {GAINS[kind] for kind in kinds & GAINS.keys()}
        if not gains or not kinds <= GAINS.keys():
            there = f"only {', '.join(sorted(kinds))}" if kinds else "no activation function that could be seen"
            raise RefusedError(f"{self.id()}: it is for tanh and sigmoid, and between the layers there is {there}; "
                               "he-init is for ReLU")  # fmt: skip
        gain: Gain = "tanh" if "tanh" in gains else "sigmoid"
        if scaled_already(layers, lambda layer: _deviation(layer, gain)):
            raise RefusedError(f"{self.id()}: the hidden weights have such a scale already; if they are the cause, it "
                               "is not by their size")  # fmt: skip
        names = [call.name for call in layers]
        code = initialized(names, f'nn.init.xavier_normal_(layer.weight, gain=nn.init.calculate_gain("{gain}"))')
        return Prescription(f"{counted(len(names), 'hidden layer')} initialized after Glorot, for {gain}", code)


def _deviation(layer: Any, gain: Gain) -> float:
    fan_in, fan_out = layer.weight[0].numel(), layer.weight[:, 0].numel()
    return nn.init.calculate_gain(gain) * math.sqrt(2 / (fan_in + fan_out))
