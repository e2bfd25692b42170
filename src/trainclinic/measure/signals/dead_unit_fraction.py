"""dead_unit_fraction."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from trainclinic.measure.reductions import to_floats
from trainclinic.measure.signal import Signal

SAMPLES = 3000  # rule of three: a unit silent in 3,000 samples fires in fewer than 0.1 %, with 95 % confidence


@dataclass
class _Seen:
    largest: Tensor  # (units,) largest output so far
    samples: int


class DeadUnitFraction(Signal):
    """Share of a ReLU's units (channels, for a convolution) that are zero for each of at least 3,000 samples.

    Samples are gathered over consecutive steps, in windows; a training set smaller than 3,000 is seen whole. With
    fewer samples there is no value. Half the *values* of a healthy ReLU are zero: that is not death.
    """

    unit = "1"

    def __init__(self, training_samples: int | None = None) -> None:
        """`training_samples`: size of the training set where it is known."""
        self.needed = min(SAMPLES, training_samples) if training_samples else SAMPLES
        self._seen: dict[str, _Seen] = {}

    def observe(self, layer: str, output: Tensor, unit_dim: int) -> None:
        """Add one call's output; `unit_dim` is the dimension of the units or channels."""
        if not output.numel():
            return
        others = [dim for dim in range(output.ndim) if dim != unit_dim % output.ndim]
        largest = output.detach().amax(others) if others else output.detach()
        seen = self._seen.get(layer)
        if seen is None or seen.largest.shape != largest.shape:
            self._seen[layer] = seen = _Seen(largest.clone(), 0)
        else:
            torch.maximum(seen.largest, largest, out=seen.largest)
        # The last dimension of a sequence model is the unit: every position is a sample of its own.
        positions = unit_dim % output.ndim == output.ndim - 1
        seen.samples += output.numel() // output.shape[-1] if positions else output.shape[0]

    @property
    def complete(self) -> bool:
        """Whether every layer seen has seen enough."""
        return bool(self._seen) and all(seen.samples >= self.needed for seen in self._seen.values())

    @property
    def started(self) -> bool:
        """Whether any layer has been seen in this window."""
        return bool(self._seen)

    def take(self) -> dict[str, float]:
        """Layer → share of dead units [0..1], for the layers that saw enough; begins a new window."""
        layers = [layer for layer, seen in self._seen.items() if seen.samples >= self.needed]
        # NaN compares false: a unit that gives NaN is not silent.
        shares = to_floats([(self._seen[layer].largest <= 0).float().mean() for layer in layers])
        self._seen = {}
        return dict(zip(layers, shares, strict=True))
