"""What the chapter on optimizers shows: its figure and its plays."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainclinic.lab.chapter import Drawing, Play, Table
from trainclinic.lab.chapters._plots import BLUE, GREEN, RED, chart, contours, dots, line
from trainclinic.lab.controls import Control, Value, Values
from trainclinic.lab.experiment import Make
from trainclinic.lab.optimizers import FAMILY, Adam, AdaMax, Momentum, Muon, Optimizer, made
from trainclinic.lab.surfaces import FAR, SURFACES, Surface, path
from trainclinic.lab.words import Words, same
from trainclinic.measure.run import run
from trainclinic.recording import Recording

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

NAMES = {"GradientDescent": Words("gradient descent", "경사하강법"), "Momentum": Words("momentum", "모멘텀")}
CHOICES = {name: NAMES.get(name, same(name)) for name in FAMILY}
CLOSE = 0.01  # loss above the least one at which a path has arrived
GRID = 61
DIGITS: dict[str, Value] = {"epochs": 10}
SPIRALS: dict[str, Value] = {
    "data": "spirals", "depth": 4, "width": 48, "epochs": 100, "optimizer": "SGD", "learning_rate": 0.01,
}  # fmt: skip
RACE: dict[str, float] = {"SGD": 0.1, "momentum": 0.01, "Adagrad": 0.03, "Adam": 0.003, "Muon": 0.003}
# the best of each on a grid of 0.001, 0.003, 0.01, …, by the validation loss after 10 epochs, mean of three seeds
COLOURS = ("gray", "orange", "green", "blue", "red")


def _race(language: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    lr = Words("lr", "학습률")
    for (name, rate), colour in zip(RACE.items(), COLOURS, strict=True):
        if name == "Muon" and not hasattr(torch.optim, name):
            continue  # it came with PyTorch 2.9
        recording = raced(name, rate)
        for axes, signal in ((left, "validation_loss"), (right, "validation_accuracy")):
            values = recording.series(signal).values
            axes.plot(
                range(1, len(values) + 1),
                values,
                "o-",
                markersize=4,
                color=colour,
                label=f"{name}, {lr[language]} {rate}",
            )
    titles = (
        Words("Five Optimizers on Digits", "숫자를 배우는 옵티마이저 다섯 개"),
        Words("Each at Its Best Learning Rate of the Grid", "저마다 시험한 값 가운데 가장 좋은 학습률"),
    )
    labels = Words("validation loss", "검증 손실"), Words("validation accuracy", "검증 정확도")
    for axes, label, title in zip((left, right), labels, titles, strict=True):
        axes.set(xlabel=Words("epoch", "에폭")[language], ylabel=label[language], title=title[language])
        axes.grid(True, alpha=0.4)
    left.set_yscale("log")
    right.legend(loc="lower right")
    return figure


@cache
def raced(name: str, rate: float) -> Recording:
    """A network of six layers on the digits with one optimizer, seed 0."""
    return run(Make({**DIGITS, "optimizer": name, "learning_rate": rate}), seed=0)


# -- paths


def starting(name: str, start: tuple[float, float], rate: float, momentum: float) -> Optimizer:
    """An optimizer on two parameters, without weight decay; for Muon they are a matrix of one row."""
    kind = FAMILY[name]
    more: dict[str, float] = {}
    if issubclass(kind, (Momentum, Muon)):
        more["momentum"] = momentum
    if issubclass(kind, (Adam, AdaMax)):
        more["beta1"] = momentum
    if name in ("AdamW", "Muon"):
        more["weight_decay"] = 0.0
    return made(name, [start] if kind.dimensions == 2 else start, rate, **more)


def _paths(values: Values, language: str) -> list[Table | dict[str, Any]]:
    chosen: Any = values
    surface = SURFACES[chosen["surface"]]
    data, rows = [_relief(surface)], []
    for which, colour, symbol in (("a", BLUE, "circle"), ("b", RED, "diamond")):
        name, rate = chosen[f"optimizer_{which}"], chosen[f"rate_{which}"]
        points = path(surface, starting(name, surface.start, rate, chosen["momentum"]), chosen["steps"])
        label = f"{CHOICES[name][language]}, η = {rate:.4g}"
        steps = line(points[:, 0], points[:, 1], label, colour)
        data.append(steps | {"mode": "lines+markers", "marker": {"size": 4, "color": colour, "symbol": symbol}})
        rows.append((label, *_arrival(surface, points, language)))
    least = np.array(surface.minima)
    data.append(dots(least[:, 0], least[:, 1], Words("minimum", "최솟값")[language], GREEN, symbol="star", size=14))
    axes = {f"{axis}axis": {"range": [surface.low[number], surface.high[number]]} for number, axis in enumerate("xy")}
    figure = chart(data, "x", "y", height=420, **axes)
    header = (Words("path", "경로"), Words("ends at (x, y)", "끝난 자리 (x, y)"), Words("loss there", "그곳의 손실"),
              Words("arrived at step", "도착한 스텝"))  # fmt: skip
    return [figure, Table(header, tuple(rows))]


def _arrival(surface: Surface, points: Array, language: str) -> tuple[str, str, str]:
    if np.abs(points[-1]).max() >= FAR:
        diverged = Words("diverged after {steps} steps", "{steps} 스텝 만에 발산")
        return "—", diverged.format(steps=len(points) - 1)[language], "—"
    above = np.array([surface.loss(*point) for point in points]) - surface.least
    close = above <= CLOSE
    away = np.flatnonzero(~close)
    arrived = str(int(away[-1]) + 1 if len(away) else 0) if close[-1] else "—"  # and it stays there
    x, y = points[-1]
    return f"({x:.3f}, {y:.3f})", f"{above[-1] + surface.least:.3g}", arrived


def _relief(surface: Surface) -> dict[str, Any]:
    """Contours at even distances of log(1 + loss above the least), which shows the floor and the walls."""
    x, y = (np.linspace(surface.low[axis], surface.high[axis], GRID) for axis in (0, 1))
    height = np.log1p(surface.loss(*np.meshgrid(x, y)) - surface.least)
    return contours(x, y, height, ncontours=18)


# -- one step


def _one_step(values: Values, language: str) -> list[Table | dict[str, Any]]:
    chosen: Any = values
    optimizer = starting(chosen["optimizer"], (1.0, 1.0), chosen["rate"], 0.9)
    gradient = np.reshape([chosen["large"], chosen["small"]], optimizer.parameters.shape)
    for _ in range(chosen["step"] - 1):
        optimizer.step(gradient)
    before, remembered = optimizer.parameters, dict(optimizer.memory)
    after = optimizer.step(gradient)
    rows = [
        (Words("gradient g", "기울기 g"), gradient),
        (Words("parameter w before", "업데이트 전 파라미터 w"), before),
    ]
    rows += [(Words(f"{name} before", f"업데이트 전 {name}"), value) for name, value in remembered.items()]
    rows += [(Words(f"{name} now", f"업데이트 후 {name}"), value) for name, value in optimizer.workings().items()]
    rows += [
        (Words("update Δw", "업데이트량 Δw"), after - before),
        (Words("Δw / (−η g)", "Δw / (−η g)"), _effective(after - before, gradient, chosen["rate"])),
        (Words("parameter w after", "업데이트 후 파라미터 w"), after),
    ]
    header = (Words("quantity", "항목"), Words("parameter 1", "파라미터 1"), Words("parameter 2", "파라미터 2"))
    return [Table(header, tuple((name[language], *(f"{value:.6g}" for value in pair.ravel())) for name, pair in rows))]


def _effective(change: Array, gradient: Array, rate: float) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gradient == 0, np.nan, change / (-rate * gradient))


_RATE = Control("rate", Words("Learning rate η", "학습률 η"), 0.1, 1e-4, 10.0, log=True)
_STEPS = Control("steps", Words("Steps", "스텝 수"), 150, 1, 300, 1)

RACE_FIGURE = Drawing(
    "race",
    Words("Validation loss and accuracy of five optimizers on the digits, each at its best learning rate.",
          "숫자 데이터에서 옵티마이저 다섯 개의 검증 손실과 정확도입니다. 학습률은 저마다 가장 좋은 값입니다."),
    _race,
)  # fmt: skip
PATHS = Play(
    "paths",
    Words("Two optimizers on one surface", "한 손실 곡면 위의 두 옵티마이저"),
    (
        Control("surface", Words("Loss surface", "손실 곡면"), "valley",
                choices={name: surface.title for name, surface in SURFACES.items()}),
        Control("optimizer_a", Words("First optimizer (blue)", "첫째 옵티마이저(파랑)"), "GradientDescent",
                choices=CHOICES),
        _RATE.to(0.03, name="rate_a", label=Words("Its learning rate η", "첫째의 학습률 η")),
        Control("optimizer_b", Words("Second optimizer (red)", "둘째 옵티마이저(빨강)"), "Momentum", choices=CHOICES),
        _RATE.to(0.03, name="rate_b", label=Words("Its learning rate η", "둘째의 학습률 η")),
        Control("momentum", Words("Momentum μ or β₁", "모멘텀 μ 또는 β₁"), 0.8, 0.0, 0.99, 0.01,
                help=Words("of those that have one", "모멘텀이 있는 옵티마이저에만 쓰입니다")),
        _STEPS,
    ),
    _paths,
)  # fmt: skip
ONE_STEP = Play(
    "one-step",
    Words("One step by hand", "손으로 따라가는 한 스텝"),
    (
        Control("optimizer", Words("Optimizer", "옵티마이저"), "Adam", choices=CHOICES),
        _RATE,
        Control("large", Words("Gradient of parameter 1", "파라미터 1의 기울기"), 4.0, -10.0, 10.0, 0.5),
        Control("small", Words("Gradient of parameter 2", "파라미터 2의 기울기"), 0.01, -1.0, 1.0, 0.01),
        Control(
            "step", Words("Which step (the same gradient every time)", "몇째 스텝(기울기는 매번 같음)"), 1, 1, 50, 1
        ),
    ),
    _one_step,
)
