"""The charts of a run as Plotly's plain data: a figure once, and afterwards only what has changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from trainclinic.lab.labels import LABELS
from trainclinic.lab.page.kept import LINEAR, Heat, Kept, Number

COLOURS = ("#2563eb", "#dc2626")  # of this run, and of the one beside it
FONT = {"family": "system-ui, sans-serif", "size": 12, "color": "#334155"}
CONFIG = {"displayModeBar": False, "responsive": True}
SMALLEST = 1e-20  # what is smaller is drawn there

Figure = dict[str, Any]


def layout(title: str, x: str, y: str, height: int, **more: Any) -> Figure:
    """A layout in the page's look."""
    axes = {
        "xaxis": {"title": {"text": x, "standoff": 6}, "gridcolor": "#e2e8f0", "zeroline": False},
        "yaxis": {"title": {"text": y, "standoff": 6}, "gridcolor": "#e2e8f0", "zeroline": False},
    }
    for axis in axes:
        axes[axis] |= more.pop(axis, {})
    return {
        "title": {"text": title, "font": {"size": 13}, "x": 0.01, "xanchor": "left", "y": 0.97, "yanchor": "top"},
        "height": height,
        "margin": {"l": 56, "r": 12, "t": 34, "b": 40},
        "font": FONT,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
        **axes,
        **more,
    }


def curves(metric: str, names: Sequence[str], language: str, *, training: bool) -> Figure:
    """Training (where it is measured at every step) and validation of one metric, of one run or of two."""
    data = []
    for name, colour in zip(names, COLOURS, strict=False):
        several = len(names) > 1
        if training:
            thin = _line(LABELS["training"][language], colour, width=1, opacity=0.45)
            data.append({**thin, "showlegend": not several})  # a legend of four lines would leave no room to draw
        data.append(_line(name if several else LABELS["validation"][language], colour, width=2.5))
    title = LABELS[metric][language] if metric in LABELS else metric
    if training and len(names) > 1:
        title = LABELS["thin"].format(metric=title)[language]
    whole: Figure = {"range": [0, 1.02]} if metric == "accuracy" else {}  # or guesses look like movement
    drawn = layout(title, LABELS["optimizer steps"][language], "", 200 + 20 * (len(names) - 1), yaxis=whole)
    drawn["margin"]["t"] = 34 + 20 * (len(names) - 1)  # the legend has a line more
    return {"data": data, "layout": drawn, "config": CONFIG}


def curves_data(metric: str, runs: Sequence[Kept], *, training: bool) -> tuple[list[Any], list[Any]]:
    """The x and y of every trace of `curves`."""
    x: list[Any] = []
    y: list[Any] = []
    for run in runs:
        if training:
            x.append(list(run.loss.steps))
            y.append(list(run.loss.values))
        curve = run.validation.get(metric)
        x.append(list(curve.steps) if curve else [])
        y.append(list(curve.values) if curve else [])
    return x, y


def _line(name: str, colour: str, *, width: float, opacity: float = 1.0) -> Figure:
    return {
        "type": "scatter", "mode": "lines+markers" if opacity == 1.0 else "lines", "name": name, "x": [], "y": [],
        "line": {"color": colour, "width": width}, "marker": {"size": 5}, "opacity": opacity,
    }  # fmt: skip


def profile(signal: str, names: Sequence[str], language: str) -> Figure:
    """One signal at present, over the layers."""
    data = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": [], "y": [], "text": [],
         "line": {"color": colour, "width": 2}, "marker": {"size": 7},
         "hovertemplate": "%{text}<br>%{y:.3g}<extra></extra>"}
        for name, colour in zip(names, COLOURS, strict=False)
    ]  # fmt: skip
    y: Figure = {} if signal in LINEAR else {"type": "log", "exponentformat": "power", "nticks": 6}
    drawn = layout(LABELS["per layer"][language], LABELS["layer"][language], "", 230,
                   yaxis=y, showlegend=len(names) > 1)  # fmt: skip
    return {"data": data, "layout": drawn, "config": CONFIG}


def profile_data(signal: str, runs: Sequence[Kept]) -> tuple[list[Any], list[Any], list[Any]]:
    """The x, y and text of every trace of `profile`: layers counted from 1."""
    x: list[Any] = []
    y: list[Any] = []
    text: list[Any] = []
    for run in runs:
        heat = run.heat.get(signal, Heat())
        x.append(list(range(1, len(heat.layers) + 1)))
        y.append(heat.latest if signal in LINEAR else [_floored(value) for value in heat.latest])
        text.append(list(heat.layers))
    return x, y, text


def heatmap(signal: str, name: str, language: str) -> Figure:
    """One signal over layers and steps: the first layer is at the bottom."""
    bar: Figure = {"thickness": 10, "outlinewidth": 0}
    if signal not in LINEAR:
        bar |= {"tickprefix": "10<sup>", "ticksuffix": "</sup>"}
    data = [{"type": "heatmap", "x": [], "y": [], "z": [], "colorscale": "Viridis", "colorbar": bar,
             "hovertemplate": "%{y}<br>%{x}: %{z:.2f}<extra></extra>"}]  # fmt: skip
    y = {"type": "category", "showgrid": False, "nticks": 6, "automargin": True}
    drawn = layout(name, LABELS["optimizer steps"][language], "", 230, yaxis=y)
    return {"data": data, "layout": drawn, "config": CONFIG}


def heatmap_data(signal: str, run: Kept) -> tuple[list[int], list[str], list[list[Number]]]:
    """The x, y and z of `heatmap`; z in decades, or as it is for shares."""
    heat = run.heat.get(signal, Heat())
    rows = [[column[row] for column in heat.columns] for row in range(len(heat.layers))]
    if signal not in LINEAR:
        rows = [[_decades(value) for value in row] for row in rows]
    return list(heat.steps), list(heat.layers), rows


def span(signal: str, runs: Sequence[Kept]) -> tuple[float, float]:
    """Smallest and largest z of all runs, so that the colours mean the same beside each other."""
    if signal in ("saturated_share", "dead_unit_fraction"):
        return 0.0, 1.0
    found = [value for run in runs for row in heatmap_data(signal, run)[2] for value in row if value is not None]
    return (min(found), max(max(found), min(found) + 1e-3)) if found else (0.0, 1.0)


def _floored(value: Number) -> Number:
    return None if value is None else max(abs(value), SMALLEST)


def _decades(value: Number) -> Number:
    return None if value is None else round(math.log10(max(abs(value), SMALLEST)), 3)
