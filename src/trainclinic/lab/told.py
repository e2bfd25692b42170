"""What is told of a training while it runs: records that travel, and how far a recording has been told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from trainclinic.lab.controls import NOTHING
from trainclinic.lab.words import Words
from trainclinic.recording import Layer, Recording
from trainclinic.records import Diagnosis, Dose, Evidence, Treatment
from trainclinic.report.view import View, every, views


@dataclass(frozen=True)
class Found:
    """One finding, as it travels to the page.

    Attributes:
        problem: its id.
        level: "problem" or "observation".
        cause: the key of the sentence that says why.
        because: why, in English; the numbers are the run's own.
        evidence: the numbers beside their limits, most telling first; layers as they are shown.
        explains: ids of the problems that follow from it.
    """

    problem: str
    level: str
    cause: str
    because: str
    evidence: tuple[Evidence, ...]
    explains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """One short run of the search for a treatment; without remedies it is the untreated one.

    Attributes:
        remedies: that were tried together.
        reached: the measure at its end; NaN: it did not get there.
        outcome: "untreated", "cleared", "still there", "given up", or "does not fit".
        why: it does not fit, in English; "" where it does.
    """

    remedies: tuple[Dose, ...]
    reached: float
    outcome: str
    why: str = ""


@dataclass(frozen=True)
class Choice:
    """A treatment, and how it came to be chosen.

    Attributes:
        treatment: what is changed.
        why: "cleared", "gained", "first that fits" or "asked for": how it was chosen.
        measure: what the tries are compared by: "loss", "accuracy" or "r2".
        steps: of every try [optimizer steps].
        tried: all tries in their order; () where none was made.
    """

    treatment: Treatment
    why: str
    measure: str = ""
    steps: int = 0
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True)
class News:
    """What has come since the last message.

    Attributes:
        state: "running", "paused", "ended" or "failed".
        step: optimizer steps done.
        steps: of the whole run, as planned [optimizer steps].
        epoch: passes over the data that are done, with the part of the present one.
        said: why it failed; or what is being done, with ids that have words.
        losses: steps and training losses since the last message.
        validation: metric → steps and values of it, since the last message.
        columns: signal → steps and, for each of them, one value a layer; None where it was not measured.
        layers: signal → names of the layers that its columns have, as they are shown.
        findings: of the diagnosis, where a new one was made.
        choice: the treatment, where the run is a treated one.
    """

    state: str
    step: int = 0
    steps: int = 0
    epoch: float = 0.0
    said: Words = NOTHING
    losses: tuple[list[int], list[float | None]] = ((), ())  # type: ignore[assignment]
    validation: dict[str, tuple[list[int], list[float | None]]] = field(default_factory=dict)
    columns: dict[str, tuple[list[int], list[list[float | None]]]] = field(default_factory=dict)
    layers: dict[str, list[str]] = field(default_factory=dict)
    findings: tuple[Found, ...] | None = None
    choice: Choice | None = None


def found(diagnosis: Diagnosis) -> tuple[Found, ...]:
    """The findings as they travel: root causes in their order, each with what follows from it."""
    recording = diagnosis.recording
    shown = shown_names(recording.layers) if recording is not None else {}
    return tuple(_found(view, shown) for view in views(diagnosis))


def _found(view: View, shown: dict[str, str]) -> Found:
    finding = view.finding
    evidence = tuple(replace(entry, layer=shown.get(entry.layer, entry.layer)) for entry in finding.evidence)
    explains = tuple(below.finding.problem for below in every(view.explains))
    because = view.because or view.summary
    return Found(finding.problem, finding.level, finding.cause, because, evidence, explains)


def shown_names(layers: Sequence[Layer]) -> dict[str, str]:
    """Name → what is shown for it: one of numbers alone says nothing, so its kind and the how-manieth of them."""
    counted: Counter[str] = Counter()
    names = {}
    for layer in layers:
        counted[layer.kind] += 1
        cryptic = layer.name.replace(".", "").isdigit()
        names[layer.name] = f"{layer.kind} {counted[layer.kind]}" if cryptic else layer.name
    return names


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
        shown = shown_names(recording.layers)
        for signal in LAYERED:
            matrix = recording.matrix(signal)
            if not len(matrix.layers):
                continue
            begin = int(np.searchsorted(matrix.steps, self._until.get(signal, -1), side="right"))
            if begin < len(matrix.steps):
                columns[signal] = matrix.steps[begin:].tolist(), [numbers(row) for row in matrix.values[:, begin:].T]
                layers[signal] = [shown[layer.name] for layer in matrix.layers]
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
