"""trainclinic: your network does not train; it says why, with the evidence; treats it; and proves the cure.

    with tc.watch(model, optimizer, loss_fn, path="run.clinic") as watch:
        ...                                  # the training loop, as it is
    tc.report(tc.diagnose(watch))
    tc.report(tc.checkup(make))              # before training, in seconds
    tc.report(tc.confirm(make))              # does it do harm? a short trial of each problem
    tc.report(tc.cure(make))                 # make(seed) -> tc.Setup

The names below are the public face; everything else may move.
"""

from trainclinic import lab
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
from trainclinic.prove.confirm import confirm
from trainclinic.prove.cure import cure
from trainclinic.prove.saved import load
from trainclinic.recording import Recording
from trainclinic.records import Confirmation, Cure, Diagnosis, Evidence, Finding, Treatment, Trial
from trainclinic.report.report import report
from trainclinic.setup import Setup, train
from trainclinic.watching import checkup, watch

__version__ = "0.1.0"

__all__ = [
    "CatalogError",
    "Confirmation",
    "Cure",
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
    "Treatment",
    "Trial",
    "Watch",
    "checkup",
    "confirm",
    "cure",
    "diagnose",
    "lab",
    "load",
    "report",
    "run",
    "train",
    "watch",
]
