"""What is told of a training while it runs: records that travel, and how far a recording has been told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainclinic.recording import Recording


@dataclass(frozen=True)
class Found:
    """One finding, in the words of the report.

    Attributes:
        problem: its id.
        level: "problem" or "observation".
        because: why, in English; the numbers are the run's own.
    """

    problem: str
    level: str
    because: str


@dataclass(frozen=True)
class News:
    """What has come since the last message.

    Attributes:
        state: "running", "paused", "ended" or "failed".
        step: optimizer steps done.
        steps: of the whole run, as planned [optimizer steps].
        epoch: passes over the data that are done, with the part of the present one.
        said: what is being done, what was changed, or why it failed; in English, with ids that have words.
        losses: steps and training losses since the last message.
        validation: metric → steps and values of it, since the last message.
        columns: signal → steps and, for each of them, one value a layer; None where it was not measured.
        layers: signal → names of the layers that its columns have.
        findings: of the diagnosis, where a new one was made.
        treated: what was changed by a treatment, in words.
        code: of the treatment.
    """

    state: str
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    said: str = ""
    losses: tuple[list[int], list[float | None]] = ((), ())  # type: ignore[assignment]
    validation: dict[str, tuple[list[int], list[float | None]]] = field(default_factory=dict)
    columns: dict[str, tuple[list[int], list[list[float | None]]]] = field(default_factory=dict)
    layers: dict[str, list[str]] = field(default_factory=dict)
    findings: tuple[Found, ...] | None = None
    treated: tuple[str, ...] = ()
    code: str = ""


class Told:
    """How far the recording has been told."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def since(self, recording: Recording) -> News:
        """What the recording holds beyond what was told before."""
        validation = {}
        for signal in recording.signals:
            if signal.startswith("validation_"):
                told = self._fresh(signal, *self._series(recording, signal))
                if told[0]:
                    validation[signal.removeprefix("validation_")] = told
        columns, layers = {}, {}
        for signal in LAYERED:
            matrix = recording.matrix(signal)
            if not len(matrix.layers):
                continue
            begin = int(np.searchsorted(matrix.steps, self._until.get(signal, -1), side="right"))
            if begin < len(matrix.steps):
                columns[signal] = matrix.steps[begin:].tolist(), [numbers(row) for row in matrix.values[:, begin:].T]
                layers[signal] = [layer.name for layer in matrix.layers]
                self._until[signal] = int(matrix.steps[-1])
        losses = self._fresh("loss", *self._series(recording, "loss"))
        return News("", losses=losses, validation=validation, columns=columns, layers=layers)

    @staticmethod
    def _series(recording: Recording, signal: str) -> tuple[Any, Any]:
        series = recording.series(signal)
        return series.steps, series.values

    def _fresh(self, signal: str, steps: Any, values: Any) -> tuple[list[int], list[float | None]]:
        begin = int(np.searchsorted(steps, self._until.get(signal, -1), side="right"))
        if begin < len(steps):
            self._until[signal] = int(steps[-1])
        return steps[begin:].tolist(), numbers(values[begin:])


#: signals of the layers that are sent
LAYERED = (
    "gradient_rms", "backward_rms", "activation_derivative", "activation_rms", "activation_mean", "saturated_share",
    "dead_unit_fraction", "weight_rms", "weight_gain", "update_ratio",
)  # fmt: skip


def numbers(values: Sequence[float] | np.ndarray[Any, Any]) -> list[float | None]:
    """As JSON and Plotly have them: what is not finite is None."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
