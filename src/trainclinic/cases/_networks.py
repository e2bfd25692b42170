"""The plain network most cases are built on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

Initialise = Callable[[Tensor], object]


def mlp(
    widths: list[int], activation: Callable[[], nn.Module] = nn.ReLU, init: Initialise | None = None
) -> nn.Sequential:
    """A fully connected network with `activation` after every layer but the last.

    Args:
        widths: units per layer, from the features to the outputs.
        activation: makes one activation module.
        init: fills one weight matrix in place, biases then start at 0; None leaves PyTorch's own.
    """
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        linear = nn.Linear(inputs, outputs)
        if init is not None:
            init(linear.weight)
            nn.init.zeros_(linear.bias)
        modules += [linear, activation()]
    return nn.Sequential(*modules[:-1])


def he(weight: Tensor, gain: float = 1.0) -> None:
    """Normal initialisation with `gain` times He's standard deviation for ReLU, sqrt(2 / fan_in)."""
    nn.init.normal_(weight, std=gain * (2 / weight.shape[1]) ** 0.5)
