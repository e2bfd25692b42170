"""Plotly figures of lines and bars, as the plays show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed")


def line(name: str, x: Sequence[float], y: Sequence[float], colour: int, **more: Any) -> dict[str, Any]:
    """One line in one of `COLOURS`; `more` is Plotly's own: a mode, a dash."""
    style = {"color": COLOURS[colour], **more.pop("line", {})}
    return {"type": "scatter", "mode": "lines", "name": name, "x": list(x), "y": list(y), "line": style, **more}


def chart(data: list[dict[str, Any]], x: str, y: str, *, log: str = "", **more: Any) -> dict[str, Any]:
    """A figure with titled axes.

    Args:
        data: its traces.
        x: title of the horizontal axis.
        y: title of the vertical axis.
        log: which axes are logarithmic: "", "x", "y" or "xy".
        more: of Plotly's layout.
    """
    power = {"type": "log", "exponentformat": "power", "dtick": None}
    layout = {
        "height": 320,
        "margin": {"l": 64, "r": 16, "t": 16, "b": 48},
        "xaxis": {"title": {"text": x}, **(power if "x" in log else {})},
        "yaxis": {"title": {"text": y}, **(power if "y" in log else {})},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        **more,
    }
    return {"data": data, "layout": layout}


def marker(at: float) -> dict[str, Any]:
    """A dotted upright line through the whole figure, as a shape of its layout."""
    style = {"color": COLOURS[3], "dash": "dot"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": style}
