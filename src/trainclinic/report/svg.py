"""A chart of lines as a small static picture: for notebooks, where plotly.js would weigh five megabytes."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from trainclinic.report.drawing import Chart
from trainclinic.report.words import number

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 40
LEGEND = 18  # height of a line of the legend
LETTER = 6.4  # width of a letter at 11 px, for the legend


@dataclass(frozen=True)
class Axis:
    """From data to pixels.

    Attributes:
        low: smallest value shown, as an exponent when `log`.
        high: largest value shown.
        start: pixel of `low`.
        end: pixel of `high`.
        log: whether the scale is logarithmic.
        names: the categories in order; () for numbers.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    names: tuple[str, ...] = ()

    def __call__(self, value: float | str) -> float:
        """The pixel of a value; NaN where it has none."""
        if isinstance(value, str):
            at = float(self.names.index(value))
        elif self.log:
            at = math.log10(value) if value > 0 else math.nan
        else:
            at = value
        return self.start + (at - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[tuple[float, str]]:
        """(pixel, text) at round values."""
        if self.names:
            step = math.ceil(len(self.names) / most)
            return [(self(name), name) for name in self.names[::step]]
        values = _round_values(self.low, self.high, most, whole=self.log)
        if self.log:
            return [(self(10.0**value), number(10.0**value)) for value in values]
        return [(self(value), number(value)) for value in values]


def draw(chart: Chart, alt: str) -> str:
    """The chart as an `<svg>` element; texts in it are escaped, `alt` is what a screen reader says."""
    traces = [trace for trace in chart["data"] if trace["type"] == "scatter"]
    around = chart["layout"]
    xs = [value for trace in traces for value in trace["x"]]
    ys = [value for trace in traces for value in trace["y"] if value is not None]
    shapes = [shape for shape in around.get("shapes", ()) if shape.get("yref") != "paper"]
    x = _axis(xs, LEFT, WIDTH - RIGHT, log=False)
    log = around["yaxis"]["type"] == "log"
    reach = [] if log else around["yaxis"].get("range", [])  # of a logarithmic axis plotly wants the exponents
    y = _axis([*ys, *(shape["y0"] for shape in shapes), *reach], HEIGHT - BOTTOM, TOP, log)
    legend, below = _legend(traces)
    parts = [
        _frame(x, y, around),
        *(_limit(shape, y) for shape in shapes),
        *(_trace(trace, x, y) for trace in traces),
        legend,
    ]
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + below}"'
    style = f"width:100%;max-width:{WIDTH}px;font:11px system-ui,sans-serif"
    return f'<svg {head} role="img" aria-label="{html.escape(alt)}" style="{style}">{"".join(parts)}</svg>'


def _axis(values: Sequence[float | str], start: float, end: float, log: bool) -> Axis:
    names = tuple(dict.fromkeys(value for value in values if isinstance(value, str)))
    if names:
        return Axis(0, max(1, len(names) - 1), start, end, names=names)
    numbers = [float(value) for value in values if not isinstance(value, str) and (value > 0 or not log)]
    if not numbers:
        return Axis(0, 1, start, end, log)
    low, high = min(numbers), max(numbers)
    if log:
        low, high = math.log10(low), math.log10(high)
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    return Axis(low, high, start, end, log)


def _round_values(low: float, high: float, most: int, whole: bool) -> list[float]:
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    while (high - low) / step > most:
        step *= 2 if f"{step:e}"[0] != "2" else 2.5
    step = max(1.0, round(step)) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [at * step for at in range(first, math.floor(high / step + 1e-9) + 1)]


def _frame(x: Axis, y: Axis, around: Chart) -> str:
    parts = []
    for at, said in y.ticks():
        parts += [_rule(at, "currentColor", 'opacity=".15"'), _text(LEFT - 6, at + 4, said, "end")]
    for at, said in x.ticks(7):
        inside = WIDTH - 4 - LETTER * len(said) / 2  # else the last one would be cut
        parts.append(_text(min(at, inside), HEIGHT - BOTTOM + 15, said, "middle"))
    title = around["yaxis"]["title"]["text"]
    turned = f'transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"'
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, around["xaxis"]["title"]["text"], "middle"))
    parts.append(f'<text {turned} text-anchor="middle" fill="currentColor">{title}</text>')
    return "".join(parts)


def _text(left: float, top: float, said: str, anchor: str = "start") -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}" fill="currentColor">{said}</text>'


def _rule(height: float, colour: str, style: str) -> str:
    ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}"'
    return f'<line {ends} stroke="{colour}" {style}/>'


def _trace(trace: Chart, x: Axis, y: Axis) -> str:
    places = [
        (x(at), y(value)) if value is not None else (math.nan, math.nan)
        for at, value in zip(trace["x"], trace["y"], strict=True)
    ]
    stroke, mode = trace["line"], trace["mode"]
    parts = []
    if "lines" in mode:
        dash = {"dash": "6 4", "dot": "2 3"}.get(stroke.get("dash", ""), "none")
        style = f'stroke="{stroke["color"]}" stroke-width="{stroke["width"]}" stroke-dasharray="{dash}"'
        opacity = trace.get("opacity", 1)
        parts.append(f'<path d="{_path(places)}" fill="none" {style} opacity="{opacity}"/>')
    if "markers" in mode:
        colour = trace["marker"]["color"]
        known = [(left, top) for left, top in places if math.isfinite(left + top)]
        parts += [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="2.4" fill="{colour}"/>' for left, top in known]
    return "".join(parts)


def _path(places: list[tuple[float, float]]) -> str:
    words, pen = [], "M"
    for left, top in places:
        if math.isfinite(left + top):
            words.append(f"{pen}{left:.1f} {top:.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(words)


def _limit(shape: Chart, y: Axis) -> str:
    height = y(float(shape["y0"]))
    return _rule(height, shape["line"]["color"], 'stroke-dasharray="6 4"') if math.isfinite(height) else ""


def _legend(traces: list[Chart]) -> tuple[str, int]:
    """The legend under the picture, and its height."""
    left, line, parts = float(LEFT), 0, []
    for trace in (one for one in traces if one.get("showlegend", True)):
        width = 26 + LETTER * len(html.unescape(trace["name"]))
        if left + width > WIDTH and left > LEFT:
            left, line = float(LEFT), line + 1
        top = HEIGHT + 8 + LEGEND * line
        stroke = f'stroke="{trace["line"]["color"]}" stroke-width="3"'
        parts.append(f'<path d="M{left:.0f} {top}h14" {stroke}/>')
        parts.append(_text(left + 18, top + 4, trace["name"]))
        left += width
    return "".join(parts), LEGEND * (line + 1)
