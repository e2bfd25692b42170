"""output_mean."""

from __future__ import annotations

from collections.abc import Mapping

from trainclinic.measure.run_step import RunStep
from trainclinic.measure.signal import RunSignal


class OutputMean(RunSignal):
    """Mean of what the loss gets from the model, over one batch."""

    unit = "1"

    def values(self, step: RunStep) -> Mapping[str, float]:
        """Over all elements; absent where the loss was not seen."""
        return {"": step.outputs.mean} if step.outputs else {}
