"""The picture of the chain: what every layer does to the gradient on its way back from the loss."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trainclinic.diagnose.chain import Link, chain
from trainclinic.recording import Recording
from trainclinic.report.drawing import BLUE, GREEN, ORANGE, Chart, label, picture
from trainclinic.report.thin import rounded, rows
from trainclinic.report.words import short

MOST_LABELS = 32
BROAD = 5.0  # a line this wide is drawn without markers
PALE_BLUE, PALE_GREY = "#8fb8ea", "#b9bec6"
SIGMOID_BOUND = 0.25  # the largest slope of the sigmoid


def chain_chart(recording: Recording) -> Chart | None:
    """The backward signal relative to the last layer, beside the products that make it and the bound 0.25ⁿ.

    From left to right as the gradient flows: the last layer, next to the loss, comes first.
    """
    early = chain(recording, "early")
    if len(early) < 2 or not math.isfinite(_relative(early)[-1]):
        return None
    late = _relative(chain(recording, "late"))
    lines = []  # what is expected lies broad and pale under what was measured: often they cover one another
    if any(link.activation for link in early):
        lines.append(("0.25ⁿ: the most that n sigmoids let through", _bound(early), PALE_GREY, "solid", 7.0))
        lines.append(("product of |φ′|", _product(early, _slope), ORANGE, "solid", 1.8))
        lines.append(("product of weight gain × |φ′|", _product(early, _step_back), PALE_BLUE, "solid", 7.0))
    lines.append(("measured, first steps", _relative(early), BLUE, "solid", 2.0))
    if any(math.isfinite(value) for value in late):
        lines.append(("measured, end of the run", late, GREEN, "dot", 2.0))
    places = [label(link.layer.name) for link in reversed(early)]
    data = [_stroke(name, places, values[::-1], style) for name, values, *style in lines]
    chart = picture(data, "from the loss back to the first layer", "relative to the last layer", log=True)
    shown = [early[::-1][index].layer.name for index in rows(len(early), MOST_LABELS)]
    chart["layout"]["xaxis"] |= {
        "type": "category",
        "tickmode": "array",
        "tickvals": [label(name) for name in shown],
        "ticktext": [html.escape(short(name, 18)) for name in shown],
    }
    chart["layout"]["height"] = 400
    return chart


def _relative(links: tuple[Link, ...]) -> list[float]:
    last = links[-1].backward if links else math.nan
    return [link.backward / last if last else math.nan for link in links]


def _product(links: tuple[Link, ...], factor: Callable[[Link, Link], float]) -> list[float]:
    """The running product of `factor(link, next link)` from the last link back to the first."""
    values = [1.0]
    for here, after in zip(links[-2::-1], links[:0:-1], strict=True):
        values.append(values[-1] * factor(here, after))
    return values[::-1]


def _slope(here: Link, after: Link) -> float:
    """What the activation behind `here` lets through; a layer without one passes everything."""
    return here.derivative if here.activation else 1.0


def _step_back(here: Link, after: Link) -> float:
    return after.gain * _slope(here, after)


def _bound(links: tuple[Link, ...]) -> list[float]:
    return _product(links, lambda here, after: SIGMOID_BOUND if here.activation else 1.0)


def _stroke(name: str, places: list[str], values: list[float], style: Sequence[Any]) -> Chart:
    colour, dash, width = style
    positive = np.array([value if value > 0 else math.nan for value in values])
    return {
        "type": "scatter",
        "name": name,
        "mode": "lines" if width > BROAD else "lines+markers",
        "x": places,
        "y": rounded(positive),
        "line": {"color": colour, "dash": dash, "width": width},
        "marker": {"size": 5, "color": colour},
        "hovertemplate": "%{x}<br>%{y:.3g}",
    }
