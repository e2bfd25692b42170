"""The play on batch normalisation from layer to layer: what becomes of the backward signal, with it and without."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from trainclinic.lab.chapter import Play, Table
from trainclinic.lab.chapters._batch_normalization import BETA, GAMMA, HEADER, Shown
from trainclinic.lab.chapters._plots import BLUE, RED, chart, in_words, line
from trainclinic.lab.controls import Control, Values
from trainclinic.lab.settings import ACTIVATIONS
from trainclinic.lab.words import Words


def factors(
    activation: str, depth: int, gain: float = 1.0, gamma: float = 1.0, beta: float = 0.0
) -> tuple[float, list[float]]:
    """How the backward signal changes per layer in a wide network with random weights of variance gain²/width.

    Args:
        activation: a class of `torch.nn`.
        depth: hidden layers.
        gain: of the weights; it drops out where batch normalisation follows.
        gamma: scale of the normalisation, not 0.
        beta: shift of the normalisation.

    Returns:
        With batch normalisation: |γ| · rms φ'(z) / std φ(z) with z from N(β, γ), the same in every layer. Without: one
        factor a layer from the input on, gain · rms φ'(z), where z has the variance that the layers before leave.

    Sources:
        Without: Poole et al. 2016, Schoenholz et al. 2017. With: for ReLU the √(π/(π − 1)) of Yang et al. 2019.
    """
    normal = torch.linspace(-8, 8, 2000, dtype=torch.float64)  # none at 0, where ReLU has no derivative
    density = torch.exp(-(normal**2) / 2)
    density /= density.sum()
    module = getattr(nn, activation)()

    def moments(z: Tensor) -> tuple[float, float, float]:
        """Mean of φ, mean of φ², root mean square of φ'."""
        z = z.clone().requires_grad_()
        value = module(z)
        (slope,) = torch.autograd.grad(value.sum(), z)
        value = value.detach()
        return tuple(float(density @ power) for power in (value, value**2, slope**2))  # type: ignore[return-value]

    mean, square, slope = moments(gamma * normal + beta)
    steady = abs(gamma) * (slope / (square - mean**2)) ** 0.5
    plain, variance = [], gain**2
    for _ in range(depth):
        _, square, slope = moments(variance**0.5 * normal)
        plain.append(gain * slope**0.5)
        variance = gain**2 * square
    return steady, plain


def _layer_by_layer(values: Values, language: str) -> Shown:
    depth = cast(int, values["depth"])
    gain, gamma, beta = (float(values[name]) for name in ("gain", "gamma", "beta"))
    steady, plain = factors(str(values["activation"]), depth, gain, gamma, beta)
    layers = range(depth, 0, -1)
    with_norm = [steady ** (depth - layer) for layer in layers]
    without = np.cumprod([1.0, *plain[:0:-1]]).tolist()
    picture = chart(
        [
            line(layers, with_norm, Words("with batch normalisation", "배치정규화 있음")[language], BLUE),
            line(layers, without, Words("without", "배치정규화 없음")[language], RED),
        ],
        Words("layer (1 is the first)", "층 (1이 첫 층)")[language],
        Words("backward signal, last hidden layer = 1", "역전파 신호 (마지막 은닉층 = 1)")[language],
        yaxis={"type": "log", "exponentformat": "power"},
    )
    rows = in_words(
        (
            (Words("factor per layer with batch normalisation", "배치정규화가 있을 때 층당 배율"), f"{steady:.4f}"),
            (Words("signal left in the first layer, with", "첫 층에 남는 신호, 있을 때"), f"{with_norm[-1]:.3g}"),
            (Words("factor per layer without, at the last layer", "없을 때 층당 배율, 마지막 층"), f"{plain[-1]:.4f}"),
            (Words("signal left in the first layer, without", "첫 층에 남는 신호, 없을 때"), f"{without[-1]:.3g}"),
        ),
        language,
    )
    return [picture, Table(HEADER, rows)]


LAYER_BY_LAYER = Play(
    "factor",
    Words("From layer to layer, with and without", "층에서 층으로, 있을 때와 없을 때"),
    (
        Control("activation", Words("Activation function", "활성화 함수"), "Sigmoid", choices=ACTIVATIONS),
        Control("depth", Words("Hidden layers", "은닉층 수"), 20, 2, 40),
        Control("gain", Words("Gain of the weights", "가중치 배율(gain)"), 1.0, 0.25, 4.0, log=True),
        GAMMA.to(1.0, low=0.1),
        BETA.to(0.0, low=-3.0, high=3.0),
    ),
    _layer_by_layer,
)
