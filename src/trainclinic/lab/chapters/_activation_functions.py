"""What the chapter on activation functions shows: its figures and its plays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from trainclinic.lab import activations, backward
from trainclinic.lab.chapter import Drawing, Play, Table
from trainclinic.lab.chapters._lines import chart, line
from trainclinic.lab.controls import Control, Value, Values
from trainclinic.lab.experiment import Make
from trainclinic.lab.settings import ACTIVATIONS
from trainclinic.lab.words import Words, same
from trainclinic.measure.run import run
from trainclinic.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEFORE: dict[str, Value] = {"depth": 12, "activation": "Sigmoid", "init": "xavier"}
AFTER: dict[Words, dict[str, Value]] = {
    Words("Sigmoid", "시그모이드"): {},
    same("Tanh"): {"activation": "Tanh"},
    same("ReLU, He"): {"activation": "ReLU", "init": "he"},
    Words("Sigmoid, batch norm", "시그모이드, 배치정규화"): {"norm": "batch"},
}
STYLES = (("red", "o-"), ("orange", "^-"), ("blue", "s-"), ("green", "D-"))
EPOCHS = 6  # of the trainings in the figure
CHOICES = {name: ACTIVATIONS[name] for name in activations.FUNCTIONS}


def lecture_x() -> activations.Array:
    """The 400 points at which the lecture draws its curves; 0 is not among them."""
    return np.linspace(-5, 5, 400)


# -- figures


def _tanh(language: str) -> Figure:
    from matplotlib.figure import Figure

    x = lecture_x()
    title = "Hyperbolic Tangent Function and its Derivative"  # the lecture's
    figure = Figure(figsize=(10, 6))
    axes = figure.add_subplot()
    axes.plot(x, activations.tanh(x), label="tanh(x)", color="blue")
    axes.plot(x, activations.tanh_derivative(x), label="tanh'(x)", color="red")
    axes.set(xlabel="x", ylabel="y", title=Words(title, f"쌍곡탄젠트 함수와 그 미분함수\n{title}")[language])
    axes.grid(True)
    axes.legend()
    return figure


def _relu(language: str) -> Figure:
    from matplotlib.figure import Figure

    x = lecture_x()
    label, title = "ReLU Derivative", "Derivative of ReLU Function"  # the lecture's
    figure = Figure(figsize=(8, 6))
    axes = figure.add_subplot()
    axes.plot(x, activations.relu_derivative(x), label=Words(label, "ReLU의 미분")[language], color="blue")
    axes.set(xlabel="x", ylabel="f'(x)", title=Words(title, f"ReLU 함수의 미분\n{title}")[language])
    axes.grid(True)
    axes.legend()
    return figure


@cache
def _trained(label: Words) -> Recording:
    return run(Make({**BEFORE, "epochs": EPOCHS, **AFTER[label]}), seed=0)


def _before_after(language: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    curves, layers = figure.subplots(1, 2)
    for label, (colour, style) in zip(AFTER, STYLES, strict=True):
        recording, drawn = _trained(label), {"color": colour, "markersize": 5, "label": label[language]}
        accuracy = recording.series("validation_accuracy").values
        curves.plot(range(1, len(accuracy) + 1), accuracy, style, **drawn)
        weights = [layer for layer in recording.measured("gradient_rms") if layer.role == "weight"]
        sizes = [recording.series("gradient_rms", layer.name).early() for layer in weights]
        layers.semilogy(range(1, len(sizes) + 1), sizes, style, **drawn)
    curves.set(xlabel=Words("epoch", "에폭")[language], ylabel=Words("validation accuracy", "검증 정확도")[language])
    curves.set(title=Words("Learning", "학습 결과")[language], ylim=(0, 1))
    xlabel = Words("layer with weights, 1 is next to the input", "가중치가 있는 층(1이 입력 쪽)")
    layers.set(xlabel=xlabel[language], ylabel=Words("RMS of ∂Error/∂W", "∂Error/∂W의 RMS")[language])
    title = Words("Gradient in Each Layer, First Steps", "층별 기울기, 처음 몇 스텝")
    layers.set(title=title[language], xticks=range(1, 14, 2))
    for axes in (curves, layers):
        axes.grid(True)
        axes.legend()
    return figure


TANH = Drawing("tanh", Words("tanh and its derivative", "tanh 함수와 그 미분함수"), _tanh)
RELU = Drawing("relu", Words("The derivative of ReLU", "ReLU의 미분함수"), _relu)
BEFORE_AFTER = Drawing(
    "before_after",
    Words("The same 12-layer network, before and after the remedies", "같은 12층 신경망, 처방 전과 후"),
    _before_after,
)

# -- plays


def steepest(name: str) -> float:
    """The largest slope of an activation function."""
    return float(activations.activation(name).derivative(np.linspace(-20, 20, 8001)).max())


def _show_functions(values: Values, language: str) -> list[Table | dict[str, Any]]:
    name, other = str(values["activation"]), str(values["other"])
    spread = cast(float, values["spread"])
    header = (
        Words("activation function", "활성화 함수"),
        Words("largest slope", "미분의 최댓값"),
        Words("slope at −2", "−2에서의 미분"),
        Words("at 0", "0에서"),
        Words("at 2", "2에서"),
        Words("mean size of the slope", "미분 크기의 평균"),
        Words("RMS slope", "미분의 RMS"),
        Words("gain that makes up for it", "이를 메우는 가중치 배율"),
    )
    rows = []
    for one in dict.fromkeys((name, other)):
        mean, rms = activations.mean_derivative(one, spread), activations.rms_derivative(one, spread)
        slopes = activations.activation(one).derivative([-2.0, 0.0, 2.0])
        numbers = [f"{steepest(one):.4g}", *(f"{slope:.3g}" for slope in slopes), f"{mean:.3f}", f"{rms:.3f}"]
        rows.append((one, *numbers, f"{1 / rms:.3f}"))
    x = np.linspace(-5, 5, 401)
    found = activations.activation(name)
    function = Words("{name}(x)", "{name}(x)").format(name=name)
    lines = [
        line(function[language], x.tolist(), found.function(x).tolist(), 0),
        line(f"{name}'(x)", x.tolist(), found.derivative(x).tolist(), 1),
    ]
    if other != name:
        dash = {"dash": "dot"}
        beside = activations.activation(other)
        lines += [
            line(f"{other}(x)", x.tolist(), beside.function(x).tolist(), 2, line=dash),
            line(f"{other}'(x)", x.tolist(), beside.derivative(x).tolist(), 3, line=dash),
        ]
    return [Table(header, tuple(rows)), chart(lines, "x", "y")]


def _show_signal(values: Values, language: str) -> list[Table | dict[str, Any]]:
    name, depth = str(values["activation"]), cast(int, values["depth"])
    found = backward.passage(name, depth, cast(float, values["gain"]))
    header = (same(""), Words("forward", "순전파"), Words("backward", "역전파"))
    growth = Words("factor per layer", "층당 배율")
    total = Words("over all layers", "모든 층을 지나면")
    rows = (
        (growth[language], f"× {found.forward_growth:.3f}", f"× {found.backward_growth:.3f}"),
        (
            total[language],
            f"× {found.forward[-1] / found.forward[0]:.3g}",
            f"× {found.backward[0] / found.backward[-1]:.3g}",
        ),
    )
    numbers = [float(layer) for layer in range(1, depth + 1)]
    lines = [
        line(Words("forward: z", "순전파: z")[language], numbers, found.forward.tolist(), 0, mode="lines+markers"),
        line(
            Words("backward: ∂Error/∂z", "역전파: ∂Error/∂z")[language],
            numbers,
            found.backward.tolist(),
            1,
            mode="lines+markers",
        ),
    ]
    return [Table(header, rows), chart(lines, Words("layer", "층")[language], "RMS", log="y")]


_NAME = Words("Activation function", "활성화 함수")
FUNCTIONS = Play(
    "functions",
    Words("Two activation functions side by side", "활성화 함수 둘을 나란히"),
    (
        Control("activation", _NAME, "GELU", choices=CHOICES),
        Control("other", Words("Beside it", "비교할 함수"), "ReLU", choices=CHOICES),
        Control("spread", Words("Spread of z", "z의 퍼짐"), 1.0, 0.1, 6.0, 0.1,
                help=Words("standard deviation of what enters; for the mean and the RMS",
                           "들어가는 값의 표준편차; 평균과 RMS에 쓰임")),
    ),
    _show_functions,
)  # fmt: skip
SIGNAL = Play(
    "signal",
    Words("The signal through a deep network", "깊은 신경망을 지나는 신호"),
    (
        Control("activation", _NAME, "Tanh", choices=CHOICES),
        Control("gain", Words("Gain of the weights", "가중치 배율(gain)"), 1.0, 0.25, 4.0, log=True),
        Control("depth", Words("Hidden layers", "은닉층 수"), 20, 2, 30),
    ),
    _show_signal,
)
