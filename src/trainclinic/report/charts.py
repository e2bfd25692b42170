"""The pictures, as plain plotly figures: dictionaries of `data` and `layout`, without a theme.

`plotly.graph_objects.Figure(chart)` takes each of them as it is. Names of layers are escaped, because plotly
reads a little HTML in its labels.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainclinic.diagnose.problem import Problem
from trainclinic.recording import Floats, Layer, Recording, Series
from trainclinic.records import Evidence, Finding
from trainclinic.report import thin
from trainclinic.report.drawing import (
    BLUE,
    GREY,
    MAGENTA,
    ORANGE,
    RED,
    SCALE,
    Chart,
    axis_title,
    dense_at_first,
    label,
    line,
    mode,
    picture,
    ramp,
    spans_decades,
)
from trainclinic.report.words import LAYER_SIGNALS, RUN_SIGNALS, number, short, unit_words, word

MOST_LINES = 12  # in one picture
MOST_LABELS = 48  # on one axis
MOST_ROWS = 240  # of a heatmap: more would be thinner than a line on the screen


def loss_chart(recording: Recording) -> Chart | None:
    """The loss over the steps, the validation loss beside it, and where the loss was not finite."""
    loss, validation = recording.series("loss"), recording.series("validation_loss")
    if not loss and not validation:
        return None
    steps, values = thin.line(loss)
    smooth_steps, smooth_values = thin.smooth(loss)
    dim = 0.45 if len(smooth_steps) else 1.0
    data = [line("training loss", steps, values, BLUE, opacity=dim)]
    if len(smooth_steps):
        data.append(line("running median", smooth_steps, smooth_values, BLUE, width=2.5))
    if validation:
        steps, shown = thin.line(validation)
        data.append(line("validation loss", steps, shown, ORANGE, width=2.5, mode=mode(len(steps))))
    log = spans_decades(np.concatenate([loss.values, validation.values]))
    chart = picture(data, "step", axis_title("loss", loss.unit, "Loss"), log)
    _mark_non_finite(chart, loss)
    return chart


def _mark_non_finite(chart: Chart, loss: Series) -> None:
    bad = loss.steps[~np.isfinite(loss.values)]
    if not len(bad):
        return
    finite = loss.values[np.isfinite(loss.values)]
    height = float(finite.max()) if len(finite) else 1.0
    shown = bad[thin.rows(len(bad), 150)]
    marks = line("not finite (NaN or ∞)", shown, np.full(len(shown), height), RED, mode="markers")
    chart["data"].append({**marks, "marker": {"symbol": "x", "size": 8, "color": RED}})
    first = int(bad[0])
    chart["layout"]["shapes"] = [
        {
            "type": "line",
            "x0": first,
            "x1": first,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": RED, "dash": "dot"},
        }
    ]
    side = "left" if first < (loss.steps[0] + loss.steps[-1]) / 2 else "right"
    place = {"x": first, "y": 0, "yref": "paper", "xanchor": side, "yanchor": "bottom", "showarrow": False}
    said = {"text": f"first non-finite: step {first}", "font": {"color": RED}}
    chart["layout"]["annotations"] = [{**place, **said}]


def run_chart(recording: Recording, signal: str) -> Chart | None:
    """One signal of the whole run (or of the optimizer's groups) over the steps."""
    found = [("", recording.series(signal))]
    found += [(name, recording.series(signal, name)) for name in (f"group {index}" for index in range(MOST_LINES))]
    found = [(name, series) for name, series in found if series]
    if not found:
        return None
    colours = ramp(len(found)) if len(found) > 1 else [BLUE]
    data = [
        line(name or word(signal).title, *thin.line(series), colour, mode=mode(len(series)))
        for (name, series), colour in zip(found, colours, strict=True)
    ]
    values = np.concatenate([series.values for _, series in found])
    title = axis_title(signal, recording.units.get(signal, "1"))
    return picture(data, "step", title, word(signal).log and spans_decades(values, 10))


def heatmap(recording: Recording, signal: str) -> Chart | None:
    """One signal over layers × steps: the first layer on top, log10 where the value is a size."""
    matrix = recording.matrix(signal)
    if not len(matrix.layers) or not len(matrix.steps):
        return None
    columns, rows = thin.columns(matrix.steps), thin.rows(len(matrix.layers), MOST_ROWS)
    steps, values = matrix.steps[columns], matrix.values[rows][:, columns]
    layers = [matrix.layers[row] for row in rows]
    log = word(signal).log
    with np.errstate(divide="ignore", invalid="ignore"):
        shown = np.log10(values) if log else values
    labels = [label(layer.name) for layer in layers]
    grid = {"type": "heatmap", "x": steps.tolist(), "y": labels}
    unit = f" {html.escape(unit_words(matrix.unit))}".rstrip()
    bar = {
        "title": {"text": ("log₁₀" if log else "") + unit, "side": "right"},
        "thickness": 12,
        "outlinewidth": 0,
    }
    hover = "%{y}<br>step %{x}<br>" + ("10^%{z:.2f}" if log else "%{z:.3g}") + unit + "<extra></extra>"
    data = [
        {
            **grid,
            "z": [thin.rounded(row) for row in shown],
            "colorscale": SCALE,
            "colorbar": bar,
            "hovertemplate": hover,
            **_range(signal, shown),
        }
    ]
    data += _special(grid, "exactly 0", GREY, (values == 0) if log else np.zeros(values.shape, bool))
    data += _special(grid, "not finite", MAGENTA, np.isinf(values))
    chart = picture(data, "step", "")
    around = chart["layout"]
    if dense_at_first(steps):  # a linear axis would hide the first steps
        around["xaxis"] |= {"type": "category", "title": {"text": "step (one column per look)"}, "nticks": 12}
    around["yaxis"] = layer_axis(layers, of=len(matrix.layers))
    around["height"] = int(min(900, max(280, 22 * len(labels) + 90)))
    return chart


def _range(signal: str, shown: Floats) -> dict[str, float]:
    if signal == "gradient_cosine":
        return {"zmin": -1, "zmax": 1}
    if signal in ("saturated_share", "dead_unit_fraction"):
        return {"zmin": 0, "zmax": 1}
    known = shown[np.isfinite(shown)]
    spread = known.max() - known.min() if len(known) else 0.0
    if not len(known) or not word(signal).log or spread >= 1:
        return {}
    middle = float(known.max() + known.min()) / 2  # within one decade everything looks alike, because it is
    return {"zmin": middle - 0.5, "zmax": middle + 0.5}


def _special(grid: Chart, name: str, colour: str, where: Any) -> list[Chart]:
    if not where.any():
        return []
    cells = [[1 if cell else None for cell in row] for row in where.tolist()]
    hover = f"%{{y}}<br>step %{{x}}<br>{name}<extra></extra>"
    flat = [[0, colour], [1, colour]]
    return [
        {
            **grid,
            "name": name,
            "z": cells,
            "colorscale": flat,
            "showscale": False,
            "showlegend": True,
            "hovertemplate": hover,
        }
    ]


def layer_axis(layers: Sequence[Layer], of: int) -> Chart:
    """An axis of layer names, the first on top; says so where they are not all `of` them."""
    said = f"{len(layers)} of {of:,} layers, evenly chosen" if len(layers) < of else ""
    shown = [layers[index].name for index in thin.rows(len(layers), MOST_LABELS)]
    return {
        "type": "category",
        "autorange": "reversed",
        "tickmode": "array",
        "tickvals": [label(name) for name in shown],
        "ticktext": [html.escape(short(name, 22)) for name in shown],
        "automargin": True,
        "title": {"text": said},
    }


def finding_charts(recording: Recording, finding: Finding, problem: type[Problem] | None, most: int = 2) -> list[Chart]:
    """The pictures of a finding: the signals its evidence names, over the steps, with the limit as a line.

    Where the evidence names only derived quantities, the signals that the problem reads are drawn.
    """
    named = [entry.signal for entry in finding.evidence]
    read = list(problem.reads) if problem else []
    known = [signal for signal in dict.fromkeys(named + read) if signal in recording.signals]
    drawn = [signal for signal in known if signal in named] or sorted(
        known, key=lambda name: name not in LAYER_SIGNALS
    )[:1]
    if "loss" in drawn and "validation_loss" in drawn:
        drawn.remove("validation_loss")  # they stand in one picture
    charts = [_signal_chart(recording, finding, signal) for signal in drawn]
    return [chart for chart in charts if chart][:most]


def _signal_chart(recording: Recording, finding: Finding, signal: str) -> Chart | None:
    if signal in ("loss", "validation_loss"):
        chart = loss_chart(recording)
        return _with_limits(chart, finding, signal, recording) if chart else None
    named = [entry.layer for entry in finding.evidence if entry.signal == signal]
    layers = [name for name in dict.fromkeys([*finding.layers, *named]) if recording.series(signal, name)]
    if not layers:
        layers = [layer.name for layer in recording.measured(signal)]
    order = {layer.name: layer.position for layer in recording.layers}
    layers.sort(key=lambda name: order.get(name, -1))
    layers = [layers[index] for index in thin.rows(len(layers), MOST_LINES)]
    chart = _lines(recording, signal, layers) if layers else run_chart(recording, signal)
    return _with_limits(chart, finding, signal, recording) if chart else None


def _with_limits(chart: Chart, finding: Finding, signal: str, recording: Recording) -> Chart:
    for entry in finding.evidence:
        _draw_limit(chart, entry, signal, recording.units.get(signal, "1"))
    return chart


def _lines(recording: Recording, signal: str, layers: list[str]) -> Chart:
    found = [recording.series(signal, name) for name in layers]
    data = [
        line(
            html.escape(short(name)) or word(signal).title,
            *thin.line(series, 400),
            colour,
            mode=mode(len(series)),
        )
        for name, series, colour in zip(layers, found, ramp(len(layers)), strict=True)
    ]
    values = np.concatenate([series.values for series in found])
    title = axis_title(signal, recording.units.get(signal, "1"))
    return picture(data, "step", title, word(signal).log and spans_decades(values, 10))


def _draw_limit(chart: Chart, entry: Evidence, signal: str, unit: str) -> None:
    log = chart["layout"]["yaxis"]["type"] == "log"
    if entry.signal != signal or entry.unit != unit or not math.isfinite(entry.limit) or (log and entry.limit <= 0):
        return
    shapes = chart["layout"].setdefault("shapes", [])
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": entry.limit, "y1": entry.limit}
    if across in [{key: shape[key] for key in across} for shape in shapes]:
        return
    shapes.append({**across, "line": {"color": RED, "dash": "dash", "width": 1.5}})
    height = math.log10(entry.limit) if log else entry.limit  # plotly wants the exponent here, not in shapes
    text = f"limit {number(entry.limit, entry.unit)}"
    place = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "y": height,
        "yanchor": "bottom",
        "showarrow": False,
    }
    chart["layout"].setdefault("annotations", []).append({**place, "text": text, "font": {"color": RED}})


def layer_signals(recording: Recording) -> tuple[str, ...]:
    """The recorded signals that belong to layers, the table's first."""
    found = [signal for signal in recording.signals if recording.measured(signal) and signal not in RUN_SIGNALS]
    order = list(LAYER_SIGNALS)
    return tuple(sorted(found, key=lambda signal: order.index(signal) if signal in order else len(order)))


def run_signals(recording: Recording) -> tuple[str, ...]:
    """The recorded signals of the whole run, without the losses, which have their own picture."""
    rest = [signal for signal in recording.signals if signal not in layer_signals(recording)]
    return tuple(signal for signal in rest if signal not in ("loss", "validation_loss", "replica_fingerprint"))
