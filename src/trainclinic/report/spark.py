"""A series in one line of text, for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

BARS = "▁▂▃▄▅▆▇█"
MISSING = "·"


def spark(values: Sequence[float], width: int = 40, log: bool = True, least: float = 0.0) -> str:
    """Bars from the smallest to the largest value.

    Args:
        values: in order; where a stretch of them holds nothing finite there stands "·".
        width: number of bars at most.
        log: whether equal ratios look alike; values that are not positive are then left out.
        least: the smallest spread that fills the whole height [decades when `log`].

    Returns:
        The bars, or "" when nothing finite was measured.
    """
    numbers = np.asarray(values, dtype=float)
    if log:
        numbers = np.log10(np.where((numbers > 0) & (numbers < np.inf), numbers, np.nan))
    heights = (
        [_median(stretch) for stretch in np.array_split(numbers, min(width, len(numbers)))] if len(numbers) else []
    )
    known = [height for height in heights if math.isfinite(height)]
    if not known:
        return ""
    low, high = min(known), max(known)
    if high - low < least:
        low = (low + high) / 2 - least * (len(BARS) / 2 - 0.5) / len(BARS)  # in the middle of a bar
        high = low + least
    return "".join(_bar(height, low, high) for height in heights)


def _median(values: np.typing.NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def _bar(height: float, low: float, high: float) -> str:
    if not math.isfinite(height):
        return MISSING
    share = (height - low) / (high - low) if high > low else 0.5
    return BARS[min(len(BARS) - 1, int(share * len(BARS)))]
