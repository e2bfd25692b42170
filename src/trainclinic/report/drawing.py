"""The strokes every picture is made of, as pieces of plotly figures."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np

from trainclinic.recording import Floats, Steps
from trainclinic.report.thin import rounded
from trainclinic.report.words import clean, unit_words, word

Chart = dict[str, Any]

MAGENTA = "#ff3fd0"  # on no colour scale here
BLUE, ORANGE, GREEN, RED, GREY = "#3b7dd8", "#e07b39", "#2f9e77", "#d6455d", "#8a8f98"
SCALE = [
    [0, "#30123b"],
    [0.2, "#4560d6"],
    [0.4, "#1fa7c9"],
    [0.6, "#7bd151"],
    [0.8, "#f9ba38"],
    [1, "#e5460b"],
]


def line(name: str, x: Steps, y: Floats, colour: str, **settings: Any) -> Chart:
    """One line: `width`, `dash`, `mode` and `opacity` may be set."""
    stroke: Chart = {"color": colour, "width": settings.get("width", 1.6)}
    if "dash" in settings:
        stroke["dash"] = settings["dash"]
    return {
        "type": "scatter",
        "name": name,
        "mode": settings.get("mode", "lines"),
        "x": x.tolist(),
        "y": rounded(y),
        "line": stroke,
        "marker": {"size": 5, "color": colour},
        "opacity": settings.get("opacity", 1.0),
        "hovertemplate": "step %{x}<br>%{y:.4g}",
    }


def mode(points: int) -> str:
    """Few points are marked one by one."""
    return "lines+markers" if points <= 40 else "lines"


def picture(data: list[Chart], x_title: str, y_title: str, log: bool = False) -> Chart:
    """Traces with axes and margins around them; the page adds the colours of its theme."""
    axis = {"automargin": True, "zeroline": False}
    scale = {"type": "log", "exponentformat": "power", **_powers(data)} if log else _linear(data)
    around = {
        "height": 320,
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
        "xaxis": {"title": {"text": x_title}, **axis},
        "yaxis": {"title": {"text": y_title}, **axis, **scale},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hovermode": "closest",
    }
    return {"data": data, "layout": around}


def _linear(data: list[Chart]) -> Chart:
    """A constant is drawn in the middle of an axis of its own size; plotly would show it as 0 ± 1."""
    values = {value for trace in data for value in trace["y"] if isinstance(value, float)}
    if len(values) != 1 or values == {0.0}:
        return {"type": "linear"}
    value = values.pop()
    return {"type": "linear", "range": sorted([0.5 * value, 1.5 * value])}


def _powers(data: list[Chart]) -> Chart:
    """Ticks at whole powers of ten, about six of them; plotly's own where there is no room for two."""
    values = [value for trace in data for value in trace["y"] if value is not None and value > 0]
    decades = math.log10(max(values)) - math.log10(min(values)) if values else 0.0
    return {"dtick": math.ceil(decades / 6)} if decades > 1.5 else {}


def spans_decades(values: Floats, factor: float = 100.0) -> bool:
    """Whether values spread so far that a logarithmic axis shows more; none may be negative."""
    positive = values[np.isfinite(values) & (values > 0)]
    return bool(len(positive) and not (values < 0).any() and positive.max() / positive.min() >= factor)


def dense_at_first(steps: Steps) -> bool:
    """Whether half of the samples lie in the first tenth of the run, which a linear axis would hide."""
    if len(steps) < 4:
        return False
    return bool(steps[len(steps) // 2] - steps[0] < 0.1 * (steps[-1] - steps[0]))


def axis_title(signal: str, unit: str, title: str = "") -> str:
    """The signal's title (or `title`) with its unit."""
    title, said = html.escape(title or word(signal).title), html.escape(unit_words(unit))
    return f"{title} [{said}]" if said else title


def label(name: str) -> str:
    """A layer's name as plotly may show it."""
    return html.escape(clean(name))


def ramp(amount: int) -> list[str]:
    """Colours from the first layer (red) over violet to the last (blue)."""
    ends = ((214, 69, 93), (142, 92, 190), (45, 140, 215))
    colours = []
    for index in range(amount):
        at = 2 * index / max(1, amount - 1)
        low, high = (ends[0], ends[1]) if at <= 1 else (ends[1], ends[2])
        share = at if at <= 1 else at - 1
        colours.append("#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(low, high, strict=True)))
    return colours
