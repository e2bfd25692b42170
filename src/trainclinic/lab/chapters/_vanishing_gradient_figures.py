"""The figures of the chapter on vanishing and exploding gradients, measured on real networks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from trainclinic.diagnose.chain import Link, chain
from trainclinic.lab import activations
from trainclinic.lab.chapter import Drawing
from trainclinic.lab.controls import Value
from trainclinic.lab.experiment import Make
from trainclinic.lab.words import Words
from trainclinic.measure.run import run
from trainclinic.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEEP: dict[str, Value] = {"depth": 20, "activation": "Sigmoid", "init": "xavier"}
SICK = Words("Sigmoid", "시그모이드")
CURES: dict[Words, dict[str, Value]] = {
    Words("ReLU, He initialisation", "ReLU, He 초기화"): {"activation": "ReLU", "init": "he"},
    Words("Sigmoid, batch normalisation", "시그모이드, 배치정규화"): {"norm": "batch"},
}
EPOCHS = 3  # of the figures' trainings: they show the first five steps of each


@cache
def _trained(changed: tuple[tuple[str, Value], ...] = ()) -> Recording:
    return run(Make({**DEEP, "epochs": EPOCHS, **dict(changed)}), seed=0)


def links(**changed: Value) -> tuple[Link, ...]:
    """The layers of the 20-layer network in its first steps, with what each does to the gradient."""
    return chain(_trained(tuple(changed.items())))


def product_of_slopes(found: tuple[Link, ...]) -> list[float]:
    """The mean |φ'(z)| of the hidden layers multiplied up, from the last layer back."""
    return [float(value) for value in np.cumprod([link.derivative for link in found[:-1]][::-1])]


def _sigmoid(language: str) -> Figure:
    from matplotlib.figure import Figure

    x = np.linspace(-10, 10, 401)
    title = Words("Sigmoid Function and its Derivative", "시그모이드 함수와 그 미분함수")
    figure = Figure(figsize=(10, 6))
    axes = figure.add_subplot()
    axes.plot(x, activations.sigmoid(x), label="σ(x)", color="blue")
    axes.plot(x, activations.sigmoid_derivative(x), label="σ'(x)", color="red")
    axes.axhline(activations.STEEPEST_SIGMOID, color="gray", linestyle="--", linewidth=1)
    axes.annotate("σ'(0) = 0.25", (0, 0.25), (1.5, 0.36), arrowprops={"arrowstyle": "->"})
    axes.set(xlabel="x", ylabel="y", title=title[language])
    axes.grid(True)
    axes.legend()
    return figure


def _chain(language: str) -> Figure:
    from matplotlib.figure import Figure

    found = links()
    passed = range(1, len(found))
    arriving = [link.backward / found[-1].backward for link in found[:-1]][::-1]
    bound = Words("bound 0.25ⁿ", "상한 0.25ⁿ")
    product = Words("measured product of mean σ'(z)", "σ'(z) 평균을 곱한 값(측정)")
    signal = Words("measured signal, σ' and weights together", "σ'과 가중치를 모두 곱한 신호(측정)")
    xlabel = Words("sigmoid layers passed, from the last one back", "마지막 층부터 거꾸로 지난 시그모이드 층 수")
    ylabel = Words("share of the signal at the output", "출력에서의 신호에 대한 비율")
    title = Words("What 20 Sigmoid Layers Leave of the Gradient", "시그모이드 20층을 지나고 남는 기울기")
    figure = Figure(figsize=(10, 6))
    axes = figure.add_subplot()
    axes.semilogy(passed, [activations.chain_bound(n) for n in passed], "--", color="gray", label=bound[language])
    axes.semilogy(passed, product_of_slopes(found), "o-", color="blue", label=product[language])
    axes.semilogy(passed, arriving, "s-", color="red", markersize=4, label=signal[language])
    axes.set(xlabel=xlabel[language], ylabel=ylabel[language], title=title[language], xticks=range(0, len(found), 2))
    axes.grid(True)
    axes.legend()
    return figure


def _gradient_per_layer(language: str) -> Figure:
    from matplotlib.figure import Figure

    xlabel = Words("layer with weights, 1 is next to the input", "가중치가 있는 층(1이 입력 쪽)")
    ylabel = Words("RMS of ∂Error/∂W", "∂Error/∂W의 RMS")
    title = Words("Gradient in Each Layer of a 20-Layer Network", "20층 신경망의 층별 기울기")
    figure = Figure(figsize=(10, 6))
    axes = figure.add_subplot()
    styles = {SICK: ("red", "o-"), **dict(zip(CURES, (("blue", "s-"), ("green", "^-")), strict=True))}
    for label, (colour, style) in styles.items():
        sizes = gradient_sizes(**CURES.get(label, {}))
        axes.semilogy(range(1, len(sizes) + 1), sizes, style, color=colour, markersize=5, label=label[language])
    axes.set(xlabel=xlabel[language], ylabel=ylabel[language], title=title[language], xticks=range(1, 22, 2))
    axes.grid(True)
    axes.legend()
    return figure


def gradient_sizes(**changed: Value) -> list[float]:
    """RMS of the gradient of every layer's weights in the first steps, from the input on."""
    recording = _trained(tuple(changed.items()))
    return [recording.series("gradient_rms", link.layer.name).early() for link in links(**changed)]


def saturated(**changed: Value) -> list[float]:
    """Share of saturated values of every hidden layer in the first steps, from the input on."""
    recording = _trained(tuple(changed.items()))
    return [
        recording.series("saturated_share", link.activation.name).early()
        for link in links(**changed)
        if link.activation is not None
    ]


def _saturated_share(language: str) -> Figure:
    from matplotlib.figure import Figure

    label = Words("weights × {gain}", "가중치 × {gain}")
    xlabel = Words("hidden layer", "은닉층")
    ylabel = Words("share of saturated units", "포화된 유닛의 비율")
    title = Words("Saturation in a 20-Layer Sigmoid Network", "20층 시그모이드 신경망의 포화")
    figure = Figure(figsize=(10, 6))
    axes = figure.add_subplot()
    for gain, colour, style in ((1.0, "blue", "o-"), (4.0, "orange", "s-"), (8.0, "red", "^-")):
        shares, name = saturated(gain=gain), label.format(gain=f"{gain:g}")[language]
        axes.plot(range(1, len(shares) + 1), shares, style, color=colour, markersize=5, label=name)
    axes.set(xlabel=xlabel[language], ylabel=ylabel[language], title=title[language])
    axes.set(ylim=(-0.03, 1.0), xticks=range(1, 21, 2))
    axes.grid(True)
    axes.legend()
    return figure


SIGMOID = Drawing("sigmoid", Words("The sigmoid and its derivative", "시그모이드 함수와 그 미분함수"), _sigmoid)
CHAIN = Drawing(
    "chain",
    Words("The bound and the measured factors of a real network", "상한과 실제 신경망에서 잰 곱"),
    _chain,
)
GRADIENT_PER_LAYER = Drawing(
    "gradient_per_layer",
    Words("The measured gradient of every layer, before and after the remedies", "층마다 잰 기울기, 처방 전과 후"),
    _gradient_per_layer,
)
SATURATED_SHARE = Drawing(
    "saturated_share",
    Words("Measured share of saturated units, per layer", "층마다 잰 포화 유닛의 비율"),
    _saturated_share,
)
