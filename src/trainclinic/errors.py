"""Every error this package raises on purpose.

TrainclinicError
├── SetupError        what was handed in cannot be trained or watched
├── RecordingError    a file is no recording, or a recording lacks what was asked of it
├── ScriptError       a script or a `make` function cannot be found or run
├── ReportError       a report cannot be written where it was asked for
└── CatalogError      no such problem, signal, case or remedy

A message names the subject, what was expected, what came, and what to do next.
"""

from __future__ import annotations

import sys
import warnings


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


def warn(text: str, stacklevel: int = 2) -> None:
    """A RuntimeWarning that never stops a training: where warnings are errors it is a line on stderr."""
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=stacklevel + 1)
    except RuntimeWarning:
        print(f"trainclinic: {text}", file=sys.stderr)
