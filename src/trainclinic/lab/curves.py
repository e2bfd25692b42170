"""The two curves of a run, epoch by epoch."""

from __future__ import annotations

import numpy as np

from trainclinic.errors import LabError
from trainclinic.recording import Floats, Recording


def by_epoch(recording: Recording) -> tuple[Floats, Floats]:
    """Training and validation loss of every epoch.

    Args:
        recording: of a run that was validated at the end of every epoch.

    Returns:
        (mean of the losses of the epoch's steps, as they were trained: with dropout and augmentation on; validation
        loss at its end), both (epochs,).

    Raises:
        LabError: the run was never validated, or the loss of an epoch was not recorded.
    """
    validation, loss = recording.series("validation_loss"), recording.series("loss")
    if not validation:
        raise LabError("recording: expected a validation loss for every epoch, got none; give the Setup a val_loader")
    parts = np.split(loss.values, np.searchsorted(loss.steps, validation.steps[:-1]))
    if any(len(part) == 0 for part in parts):
        raise LabError("recording: expected a loss in every epoch, got an epoch without one; record with every=1")
    return np.array([part.mean() for part in parts]), validation.values
