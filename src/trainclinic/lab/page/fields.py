"""One widget for each control: what it gives is checked before it counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from nicegui import ui

from trainclinic.errors import LabError
from trainclinic.lab.controls import Control, Value, Values
from trainclinic.lab.labels import LABELS

NOTCHES = 100  # of a logarithmic slider
Changed = Callable[[str, Value], None]


def fields(controls: Iterable[Control], values: Values, language: str, changed: Changed) -> None:
    """A grid of widgets for controls.

    Args:
        controls: what moves.
        values: what it is set to; a change is written into it.
        language: of the labels.
        changed: called with a control's name and its new value, when it is let go.
    """
    with ui.element("div").classes("tc-fields"):
        for control in controls:
            _field(control, values, language, changed)


def _field(control: Control, values: Values, language: str, changed: Changed) -> None:
    def take(given: object) -> None:
        try:
            value = control.read(given)
        except LabError as error:
            ui.notify(LABELS["refused"].format(said=error)[language], type="warning")
            return
        if value != values[control.name]:
            values[control.name] = value
            changed(control.name, value)

    label = control.label[language] + (f" [{control.unit}]" if control.unit else "")
    with ui.element("div").classes("tc-field"):
        if control.choices:
            options = {name: words[language] for name, words in control.choices.items()}
            widget = ui.select(options, value=values[control.name], label=label, on_change=lambda e: take(e.value))
            widget.props("dense outlined options-dense").classes("w-full")
        elif isinstance(control.default, bool):
            ui.switch(label, value=bool(values[control.name]), on_change=lambda e: take(e.value))
        else:
            _slider(control, values, label, take)
        if control.help[language]:
            ui.tooltip(control.help[language])


def _slider(control: Control, values: Values, label: str, take: Callable[[object], None]) -> None:
    """A slider, and beside its label the number it stands at."""
    with ui.row().classes("w-full items-baseline justify-between no-wrap gap-2"):
        ui.label(label).classes("tc-label")
        shown = ui.label(written(control, values[control.name])).classes("tc-number")
    low, high, step = (0, NOTCHES, 1) if control.log else (control.low, control.high, control.step)

    def moved(place: float) -> None:
        shown.text = written(control, _value(control, place))

    slider = ui.slider(min=low, max=high, step=step, value=place_of(control, values[control.name]))
    slider.props(f'aria-label="{label}" dense')
    slider.on_value_change(lambda e: moved(e.value))
    slider.on("change", lambda e: take(_value(control, e.args)))  # when it is let go, or moved by a key
    slider.mark(f"control-{control.name}")


def _value(control: Control, place: float) -> Value:
    if not control.log:
        return round(place) if isinstance(control.default, int) else round(float(place), 6)
    lowest, first = (_smallest(control), 1) if control.low == 0 else (control.low, 0)
    if place < first:
        return 0.0
    exact = lowest * (control.high / lowest) ** ((place - first) / (NOTCHES - first))
    return min(max(float(f"{exact:.2g}"), control.low), control.high)


def place_of(control: Control, value: Value) -> float:
    """Where the slider stands for a value."""
    if not control.log:
        return float(value)
    lowest, first = (_smallest(control), 1) if control.low == 0 else (control.low, 0)
    if not value:
        return 0
    exact = first + (NOTCHES - first) * math.log(float(value) / lowest) / math.log(control.high / lowest)
    return min(max(round(exact), first), NOTCHES)


def _smallest(control: Control) -> float:
    """Beside "off": six decades below the largest."""
    return control.high * 1e-6


def written(control: Control, value: Value) -> str:
    """A value as it stands beside its slider."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
