"""RunStep: what one optimizer step showed of the run as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from trainclinic.measure.reductions import SAMPLE, as_real, dense, spread


@dataclass(frozen=True)
class Moments:
    """Mean and (population) standard deviation of one tensor's elements.

    `spread`: deviation between samples (dim 0), root mean square over the other dimensions; NaN for a single sample.
    """

    mean: float
    std: float
    spread: float = math.nan

    @classmethod
    def of(cls, tensor: Tensor) -> Moments | None:
        """None for an empty or complex tensor; on at most 4,096 evenly spread elements."""
        if not tensor.numel() or tensor.is_complex():
            return None
        tensor = dense(tensor.detach())
        sample = spread(tensor).double()
        return cls(float(sample.mean()), float(sample.std(correction=0)), _between_samples(tensor))


def _between_samples(tensor: Tensor) -> float:
    if tensor.ndim == 0 or len(tensor) < 2:
        return math.nan
    rows = tensor.reshape(len(tensor), -1)
    rows = rows[:, :: max(1, -(-rows.numel() // SAMPLE))].double()
    return math.sqrt(float(rows.var(0, correction=0).mean()))


def relative_spread(tensor: Tensor) -> float:
    """Deviation between samples (dim 0) against the root mean square; 0 where all is 0, inf for a single sample."""
    tensor = as_real(tensor)
    between = _between_samples(tensor)
    size = math.sqrt(float(spread(tensor).double().square().mean()))
    if math.isnan(between):
        return math.inf
    return between / size if size else 0.0


@dataclass(frozen=True)
class RunStep:
    """At one optimizer step.

    Attributes:
        learning_rates: of each parameter group.
        gradient_norms: of every parameter; NaN without a gradient.
        outputs: of what the loss got from the model, or None when it was not seen.
        targets: of the targets, or None.
        sharded: of every parameter, whether other ranks hold further parts of it; empty for one process.
        right: share of right answers in the batch; NaN where the loss compares no classes.
        fingerprints: of each parameter that other ranks hold a copy of, by its name.
    """

    learning_rates: tuple[float, ...]
    gradient_norms: list[float]
    outputs: Moments | None = None
    targets: Moments | None = None
    sharded: Sequence[bool] = ()
    right: float = math.nan
    fingerprints: Mapping[str, float] = field(default_factory=dict)


def right_answers(name: str, output: Tensor, target: Tensor) -> float:
    """Share of right answers; NaN where the loss `name` compares no classes."""
    output = output.detach()
    if name in ("cross_entropy", "nll_loss") and not target.is_floating_point() and output.ndim > 1:
        return float((output.argmax(1) == target).float().mean())
    if name.startswith("binary_cross_entropy") and output.shape == target.shape:
        border = 0.0 if name.endswith("with_logits") else 0.5
        return float(((output > border) == (target > 0.5)).float().mean())
    return math.nan
