"""output_spread."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class OutputSpread(RunSignal):
    """How far the model's answers to different samples of one batch lie apart: 0 for one that ignores its input."""

    unit = "1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Deviation between samples, root mean square over the outputs; absent where no output was seen."""
        return {} if math.isnan(step.spread) else {"": step.spread}
