"""A long run in few enough points for a picture: a page with a million steps must still open."""

from __future__ import annotations

import math

import numpy as np

from trainclinic.recording import Floats, Series, Steps

POINTS = 1200  # of a line
COLUMNS = 160  # of a heatmap


def line(series: Series, points: int = POINTS) -> tuple[Steps, Floats]:
    """The finite part of a series; of a long one the smallest and largest value of every stretch."""
    finite = np.isfinite(series.values)
    steps, values = series.steps[finite], series.values[finite]
    if len(steps) <= points:
        return steps, values
    kept = []
    for stretch in np.array_split(np.arange(len(steps)), points // 2):
        kept += sorted({stretch[values[stretch].argmin()], stretch[values[stretch].argmax()]})
    kept = sorted({0, *kept, len(steps) - 1})
    return steps[kept], values[kept]


def smooth(series: Series, points: int = 240) -> tuple[Steps, Floats]:
    """The running median over a fiftieth of the run; empty where there is too little to smooth."""
    finite = np.isfinite(series.values)
    steps, values = series.steps[finite], series.values[finite]
    half = len(steps) // 100
    if half < 1:
        return steps[:0], values[:0]
    centres = np.unique(np.linspace(0, len(steps) - 1, min(points, len(steps))).astype(int))
    medians = [np.median(values[max(0, at - half) : at + half + 1]) for at in centres]
    return steps[centres], np.array(medians)


def columns(steps: Steps, most: int = COLUMNS) -> Steps:
    """Indices of the steps a heatmap shows: all of them, or as many as fit, with the first and the last."""
    if len(steps) <= most:
        return np.arange(len(steps), dtype=np.int64)
    return np.unique(np.linspace(0, len(steps) - 1, most).astype(np.int64))


def rows(amount: int, most: int) -> list[int]:
    """Indices of `amount` rows, evenly chosen, the first and last among them, when they are many."""
    if amount <= most:
        return list(range(amount))
    return sorted({round(at * (amount - 1) / (most - 1)) for at in range(most)})


def rounded(values: Floats, digits: int = 4) -> list[float | None]:
    """Numbers with few digits, so that a page stays small; None where not finite."""
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in values.tolist()]
