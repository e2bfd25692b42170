"""RunStep: what one optimizer step showed of the run as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from trainclinic.measure.reductions import SAMPLE, as_real, dense, spread


@dataclass(frozen=True)
class Moments:
    """Mean and (population) standard deviation of one tensor's elements."""

    mean: float
    std: float

    @classmethod
    def of(cls, tensor: Tensor) -> Moments | None:
        """None for an empty or complex tensor; on at most 4,096 evenly spread elements."""
        if not tensor.numel() or tensor.is_complex():
            return None
        sample = spread(dense(tensor.detach())).double()
        return cls(float(sample.mean()), float(sample.std(correction=0)))


def between_samples(tensor: Tensor) -> Tensor | None:
    """Deviation between samples (dim 0), root mean square over the other dimensions, on the tensor's device.

    None for a single sample; on about 4,096 elements, evenly spread.
    """
    tensor = as_real(dense(tensor.detach()))
    if tensor.ndim == 0 or len(tensor) < 2 or not tensor.numel():
        return None
    rows = tensor.reshape(len(tensor), -1)
    rows = rows[:, :: max(1, -(-rows.numel() // SAMPLE))].double()
    return rows.var(0, correction=0).mean().sqrt()


@dataclass(frozen=True)
class RunStep:
    """At one optimizer step.

    Attributes:
        learning_rates: of each parameter group.
        gradient_norms: of every parameter; NaN without a gradient.
        outputs: of what the loss got from the model, or None when it was not seen.
        targets: of the targets, or None.
        sharded: of every parameter, whether other ranks hold further parts of it; empty for one process.
        spread: deviation between the outputs of different samples; NaN where there was one sample, or none was seen.
        right: share of right answers in the batch; NaN where the loss compares no classes.
        fingerprints: of each parameter that other ranks hold a copy of, by its name.
    """

    learning_rates: tuple[float, ...]
    gradient_norms: list[float]
    outputs: Moments | None = None
    targets: Moments | None = None
    sharded: Sequence[bool] = ()
    spread: float = math.nan
    right: float = math.nan
    fingerprints: Mapping[str, float] = field(default_factory=dict)
