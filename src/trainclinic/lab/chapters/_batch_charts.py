"""Plotly figures as plain dicts, for the chapters on batches and on batch normalisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainclinic.lab.words import Words

BLUE, RED, GREEN, AMBER, VIOLET = "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed"


def chart(data: list[dict[str, Any]], x: str, y: str, **layout: Any) -> dict[str, Any]:
    """A figure with titled axes; `layout` goes over the rest."""
    margin = {"l": 60, "r": 15, "t": 40, "b": 45}
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}  # above: beside, it would take the width
    base: dict[str, Any] = {
        "height": 320,
        "margin": margin,
        "legend": legend,
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
    }
    for axis in ("xaxis", "yaxis"):
        base[axis] = {**base[axis], **layout.pop(axis, {})}
    return {"data": data, "layout": {**base, **layout}}


def line(x: Iterable[float], y: Iterable[float], name: str, color: str, dash: str = "solid") -> dict[str, Any]:
    """A curve."""
    return _trace("lines", x, y, name) | {"line": {"color": color, "dash": dash}}


def dots(x: Iterable[float], y: Iterable[float], name: str, color: str, size: int = 6) -> dict[str, Any]:
    """Points without a line."""
    return _trace("markers", x, y, name) | {"marker": {"color": color, "size": size}}


def in_words(pairs: Iterable[tuple[Words, str]], language: str) -> tuple[tuple[str, ...], ...]:
    """Rows of a table with two columns: what it is, and its value."""
    return tuple((words[language], value) for words, value in pairs)


def _trace(mode: str, x: Iterable[float], y: Iterable[float], name: str) -> dict[str, Any]:
    numbers = {"x": [float(value) for value in x], "y": [float(value) for value in y]}
    return {"type": "scatter", "mode": mode, "name": name, **numbers}
