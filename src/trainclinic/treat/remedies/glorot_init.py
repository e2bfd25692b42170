"""glorot-init."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy
from trainclinic.treat.surgery import WEIGHTS, activation_names, calls, hidden, initialized, trainable

GAINS = {"Tanh": "tanh", "Hardtanh": "tanh", "Softsign": "tanh", "Sigmoid": "sigmoid", "Hardsigmoid": "sigmoid"}


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
        "poor-initialization": 2, "saturated-activation": 1, "exploding-gradient": 2, "vanishing-gradient": 5,
    }  # fmt: skip
    stage: ClassVar = "initialization"

    def prescribe(self, setup: Setup) -> Prescription:
        """The hidden layers by name, with the gain of the function that is there."""
        found = calls(setup)
        layers = trainable(self.id(), hidden(found, WEIGHTS))
        kinds = activation_names(setup, found)
        gains = {GAINS[kind] for kind in kinds & GAINS.keys()}
        if not gains or not kinds <= GAINS.keys():
            there = f"only {', '.join(sorted(kinds))}" if kinds else "no activation function that could be seen"
            raise RefusedError(f"{self.id()}: it is for tanh and sigmoid, and between the layers there is {there}; "
                               "he-init is for ReLU")  # fmt: skip
        gain = "tanh" if "tanh" in gains else "sigmoid"
        code = initialized(layers, f'nn.init.xavier_normal_(layer.weight, gain=nn.init.calculate_gain("{gain}"))')
        return Prescription(f"{len(layers)} hidden layers initialized after Glorot, for {gain}", code)
