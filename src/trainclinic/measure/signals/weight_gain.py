"""weight_gain."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trainclinic.measure.parameters import ParameterStep
from trainclinic.measure.signal import ParameterSignal


class WeightGain(ParameterSignal):
    """Factor by which a layer's weights stretch a random signal on its way back: RMS(W) · √fan_out.

    For z = W a and an unstructured δ, RMS(Wᵀδ) = RMS(δ) · ‖W‖_F / √fan_in. 1 keeps the size (Glorot & Bengio
    2010); √2 makes up for a ReLU (He et al. 2015). Embeddings pass nothing back and have none.
    """

    unit = "1"

    def values(self, step: ParameterStep) -> Sequence[float]:
        """Root mean square of the weight times the root of the outputs that each input feeds."""
        return [
            norm / math.sqrt(weight.size) * math.sqrt(weight.fan_out)
            for norm, weight in zip(step.weight_norms, step.weights, strict=True)
        ]
