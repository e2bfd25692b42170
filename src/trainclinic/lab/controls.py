"""Controls: what a person may move, with its range. What comes from a page or a URL passes `read`, or is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trainclinic.errors import LabError
from trainclinic.lab.words import Words

Value = int | float | str | bool
Values = dict[str, Value]
NOTHING = Words("", "")


@dataclass(frozen=True)
class Control:
    """One setting that can be moved.

    Attributes:
        name: as it stands in the URL and in the values.
        label: what it is called.
        default: its value at first; its type is the type of every value.
        low: smallest value of a number.
        high: largest value of a number.
        step: of a slider; a logarithmic one moves by factors instead and ignores it.
        log: whether the slider is logarithmic; 0 is then allowed where `low` is 0, and means off.
        off: whether 0 means off on a plain slider, too.
        choices: value → label, for a setting that is one of a few names.
        unit: of a number, or "".
        help: what it does, in a line.
    """

    name: str
    label: Words
    default: Value
    low: float = -math.inf
    high: float = math.inf
    step: float = 1
    log: bool = False
    off: bool = False
    choices: Mapping[str, Words] = field(default_factory=dict)
    unit: str = ""
    help: Words = NOTHING

    def read(self, given: Any) -> Value:
        """A value as it came from outside, as a value of this control.

        Raises:
            LabError: it is none.
        """
        if self.choices:
            if given not in self.choices:
                names = ", ".join(self.choices)
                raise LabError(
                    f"{self.name}: expected one of {names}, got {given!r:.40}",
                    f"{self.label.ko}: {names} 가운데 하나여야 하는데 {given!r:.40}입니다",
                )
            return str(given)
        if isinstance(self.default, bool):
            if given not in (True, False, "1", "0"):
                raise LabError(
                    f"{self.name}: expected 1 or 0, got {given!r:.40}",
                    f"{self.label.ko}: 1이나 0이어야 하는데 {given!r:.40}입니다",
                )
            return given in (True, "1")
        try:
            number = float(given)
        except (TypeError, ValueError):
            raise LabError(
                f"{self.name}: expected a number, got {given!r:.40}; from {self.low:g} to {self.high:g}",
                f"{self.label.ko}: {self.low:g}에서 {self.high:g} 사이의 수여야 하는데 {given!r:.40}입니다",
            ) from None
        if not self.low <= number <= self.high:
            raise LabError(
                f"{self.name}: expected a number from {self.low:g} to {self.high:g}, got {given!r:.40}",
                f"{self.label.ko}: {self.low:g}에서 {self.high:g} 사이의 수여야 하는데 {given!r:.40}입니다",
            )
        if isinstance(self.default, int):
            if number != round(number):
                raise LabError(
                    f"{self.name}: expected a whole number, got {given!r:.40}",
                    f"{self.label.ko}: 정수여야 하는데 {given!r:.40}입니다",
                )
            return round(number)
        return number

    def to(self, default: Value, **changed: Any) -> Control:
        """The same control, with another default and whatever else is named."""
        return replace(self, default=default, **changed)


def defaults(controls: Iterable[Control]) -> Values:
    """Every control at its default."""
    return {control.name: control.default for control in controls}


def read_all(controls: Iterable[Control], given: Mapping[str, Any]) -> Values:
    """Values from outside over the defaults; names that no control has are passed over.

    Raises:
        LabError: a value is none of its control.
    """
    return {control.name: control.read(given.get(control.name, control.default)) for control in controls}
