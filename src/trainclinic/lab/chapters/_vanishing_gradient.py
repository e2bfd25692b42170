"""What can be played with in the chapter on vanishing and exploding gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numpy as np

from trainclinic.lab import activations, backward
from trainclinic.lab.chapter import Play, Table
from trainclinic.lab.chapters._lines import COLOURS, chart, line, marker
from trainclinic.lab.controls import Control, Values
from trainclinic.lab.settings import ACTIVATIONS
from trainclinic.lab.words import Words, same

LAYER = Words("layer", "층")
SQUASHING = {name: ACTIVATIONS[name] for name in ("Sigmoid", "Tanh")}
THREE = SQUASHING | {"ReLU": ACTIVATIONS["ReLU"]}


def _show_units(values: Values, language: str) -> list[Table | dict[str, Any]]:
    layers = cast(int, values["layers"])
    found = backward.units(str(values["activation"]), cast(float, values["x"]), cast(float, values["weight"]), layers)
    header = (LAYER, same("z"), same("h = φ(z)"), same("φ'(z)"), same("δ = ∂hₙ/∂z"), same("∂hₙ/∂w"))
    columns = (found.before, found.after, found.slope, found.delta, found.gradient)
    rows = tuple((str(layer + 1), *(_number(float(column[layer])) for column in columns)) for layer in range(layers))
    numbers = [float(layer) for layer in range(1, layers + 1)]
    sizes = [abs(float(value)) or None for value in found.delta]
    bars = {"type": "bar", "x": numbers, "y": sizes, "marker": {"color": COLOURS[0]}}
    return [Table(header, rows), chart([bars], LAYER[language], "|δ|", log="y")]


def _show_bound(values: Values, language: str) -> list[Table | dict[str, Any]]:
    layers, spread = cast(int, values["layers"]), cast(float, values["spread"])
    mean = activations.mean_derivative("Sigmoid", spread)
    header = (
        Words("sigmoid layers", "시그모이드 층 수"),
        Words("product of the derivatives", "미분값의 곱이 놓이는 범위"),
        Words("at this spread", "이 퍼짐에서의 값"),
    )
    zero_to = Words("0 to {most}", "0 ~ {most}")
    rows = [
        (str(n), zero_to.format(most=_number(activations.chain_bound(n)))[language], _number(mean**n))
        for n in sorted({1, 2, 3, layers})
    ]
    rows.append(("∞", Words("limit 0", "극한 0")[language], "0"))
    numbers = [float(n) for n in range(1, layers + 1)]
    power = Words("mean σ'(z), to the power n", "σ'(z) 평균의 n제곱")
    lines = [
        line(power[language], numbers, [mean**n for n in numbers], 0, mode="lines+markers"),
        line(Words("bound 0.25ⁿ", "상한 0.25ⁿ")[language], numbers, [0.25**n for n in numbers], 1,
             mode="lines+markers", line={"dash": "dash"}),
    ]  # fmt: skip
    return [Table(header, tuple(rows)), chart(lines, header[0][language], header[1][language], log="y")]


@cache
def _pre_activations() -> activations.Array:
    """Z of one layer of 64 units with Xavier weights, over 256 samples of 64 standard normal inputs."""
    drawn = np.random.default_rng(0)
    return drawn.standard_normal((256, 64)) @ (drawn.standard_normal((64, 64)) * math.sqrt(2 / 128))


def _show_saturation(values: Values, language: str) -> list[Table | dict[str, Any]]:
    scale, name = cast(float, values["scale"]), str(values["activation"])
    z = _pre_activations()
    header = (
        Words("activation function", "활성화 함수"),
        Words("saturated", "포화된 비율"),
        Words("mean φ'(z)", "φ'(z) 평균"),
        Words("saturated where z is beyond", "포화가 시작되는 z"),
    )
    rows = tuple(
        (one, f"{activations.saturated_share(one, scale * z):.1%}",
         _number(float(activations.activation(one).derivative(scale * z).mean())), f"± {beyond}")
        for one, beyond in (("Sigmoid", "3.64"), ("Tanh", "1.82"))
    )  # fmt: skip
    scales = [float(value) for value in np.geomspace(0.1, 20, 25)]
    share = Words("share of saturated units", "포화된 유닛의 비율")
    lines = [
        line(one, scales, [activations.saturated_share(one, s * z) for s in scales], colour)
        for colour, one in enumerate(SQUASHING)
    ]
    curve = chart(lines, INPUT_SCALE[language], share[language], log="x", shapes=[marker(scale)])
    counts, edges = np.histogram(activations.activation(name).function(scale * z), 40)
    middles = [float(value) for value in (edges[1:] + edges[:-1]) / 2]
    bars = {"type": "bar", "x": middles, "y": [int(count) for count in counts], "marker": {"color": COLOURS[0]}}
    output, how_many = Words("output of {name}", "{name} 출력").format(name=name), Words("values", "값의 개수")
    return [Table(header, rows), curve, chart([bars], output[language], how_many[language], bargap=0)]


def _show_update(values: Values, language: str) -> list[Table | dict[str, Any]]:
    rate = cast(float, values["learning_rate"])
    first, last = backward.one_update(str(values["activation"]), cast(int, values["depth"]), rate)
    header = (
        same(""),
        Words("first layer", "첫 층"),
        Words("last layer", "마지막 층"),
    )
    parts: tuple[tuple[Words, Callable[[backward.Update], str]], ...] = (
        (Words("Wᵢ₋₁, before", "Wᵢ₋₁, 업데이트 전"), lambda one: f"{one.before:.9f}"),
        (same("∂Error/∂W"), lambda one: f"{one.gradient:.6e}"),
        (same("η"), lambda one: f"{one.rate:g}"),
        (same("η ∂Error/∂W"), lambda one: f"{one.step:.6e}"),
        (Words("Wᵢ, after", "Wᵢ, 업데이트 후"), lambda one: f"{one.after:.9f}"),
        (Words("what really changed", "실제로 바뀐 양"), lambda one: f"{one.after - one.before:.3e}"),
        (Words("such steps until 1 % has changed", "1% 바뀔 때까지 필요한 걸음 수"),
         lambda one: f"{math.ceil(one.steps_to_a_percent):,}" if one.step else "∞"),
    )  # fmt: skip
    return [Table(header, tuple((title[language], write(first), write(last)) for title, write in parts))]


def _show_explosion(values: Values, language: str) -> list[Table | dict[str, Any]]:
    gain, depth, clip = cast(float, values["gain"]), cast(int, values["depth"]), cast(float, values["clip"])
    found = backward.passage("ReLU", depth, gain, clip)
    usual = backward.passage("ReLU", depth, 1.0)
    header = (same(""), Words("weights × {gain}", "가중치 × {gain}").format(gain=f"{gain:g}"),
              Words("He initialisation", "He 초기화"))  # fmt: skip
    parts: tuple[tuple[Words, Callable[[backward.Passage], str]], ...] = (
        (Words("growth per layer, forward", "층당 증가, 순전파"), lambda one: f"× {one.forward_growth:.2f}"),
        (Words("growth per layer, backward", "층당 증가, 역전파"), lambda one: f"× {one.backward_growth:.2f}"),
        (Words("error of the batch", "배치의 오차"), lambda one: _number(one.error)),
        (Words("norm of the gradient", "기울기의 노름"), lambda one: _number(one.norm)),
        (Words("norm after clipping", "클리핑 후 노름"), lambda one: _number(one.clipped)),
    )
    rows = tuple((title[language], write(found), write(usual)) for title, write in parts)
    numbers = [float(layer) for layer in range(1, depth + 1)]
    lines = [
        line(Words("forward: z", "순전파: z")[language], numbers, found.forward.tolist(), 0, mode="lines+markers"),
        line(Words("backward: ∂Error/∂z", "역전파: ∂Error/∂z")[language], numbers, found.backward.tolist(), 1,
             mode="lines+markers"),
        line(Words("the same with He", "He 초기화의 역전파")[language], numbers, usual.backward.tolist(), 2,
             line={"dash": "dash"}),
    ]  # fmt: skip
    return [Table(header, rows), chart(lines, LAYER[language], "RMS", log="y")]


def _number(value: float) -> str:
    """Six significant digits, plain where they fit."""
    return f"{value:.6g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{value:.3e}"


INPUT_SCALE = Words("scale of the inputs", "입력의 크기")
_ACTIVATION = Control("activation", Words("Activation function", "활성화 함수"), "Sigmoid", choices=THREE)
UNITS = Play(
    "units",
    Words("Forward and back through a chain of single units", "유닛 하나씩 이은 사슬의 순전파와 역전파"),
    (
        Control("x", Words("Input x", "입력 x"), 1.0, -3.0, 3.0, 0.1),
        Control("weight", Words("Weight w", "가중치 w"), 1.0, -5.0, 5.0, 0.1),
        Control("layers", Words("Layers", "층 수"), 5, 1, 12),
        _ACTIVATION,
    ),
    _show_units,
)
BOUND = Play(
    "bound",
    Words("The chain of derivatives", "미분값의 사슬"),
    (
        Control("layers", Words("Sigmoid layers", "시그모이드 층 수"), 20, 1, 40),
        Control("spread", Words("Spread of z", "z의 퍼짐"), 0.0, 0.0, 6.0, 0.1,
                help=Words("standard deviation of what enters the sigmoids; the mean is 0",
                           "시그모이드에 들어가는 값의 표준편차; 평균은 0")),
    ),
    _show_bound,
)  # fmt: skip
SATURATION = Play(
    "saturation",
    Words("How large inputs saturate a layer", "입력이 커지면 층이 포화되는 모습"),
    (
        Control("scale", INPUT_SCALE, 3.0, 0.1, 20.0, log=True),
        _ACTIVATION.to("Sigmoid", choices=SQUASHING),
    ),
    _show_saturation,
)
UPDATE = Play(
    "update",
    Words("One update of a real network", "실제 신경망의 업데이트 한 번"),
    (
        Control("learning_rate", Words("Learning rate η", "학습률 η"), 0.1, 1e-4, 10.0, log=True),
        Control("depth", Words("Hidden layers", "은닉층 수"), 20, 1, 30),
        _ACTIVATION,
    ),
    _show_update,
)
EXPLOSION = Play(
    "explosion",
    Words("Weights with gain above 1", "배율이 1보다 큰 가중치"),
    (
        Control("gain", Words("Gain of the weights", "가중치 배율(gain)"), 1.5, 0.25, 4.0, log=True),
        Control("depth", Words("Hidden layers", "은닉층 수"), 20, 2, 30),
        Control("clip", Words("Gradient clipping", "기울기 클리핑"), 1.0, 0.0, 100.0, log=True,
                help=Words("largest norm of the gradient; 0: none", "기울기 노름의 상한; 0이면 없음")),
    ),
    _show_explosion,
)  # fmt: skip
