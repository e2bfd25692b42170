"""Plotly figures as plain dicts, and numbers as text, as the plays show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainclinic.lab.words import Words

BLUE, RED, GREEN, AMBER, VIOLET = "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed"
GREY = "#94a3b8"  # of what stands behind: contours, a line to compare with


def chart(data: list[dict[str, Any]], x: str, y: str, **layout: Any) -> dict[str, Any]:
    """A figure with titled axes; `layout` is Plotly's, `xaxis` and `yaxis` go over the titles."""
    axes = {name: {"title": {"text": title}, **layout.pop(name, {})} for name, title in (("xaxis", x), ("yaxis", y))}
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    margin = {"l": 60, "r": 16, "t": 30, "b": 48}
    return {"data": data, "layout": {"height": 320, "margin": margin, "legend": legend, **axes, **layout}}


def line(x: Iterable[float], y: Iterable[float], name: str, colour: str, **style: Any) -> dict[str, Any]:
    """A curve; `style` is Plotly's of a line: dash, width."""
    return _trace("lines", x, y, name) | {"line": {"color": colour, **style}}


def dots(x: Iterable[float], y: Iterable[float], name: str, colour: str, **style: Any) -> dict[str, Any]:
    """Points without a line; `style` is Plotly's of a marker: size, symbol."""
    return _trace("markers", x, y, name) | {"marker": {"color": colour, "size": 9, **style}}


def contours(x: Iterable[float], y: Iterable[float], z: Any, **more: Any) -> dict[str, Any]:
    """Grey contour lines of `z`, (rows of y, columns of x); they do not answer to the pointer."""
    return {
        "type": "contour",
        "x": [float(value) for value in x],
        "y": [float(value) for value in y],
        "z": [[float(value) for value in row] for row in z],
        "contours": {"coloring": "none"},
        "line": {"color": GREY, "width": 1},
        "showscale": False,
        "showlegend": False,
        "hoverinfo": "skip",
        **more,
    }


def in_words(pairs: Iterable[tuple[Words, str]], language: str) -> tuple[tuple[str, ...], ...]:
    """Rows of a table with two columns: what it is, and its value."""
    return tuple((words[language], value) for words, value in pairs)


def _trace(mode: str, x: Iterable[float], y: Iterable[float], name: str) -> dict[str, Any]:
    numbers = {"x": [float(value) for value in x], "y": [float(value) for value in y]}
    return {"type": "scatter", "mode": mode, "name": name, **numbers}
