"""backward_call_span."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainclinic.measure.signal import Signal

FEWEST = 8  # calls in one step; fewer are micro-batches rather than time steps


class BackwardCallSpan(Signal):
    """Growth of the backward signal through all calls of a layer that is called again and again in one step.

    A recurrent cell is called once per time step: the slope of log10 RMS against the calls, last call first, times
    their number, is what backpropagation through time does to the gradient. Positive: it grows on its way back.
    """

    unit = "decades"

    @staticmethod
    def span(rms: Sequence[float]) -> float:
        """Least-squares slope × (calls − 1); `rms` in the order of the backward pass.

        NaN with fewer than 8 calls whose signal was neither zero nor infinite.
        """
        points = [(index, math.log10(value)) for index, value in enumerate(rms) if 0 < value < math.inf]
        if len(points) < FEWEST:
            return math.nan
        x_mean = sum(x for x, _ in points) / len(points)
        y_mean = sum(y for _, y in points) / len(points)
        spread = sum((x - x_mean) ** 2 for x, _ in points)
        slope = sum((x - x_mean) * (y - y_mean) for x, y in points) / spread
        return slope * (len(rms) - 1)
