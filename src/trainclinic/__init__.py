"""trainclinic: your network does not train; it says why, with the evidence.

    with tc.watch(model, optimizer, loss_fn, path="run.clinic") as watch:
        ...                                  # the training loop, as it is
    tc.report(tc.diagnose(watch))

The names below are the public face; everything else may move.
"""

from trainclinic.diagnose.diagnose import diagnose
from trainclinic.errors import (
    CatalogError,
    RecordingError,
    ReportError,
    ScriptError,
    SetupError,
    TrainclinicError,
    TrainingStoppedError,
)
from trainclinic.measure.run import run
from trainclinic.measure.watch import Watch
from trainclinic.prove.saved import load
from trainclinic.recording import Recording
from trainclinic.records import Diagnosis, Evidence, Finding
from trainclinic.report.report import report
from trainclinic.setup import Setup, train
from trainclinic.watching import watch

__version__ = "0.1.0"

__all__ = [
    "CatalogError",
    "Diagnosis",
    "Evidence",
    "Finding",
    "Recording",
    "RecordingError",
    "ReportError",
    "ScriptError",
    "Setup",
    "SetupError",
    "TrainclinicError",
    "TrainingStoppedError",
    "Watch",
    "diagnose",
    "load",
    "report",
    "run",
    "train",
    "watch",
]
