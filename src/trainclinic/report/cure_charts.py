"""The pictures of a proof: both arms' curves for every seed, and the paired differences."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np

from trainclinic.records import Curve, Difference, Trial
from trainclinic.report.cure_view import measure
from trainclinic.report.drawing import BLUE, GREEN, GREY, ORANGE, RED, Chart, line, picture, spans_decades
from trainclinic.report.words import number

WITHOUT, WITH = ORANGE, BLUE  # told apart without colour too: one is dashed


def curves_chart(trial: Trial) -> Chart:
    """Every run's measure over its steps; the untreated ones are dashed."""
    data = [
        *_arm("without", trial.control, WITHOUT, "dash"),
        *_arm("with the treatment", trial.treated, WITH, "solid"),
    ]
    values = [value for curve in (*trial.control, *trial.treated) for value in curve.values]
    log = trial.measure == "loss" and spans_decades(np.array(values or [1.0]))
    return picture(data, "step", f"{html.escape(measure(trial))} of the validation", log)


def _arm(name: str, curves: Sequence[Curve], colour: str, dash: str) -> list[Chart]:
    drawn = []
    for index, curve in enumerate(curves):
        stroke = line(name, np.array(curve.steps, np.int64), np.array(curve.values, float), colour,
                      mode="lines+markers", dash=dash, opacity=0.8)  # fmt: skip
        hover = f"seed {curve.seed}<br>" + stroke["hovertemplate"]
        drawn.append({**stroke, "hovertemplate": hover, "legendgroup": name, "showlegend": index == 0})
    return drawn


def difference_chart(trial: Trial) -> Chart:
    """One point a seed, at half and at the end of the run; the median with its interval beside them."""
    seeds = [str(curve.seed) for curve in trial.control]
    data = [
        _points("at half of the run", seeds, trial.half, "circle-open", GREY),
        _points("at its end", seeds, trial.full, "circle", GREEN),
        _median(trial.full),
    ]
    chart = picture(
        data, "seed", f"{'ln ratio of the losses' if trial.measure == 'loss' else 'difference'}: up is better"
    )
    around = chart["layout"]
    around["xaxis"]["type"] = "category"
    known = [value for value in (*trial.half.values, *trial.full.values) if math.isfinite(value)]
    low, high = min(0.0, -trial.margin, *known), max(trial.margin, *known)
    room = 0.08 * ((high - low) or 1.0)
    around["yaxis"]["range"] = [low - room, high + room]
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1}
    around["shapes"] = [
        {**across, "y0": 0, "y1": 0, "line": {"color": GREY, "width": 1}},
        {**across, "y0": trial.margin, "y1": trial.margin, "line": {"color": RED, "dash": "dash", "width": 1.5}},
    ]
    place = {"xref": "paper", "x": 0, "xanchor": "left", "y": trial.margin, "yanchor": "bottom", "showarrow": False}
    around["annotations"] = [{**place, "text": f"counts from {number(trial.margin)}", "font": {"color": RED}}]
    return chart


def _points(name: str, seeds: list[str], found: Difference, symbol: str, colour: str) -> Chart:
    return {
        "type": "scatter", "name": name, "mode": "markers", "x": seeds, "y": list(found.values),
        "marker": {"symbol": symbol, "size": 10, "color": colour}, "hovertemplate": "seed %{x}<br>%{y:+.3g}",
    }  # fmt: skip


def _median(found: Difference) -> Chart:
    known = math.isfinite(found.low) and math.isfinite(found.high)
    reach = {"array": [found.high - found.median], "arrayminus": [found.median - found.low]}
    bar = {"type": "data", "symmetric": False, "thickness": 2.5, "width": 8, "color": BLUE, **(reach if known else {})}
    return {
        "type": "scatter", "name": "median, interval of at least 95 %" if known else "median", "mode": "markers",
        "x": ["median"], "y": [found.median], "error_y": {**bar, "visible": known},
        "marker": {"symbol": "diamond", "size": 12, "color": BLUE}, "hovertemplate": "median %{y:+.3g}",
    }  # fmt: skip
