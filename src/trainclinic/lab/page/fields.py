"""One widget for each control: what it gives is checked before it counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from nicegui import ui

from trainclinic.errors import LabError
from trainclinic.lab.controls import Control, Value, Values
from trainclinic.lab.labels import LABELS
from trainclinic.lab.words import Words

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
            ui.notify(refusal(error)[language], type="warning")
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
            _slider(control, values, label, language, take)
        if control.help[language]:
            ui.tooltip(control.help[language])


def _slider(control: Control, values: Values, label: str, language: str, take: Callable[[object], None]) -> None:
    """A slider, and beside its label the number it stands at.

    The browser's own: the element that has the focus is the one that a screen reader is told of. What it stands at is
    an attribute ("^"), which only begins it: drawn again, the page does not move it from under a hand.
    """
    value = values[control.name]
    with ui.row().classes("w-full items-baseline justify-between no-wrap gap-2"):
        ui.label(label).classes("tc-label")
        shown = ui.label(written(control, value, language)).classes("tc-number")
    low, high, step = (0, NOTCHES, 1) if control.log else (control.low, control.high, control.step)
    slider = ui.element("input").classes("tc-slider").mark(f"control-{control.name}")
    said = f"{shown.text} {control.unit}".strip()
    slider.props.update(type="range", min=low, max=high, step=step)  # before the value, which they bound
    slider.props.update({"^value": place_of(control, value), "aria-label": label, "aria-valuetext": said})

    def moved(place: float) -> None:
        shown.text = written(control, _value(control, place), language)
        slider.props["aria-valuetext"] = f"{shown.text} {control.unit}".strip()
        slider.update()

    place = "(event) => emit(Number(event.target.value))"
    slider.on("input", lambda e: moved(e.args), throttle=0.03, js_handler=place)
    slider.on("change", lambda e: take(_value(control, e.args)), js_handler=place)  # let go, or moved by a key


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


def refusal(error: LabError) -> Words:
    """Why something cannot be set."""
    return Words(LABELS["refused"].en.format(said=error), LABELS["refused"].ko.format(said=error.korean))


def written(control: Control, value: Value, language: str) -> str:
    """A value as it is read, beside its slider and elsewhere."""
    if control.choices:
        return control.choices[str(value)][language]
    if isinstance(value, bool):
        return "✓" if value else "–"
    if (control.log or control.off) and value == 0:
        return LABELS["off"][language]
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
