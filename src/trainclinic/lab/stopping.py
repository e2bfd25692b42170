"""When to stop: patience, and the three criteria of Prechelt (1998).

Each takes the validation loss of epoch 1, 2, 3, … and says after which epoch it stops, or None where it never does.
A criterion looks only at what it has seen by then.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainclinic.errors import LabError

Floats = npt.NDArray[np.float64]
STRIP = 5  # epochs, Prechelt's k


def best_epoch(validation: npt.ArrayLike, until: int | None = None) -> int:
    """The epoch with the lowest validation loss, the first of equals: its weights are the ones to keep.

    Args:
        validation: loss of each epoch, (epochs,).
        until: the last epoch that was trained; None: all of them.

    Raises:
        LabError: no epoch, or a loss that is no number.
    """
    return int(np.argmin(_losses("validation", validation)[:until])) + 1


def patience(validation: npt.ArrayLike, epochs: int, min_delta: float = 0.0) -> int | None:
    """Stop after so many epochs in a row without a loss that beats the best so far by more than `min_delta`.

    Args:
        validation: loss of each epoch, (epochs,).
        epochs: how long it waits, at least 1.
        min_delta: in units of the loss, at least 0. The best so far counts with every improvement, however small.

    Returns:
        The epoch after which it stops, or None.

    Raises:
        LabError: an argument is none of that.
    """
    if epochs < 1:
        raise LabError(f"epochs: expected a patience of at least 1, got {epochs}; 5 to 10 is usual")
    if not min_delta >= 0:
        raise LabError(f"min_delta: expected a loss of at least 0, got {min_delta}; 0 counts every improvement")
    best, waited = np.inf, 0
    for epoch, loss in enumerate(_losses("validation", validation), 1):
        waited = 0 if loss < best - min_delta else waited + 1
        best = min(best, loss)
        if waited >= epochs:
            return epoch
    return None


def generalization_loss(validation: npt.ArrayLike) -> Floats:
    """GL(t) = 100 (E_va(t) / E_opt(t) − 1) [%], E_opt(t) the lowest validation loss up to epoch t.

    Args:
        validation: loss of each epoch, (epochs,), above 0: it is a ratio.

    Returns:
        (epochs,), 0 wherever the loss is the best so far.

    Raises:
        LabError: a loss is not above 0.
    """
    losses = _losses("validation", validation)
    if losses.min() <= 0:
        raise LabError(f"validation: expected losses above 0, got {losses.min():g}; GL and PQ are ratios, use patience")
    return 100 * (losses / np.minimum.accumulate(losses) - 1)


def training_progress(training: npt.ArrayLike, strip: int = STRIP) -> Floats:
    """P_k(t) = 1000 (mean / min of the last k training losses − 1) [‰]: how much the training still moves.

    Args:
        training: loss of each epoch, (epochs,), above 0.
        strip: k, in epochs, at least 1.

    Returns:
        (epochs,); NaN for the first k − 1 epochs.

    Raises:
        LabError: a loss is not above 0, or the strip is too short.
    """
    losses = _losses("training", training)
    _check_strip(strip)
    if losses.min() <= 0:
        raise LabError(f"training: expected losses above 0, got {losses.min():g}; P is a ratio, use GL")
    progress = np.full(len(losses), np.nan)
    for end in range(strip, len(losses) + 1):
        part = losses[end - strip : end]
        progress[end - 1] = max(0.0, 1000 * (part.mean() / part.min() - 1))
    return progress


def gl(validation: npt.ArrayLike, alpha: float) -> int | None:
    """GL_α: stop after the first epoch whose generalization loss is above α [%]."""
    return _first(generalization_loss(validation) > _above_zero("alpha", alpha))


def pq(validation: npt.ArrayLike, training: npt.ArrayLike, alpha: float, strip: int = STRIP) -> int | None:
    """PQ_α: stop at the first end of a strip where GL(t) / P_k(t) is above α: getting worse with little progress left.

    Args:
        validation: loss of each epoch, (epochs,), above 0.
        training: the same for the training loss.
        alpha: of the quotient [% / ‰].
        strip: k, in epochs.

    Returns:
        The epoch after which it stops, or None.

    Raises:
        LabError: the two are not of one length, or an argument is none of that.
    """
    lost, progress = generalization_loss(validation), training_progress(training, strip)
    if len(lost) != len(progress):
        raise LabError(f"training: expected as many epochs as validation, {len(lost)}, got {len(progress)}; cut both "
                       "to the same epochs")  # fmt: skip
    _above_zero("alpha", alpha)
    ends = np.arange(1, len(lost) + 1) % strip == 0
    return _first(ends & (lost > alpha * np.nan_to_num(progress, nan=np.inf)))


def up(validation: npt.ArrayLike, strips: int, strip: int = STRIP) -> int | None:
    """UP_s: stop when the validation loss, looked at every k epochs, has risen s times in a row.

    Args:
        validation: loss of each epoch, (epochs,).
        strips: s, at least 1.
        strip: k, in epochs.

    Returns:
        The epoch after which it stops, or None.

    Raises:
        LabError: an argument is none of that.
    """
    _check_strip(strip)
    if strips < 1:
        raise LabError(f"strips: expected at least 1 rise, got {strips}; 2 to 8 is usual")
    losses, rises = _losses("validation", validation), 0
    for epoch in range(2 * strip, len(losses) + 1, strip):
        rises = rises + 1 if losses[epoch - 1] > losses[epoch - strip - 1] else 0
        if rises >= strips:
            return epoch
    return None


def _losses(subject: str, given: npt.ArrayLike) -> Floats:
    losses = np.asarray(given, dtype=np.float64)
    if losses.ndim != 1 or not len(losses) or not np.isfinite(losses).all():
        raise LabError(f"{subject}: expected one finite loss an epoch, got shape {losses.shape}, "
                       f"{int(np.isfinite(losses).sum())} of them finite; leave out what is no number")  # fmt: skip
    return losses


def _check_strip(strip: int) -> None:
    if strip < 1:
        raise LabError(f"strip: expected at least 1 epoch, got {strip}; {STRIP} is Prechelt's")


def _above_zero(name: str, value: float) -> float:
    if not value > 0:
        raise LabError(f"{name}: expected a number above 0, got {value}; for GL 1 to 5, for PQ 0.5 to 3 is usual")
    return value


def _first(stops: npt.NDArray[np.bool_]) -> int | None:
    return int(np.argmax(stops)) + 1 if stops.any() else None
