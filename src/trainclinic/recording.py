"""Recording: what one run showed, by signal, layer and step; `clinic_reader.load` reads one from a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainclinic.errors import RecordingError

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """One place that was measured.

    Attributes:
        name: the module's name in the model; a functional activation is `<module>.<function>`, numbered when it
            occurs more than once; a weight that is not called `weight` stands under its full parameter name; a model
            that is a single layer stands under its class.
        kind: the class (`Linear`) or the function (`sigmoid`).
        role: "weight" for a layer with weights, "activation" for an activation function.
        parameters: number of parameters held directly.
        shape: the weight's shape, () for an activation.
        position: order of the first execution in the forward pass.
    """

    name: str
    kind: str
    role: str
    parameters: int = 0
    shape: tuple[int, ...] = ()
    position: int = 0


@dataclass(frozen=True, eq=False)
class Series:
    """One signal in one place over the run: `values[i]` [unit] was measured at optimizer step `steps[i]`."""

    steps: Steps
    values: Floats
    unit: str = "1"

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return len(self.steps) > 0

    def early(self, count: int = 5) -> float:
        """Median of the first `count` finite values; NaN when there are none."""
        finite = self.values[np.isfinite(self.values)][:count]
        return float(np.median(finite)) if len(finite) else float("nan")

    def late(self, share: float = 0.25) -> float:
        """Median of the finite values in the last `share` of the steps; NaN when there are none."""
        if not len(self):
            return float("nan")
        recent = self.values[self.steps >= self.steps[-1] - share * (self.steps[-1] - self.steps[0])]
        finite = recent[np.isfinite(recent)]
        return float(np.median(finite)) if len(finite) else float("nan")


@dataclass(frozen=True, eq=False)
class Matrix:
    """One signal in every layer: `values[l, s]` [unit] in `layers[l]` at `steps[s]`; NaN means not measured."""

    layers: tuple[Layer, ...]
    steps: Steps
    values: Floats
    unit: str = "1"


@dataclass(frozen=True, eq=False)
class Recording:
    """What one training run showed.

    Attributes:
        layers: every measured place, in the order of the forward pass.
        units: signal name → unit.
        facts: exact observations, by topic (see `measure/facts.py`): parameters, modes, loss graph, inputs, …; under
            "damage" what could not be read of a damaged file.
        environment: versions and device.
        ended: "completed", "interrupted", "error: …" or "unknown" (the file was never closed).
        path: the file it came from, or None.
        ranks: of a distributed run that is read as one: what each rank recorded; empty otherwise.
    """

    layers: tuple[Layer, ...]
    units: dict[str, str]
    facts: dict[str, Any]
    environment: dict[str, Any]
    ended: str
    path: Path | None = None
    ranks: tuple[Recording, ...] = ()
    _series: dict[tuple[str, str], Series] = field(default_factory=dict, repr=False)

    @property
    def steps(self) -> int:
        """Number of optimizer steps watched."""
        return int(self.facts.get("steps", 0))

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the recorded signals, sorted."""
        return tuple(sorted({signal for signal, _ in self._series}))

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise RecordingError(f"layer: no layer named {name!r} in this recording; see Recording.layers")

    def series(self, signal: str, layer: str = "") -> Series:
        """One signal in one layer ("" for a signal of the whole run); empty where it was never measured."""
        empty = Series(np.empty(0, np.int64), np.empty(0), self.units.get(signal, "1"))
        return self._series.get((signal, layer), empty)

    def measured(self, signal: str) -> tuple[Layer, ...]:
        """The layers in which `signal` was measured, in the order of the forward pass."""
        return tuple(layer for layer in self.layers if (signal, layer.name) in self._series)

    def matrix(self, signal: str, layers: Iterable[Layer] | None = None) -> Matrix:
        """One signal over layers × steps."""
        rows = tuple(layers) if layers is not None else self.measured(signal)
        found = [self.series(signal, layer.name) for layer in rows]
        steps = np.unique(np.concatenate([series.steps for series in found])) if found else np.empty(0, np.int64)
        values = np.full((len(rows), len(steps)), np.nan)
        for row, series in zip(values, found, strict=True):
            row[np.searchsorted(steps, series.steps)] = series.values
        return Matrix(rows, steps, values, self.units.get(signal, "1"))
