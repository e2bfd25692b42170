"""The gradient's way back, layer by layer: the lecture's product σ'·σ'·…, measured on the network itself.

For z_l = W_l a_{l-1}, a_l = φ(z_l) and the backward signal δ_l = ∂L/∂z_l, one step back is
δ_{l-1} = φ'(z_{l-1}) ⊙ W_lᵀ δ_l. Its size changes by about (gain of W_l) × (φ' of the layer before); both are
measured, and so is the change itself.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainclinic.recording import Layer, Recording, Series

When = Literal["first", "early", "late"]


@dataclass(frozen=True)
class Link:
    """One weight layer and the activation behind it.

    Attributes:
        layer: the layer with weights.
        activation: the activation function applied to its output, or None.
        backward: RMS of the backward signal at the layer's output [loss units per unit].
        forward: RMS of the layer's output.
        gain: the factor by which this layer's weights stretch a random signal on its way back.
        derivative: mean |φ'(z)| of `activation`; NaN where there is none.
        factor: backward here ÷ backward at the next weight layer, as measured; NaN for the last layer.
    """

    layer: Layer
    activation: Layer | None
    backward: float
    forward: float
    gain: float
    derivative: float
    factor: float


@dataclass(frozen=True)
class Slope:
    """A straight line through log10 of a signal against the layer's number, from the first layer to the last.

    Attributes:
        slope: decades per layer; positive when the signal is smaller in the first layers.
        span: first layer minus last layer on that scale [decades]; negative when the signal vanishes on its way back.
        r2: share of the variance that the line explains.
        layers: number of layers.
    """

    slope: float
    span: float
    r2: float
    layers: int


def chain(recording: Recording, when: When = "early") -> tuple[Link, ...]:
    """The weight layers in the order of the forward pass, with what each does to the gradient.

    Args:
        recording: of a run whose backward signal was measured.
        when: "first" takes the first sample, "early" the median of the first five, "late" that of the last quarter
            of the run.
    """
    picks: dict[When, Callable[[Series], float]] = {"first": _first, "early": Series.early, "late": Series.late}
    pick = picks[when]

    def value(signal: str, layer: Layer | None) -> float:
        return pick(recording.series(signal, layer.name)) if layer else math.nan

    weights = [layer for layer in recording.measured("backward_rms") if layer.role == "weight"]
    backward = [value("backward_rms", layer) for layer in weights]
    activations = recording.measured("activation_derivative")
    links = []
    for index, layer in enumerate(weights):
        until = weights[index + 1].position if index + 1 < len(weights) else math.inf
        at = bisect_right(activations, layer.position, key=lambda other: other.position)
        activation = activations[at] if at < len(activations) and activations[at].position < until else None
        after = backward[index + 1] if index + 1 < len(weights) else math.nan
        links.append(
            Link(
                layer=layer,
                activation=activation,
                backward=backward[index],
                forward=value("activation_rms", layer),
                gain=value("weight_gain", layer),
                derivative=value("activation_derivative", activation),
                factor=backward[index] / after if after else math.nan,
            )
        )
    return tuple(links)


def _first(series: Series) -> float:
    return series.early(1)


def slope(values: list[float]) -> Slope:
    """The line through log10 of `values`, one per layer in forward order; NaN with fewer than two positive values."""
    positions = np.arange(len(values), dtype=float)
    known = np.array([math.isfinite(value) and value > 0 for value in values], dtype=bool)
    if known.sum() < 2:
        return Slope(math.nan, math.nan, math.nan, int(known.sum()))
    x, y = positions[known], np.log10(np.array(values)[known])
    gradient, intercept = np.polyfit(x, y, 1)
    residual = y - (gradient * x + intercept)
    total = ((y - y.mean()) ** 2).sum()
    r2 = 1 - float((residual**2).sum() / total) if total > 0 else 1.0
    return Slope(float(gradient), float(y[0] - y[-1]), r2, int(known.sum()))


def hidden(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The links without the last layer, whose backward signal is the loss's own, and without embeddings."""
    return tuple(link for link in links[:-1] if "Embedding" not in link.layer.kind)


def reach(line: Slope) -> float:
    """What the line loses from the last layer to the first [decades]; negative when the signal vanishes."""
    return -line.slope * (line.layers - 1)


def forward_gain(recording: Recording, layer: str) -> float:
    """RMS(W) · √fan_in at the start of the run: the factor by which a weight stretches a random input.

    NaN of more than two dimensions that are no convolution's: over which of them is summed is not known.
    """
    found = recording.layer(layer)
    shape = found.shape
    if len(shape) > 2 and "Conv" not in found.kind:
        return math.nan
    return recording.series("weight_rms", layer).early(1) * math.sqrt(math.prod(shape[1:]))
