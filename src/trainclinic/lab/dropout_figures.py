"""The figures and plays of the chapter on dropout."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from trainclinic.lab.chapter import Table
from trainclinic.lab.controls import Value, Values
from trainclinic.lab.curves import by_epoch
from trainclinic.lab.experiment import Make
from trainclinic.lab.words import Words, same
from trainclinic.measure.run import run
from trainclinic.recording import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, GREY = "#2563eb", "#dc2626", "#9ca3af"
SIZES = (4, 6, 6, 3)  # units per layer of the small network that is drawn; the hidden ones can be switched off
SHOWN_P, SHOWN_SEED = 0.5, 3  # of the mask in the static figure
INPUTS = (2.0, -1.5, 1.0, -0.5, 0.5, 3.0)  # what goes through nn.Dropout in the play on scaling

SETTINGS: dict[str, Value] = {
    "samples": 200, "label_noise": 0.3, "depth": 3, "width": 256, "learning_rate": 0.002, "batch_size": 32,
    "epochs": 80, "dropout": 0.0,
}  # fmt: skip


# -- the mask


def _masks(p: float, seed: int) -> tuple[tuple[bool, ...], ...]:
    """Which units of each layer are on, from an actual nn.Dropout in training mode; input and output always are."""
    layer = nn.Dropout(p)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hidden = [tuple(bool(value > 0) for value in layer(torch.ones(size))) for size in SIZES[1:-1]]
    return ((True,) * SIZES[0], *hidden, (True,) * SIZES[-1])


def _place(layer: int, unit: int) -> tuple[float, float]:
    return float(layer), unit - (SIZES[layer] - 1) / 2


def _lines(on: tuple[tuple[bool, ...], ...]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Every connection between two units that are on."""
    return [
        (_place(layer, one), _place(layer + 1, other))
        for layer in range(len(SIZES) - 1)
        for one in range(SIZES[layer])
        for other in range(SIZES[layer + 1])
        if on[layer][one] and on[layer + 1][other]
    ]


def _draw_network(axes: Axes, on: tuple[tuple[bool, ...], ...], title: str) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    axes.add_collection(LineCollection(_lines(on), colors=GREY, linewidths=0.7, zorder=1))
    for layer, units in enumerate(on):
        for unit, alive in enumerate(units):
            x, y = _place(layer, unit)
            axes.add_patch(Circle((x, y), 0.22, facecolor="#dbeafe" if alive else "white",
                                  edgecolor=BLUE if alive else GREY, zorder=2))  # fmt: skip
            if not alive:
                for slope in (1, -1):
                    axes.plot([x - 0.16, x + 0.16], [y - 0.16 * slope, y + 0.16 * slope], color=RED, zorder=3)
    axes.set(title=title, xlim=(-0.5, len(SIZES) - 0.5), ylim=(-3.2, 3.2), aspect="equal")
    axes.axis("off")


def thinned(language: str) -> Figure:
    """The network in full, and beside it what a real mask leaves of it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    full, thin = Words("Full network", "전체 신경망"), Words("Thinned network (p = {p})", "솎아 낸 신경망 (p = {p})")
    _draw_network(left, _masks(0.0, SHOWN_SEED), full[language])
    _draw_network(right, _masks(SHOWN_P, SHOWN_SEED), thin.format(p=SHOWN_P)[language])
    return figure


def show_mask(given: Values, language: str) -> list[Table | dict[str, Any]]:
    """The network under the mask that is asked for, and how many units it switched off."""
    p = cast(float, given["p"])
    on = _masks(p, cast(int, given["seed"]))
    lines = _lines(on)
    names = (Words("on", "켜짐"), Words("off", "꺼짐"))
    data: list[dict[str, Any]] = [{
        "type": "scatter", "mode": "lines", "line": {"color": GREY, "width": 1}, "hoverinfo": "skip",
        "showlegend": False,
        "x": [x for one, other in lines for x in (one[0], other[0], None)],
        "y": [y for one, other in lines for y in (one[1], other[1], None)],
    }]  # fmt: skip
    for alive, colour, symbol in ((True, BLUE, "circle"), (False, RED, "x")):
        units = [_place(k, unit) for k, layer in enumerate(on) for unit, is_on in enumerate(layer) if is_on == alive]
        data.append({
            "type": "scatter", "mode": "markers", "name": names[not alive][language],
            "marker": {"color": colour, "size": 18 if alive else 12, "symbol": symbol},
            "x": [x for x, _ in units], "y": [y for _, y in units],
        })  # fmt: skip
    axis = {"visible": False, "fixedrange": True}
    layout = {"height": 320, "margin": {"l": 10, "r": 10, "t": 10, "b": 10}, "xaxis": axis, "yaxis": axis}
    rows = [(same(str(k)), layer) for k, layer in enumerate(on[1:-1], 1)]
    table = Table(
        (Words("hidden layer", "은닉층"), Words("units", "유닛 수"), Words("off, drawn", "꺼진 유닛(실제)"),
         Words("off, expected", "꺼진 유닛(기댓값)"), Words("connections left of all", "남은 연결 / 전체")),
        tuple((name[language], str(len(layer)), str(len(layer) - sum(layer)), f"{p * len(layer):.1f}",
               f"{len(lines)} / {sum(a * b for a, b in pairwise(SIZES))}") for name, layer in rows),
    )  # fmt: skip
    return [{"data": data, "layout": layout}, table]


# -- the scaling


def show_scaling(given: Values, language: str) -> list[Table | dict[str, Any]]:
    """Six numbers through nn.Dropout in both modes, and the mean of one of them over more and more masks."""
    p, count = cast(float, given["p"]), cast(int, given["masks"])
    x, layer = torch.tensor(INPUTS), nn.Dropout(p)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(cast(int, given["seed"]))
        drawn = layer.train()(x.expand(count, -1))
    evaluated = layer.eval()(x)
    mean = drawn.mean(0)
    table = Table(
        (Words("unit", "유닛"), Words("goes in", "입력"), Words("train(), first mask", "train(), 첫 마스크"),
         Words("train(), mean of the masks", "train(), 마스크 평균"), same("eval()")),
        tuple((str(unit + 1), *(f"{float(value[unit]):.3f}" for value in (x, drawn[0], mean, evaluated)))
              for unit in range(len(INPUTS))),
    )  # fmt: skip
    running = drawn[:, 0].cumsum(0) / torch.arange(1, count + 1)
    seen = sorted({round(count ** (k / 200)) for k in range(201)})  # evenly spaced on the logarithmic axis
    names = (Words("mean of unit 1 so far", "유닛 1의 누적 평균"), Words("unit 1 in eval()", "eval()에서의 유닛 1"))
    figure = {
        "data": [
            {"type": "scatter", "mode": "lines+markers", "name": names[0][language], "line": {"color": BLUE},
             "marker": {"size": 4}, "x": seen, "y": [float(running[k - 1]) for k in seen]},
            {"type": "scatter", "mode": "lines", "name": names[1][language], "line": {"color": RED, "dash": "dash"},
             "x": [1, count], "y": [INPUTS[0], INPUTS[0]]},
        ],
        "layout": {
            "height": 320, "margin": {"l": 50, "r": 10, "t": 10, "b": 45},
            "xaxis": {"title": {"text": Words("masks", "마스크 수")[language]}, "type": "log"},
            "yaxis": {"title": {"text": Words("output", "출력")[language]}},
            "legend": {"orientation": "h", "y": 1.1},
        },
    }  # fmt: skip
    return [table, figure]


# -- the curves


@cache
def _trained(dropout: float) -> tuple[Floats, Floats]:
    return by_epoch(run(Make({**SETTINGS, "dropout": dropout}), seed=0))


def _draw_curves(axes: Axes, dropout: float, title: Words, language: str) -> None:
    training, validation = _trained(dropout)
    epochs = range(1, len(training) + 1)
    best = int(validation.argmin()) + 1
    lowest = Words(f"best, epoch {best}", f"최저, {best}에폭")
    axes.plot(epochs, training, color=BLUE, label=Words("training", "훈련")[language])
    axes.plot(epochs, validation, color=RED, label=Words("validation", "검증")[language])
    axes.plot([best], [validation[best - 1]], "o", color=RED, label=lowest[language])
    axes.set(title=title[language], xlabel=Words("epoch", "에폭")[language], ylabel=Words("loss", "손실")[language])
    axes.set_ylim(0, 2.5)
    axes.grid(alpha=0.4)
    axes.legend()


def curves(language: str) -> Figure:
    """Training and validation loss of the overfitting network."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    _draw_curves(figure.subplots(), 0.0, Words("Overfitting", "과적합"), language)
    return figure


def effect(language: str) -> Figure:
    """The same without and with dropout."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _draw_curves(left, 0.0, Words("Without dropout", "드롭아웃 없음"), language)
    _draw_curves(right, 0.5, Words("With dropout (p = 0.5)", "드롭아웃 있음 (p = 0.5)"), language)
    right.set_ylabel("")
    return figure
