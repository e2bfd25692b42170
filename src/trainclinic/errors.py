"""Every error this package raises on purpose.

TrainclinicError
├── SetupError            what was handed in cannot be trained or watched
├── RecordingError        a file is no recording, or a recording lacks what was asked of it
├── ScriptError           a script or a `make` function cannot be found or run
├── ReportError           a report cannot be written where it was asked for
├── CatalogError          no such problem, signal, case, remedy or chapter
├── LabError              a setting, a figure or a file that the lab cannot show
└── TrainingStoppedError  a training was stopped on a finding, as it was asked for

A message names the subject, what was expected, what came, and what to do next.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainclinic.records import Finding


class TrainclinicError(Exception):
    """Base class of every error raised here."""


class SetupError(TrainclinicError):
    """What was handed in cannot be trained or watched."""


class RecordingError(TrainclinicError):
    """A file is no recording, or a recording lacks what was asked of it."""


class ScriptError(TrainclinicError):
    """A script or a `make` function cannot be found or run."""


class ReportError(TrainclinicError):
    """A report cannot be written where it was asked for."""


class CatalogError(TrainclinicError):
    """No such entry in a catalogue."""


class LabError(TrainclinicError):
    """A setting, a figure or a file that the lab cannot show.

    Attributes:
        korean: the message in Korean, which the page's readers see; the English one where there is none.
    """

    def __init__(self, message: str, korean: str = "") -> None:
        super().__init__(message)
        self.korean = korean or message


class TrainingStoppedError(TrainclinicError):
    """A training was stopped on a finding, as `stop_on` asks for: before the update of that step.

    Attributes:
        finding: the one it was stopped on.
    """

    def __init__(self, message: str, finding: Finding) -> None:
        super().__init__(message)
        self.finding = finding

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.finding)


def warn(text: str, stacklevel: int = 2) -> None:
    """A RuntimeWarning that never stops a training: where warnings are errors it is a line on stderr."""
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=stacklevel + 1)
    except RuntimeWarning:
        print(f"trainclinic: {text}", file=sys.stderr)
