"""Batches: how many updates a training makes, and how noisy the gradient of one batch is."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainclinic.errors import LabError

Floats = NDArray[np.float64]


def iterations_per_epoch(samples: int, batch_size: int, drop_last: bool = False) -> int:
    """Batches that one pass over the data makes; each of them is one update of the parameters.

    Args:
        samples: of the whole training set, at least 1.
        batch_size: samples a batch, at least 1.
        drop_last: leave out a last batch that is not full, as `torch.utils.data.DataLoader` does.

    Raises:
        LabError: a count is no whole number, or below 1.
    """
    samples, batch_size = _count("samples", samples), _count("batch_size", batch_size)
    return samples // batch_size if drop_last else -(-samples // batch_size)


def updates(samples: int, batch_size: int, epochs: int, drop_last: bool = False) -> int:
    """Updates of the parameters that a whole training makes: iterations per epoch × epochs.

    Args:
        samples: of the whole training set, at least 1.
        batch_size: samples a batch, at least 1.
        epochs: passes over the training set, at least 1.
        drop_last: see `iterations_per_epoch`.

    Raises:
        LabError: a count is no whole number, or below 1.
    """
    return iterations_per_epoch(samples, batch_size, drop_last) * _count("epochs", epochs)


def last_batch(samples: int, batch_size: int, drop_last: bool = False) -> int:
    """Samples in the last batch of an epoch; 0 where `drop_last` leaves no batch at all.

    Args:
        samples: of the whole training set, at least 1.
        batch_size: samples a batch, at least 1.
        drop_last: see `iterations_per_epoch`.

    Raises:
        LabError: a count is no whole number, or below 1.
    """
    iterations = iterations_per_epoch(samples, batch_size, drop_last)
    return min(batch_size, samples - (iterations - 1) * batch_size) if iterations else 0


def batch_gradients(gradients: ArrayLike, batch_size: int, batches: int, seed: int = 0) -> Floats:
    """The gradients of random batches, each the mean over its samples, as a shuffling DataLoader draws them.

    Args:
        gradients: of every sample, shape (samples, parameters).
        batch_size: samples a batch, drawn without replacement; at most as many as there are.
        batches: how many batches, each drawn anew from all samples.
        seed: of the draw.

    Returns:
        Shape (batches, parameters).

    Raises:
        LabError: no matrix of numbers, or more samples a batch than there are.
    """
    rows = _matrix(gradients)
    batch_size, batches = _count("batch_size", batch_size), _count("batches", batches)
    if batch_size > len(rows):
        raise LabError(f"batch_size: expected at most the {len(rows)} samples there are, got {batch_size}; take a "
                       "smaller one")  # fmt: skip
    drawn = np.random.default_rng(seed)
    share = np.zeros((batches, len(rows)))  # of each sample in each batch; one product then makes all the means
    for row in share:
        row[drawn.choice(len(rows), batch_size, replace=False)] = 1 / batch_size
    return share @ rows


def noise_scale(gradients: ArrayLike) -> float:
    """The simple noise scale tr(Σ) / |G|² [samples]: the batch size at which noise and gradient are equally long.

    Σ is the covariance of the gradients of single samples (with n − 1), G their mean over the training set.

    Args:
        gradients: of every sample, shape (samples, parameters), at least two samples.

    Raises:
        LabError: no matrix of numbers, a single sample, or a mean gradient of 0, which has no noise scale.

    Sources:
        McCandlish, Kaplan, Amodei et al. 2018, "An Empirical Model of Large-Batch Training".
    """
    rows = _matrix(gradients)
    if len(rows) < 2:
        raise LabError("gradients: expected at least 2 samples, got 1; the spread of one sample is unknown")
    length = float(np.sum(rows.mean(0) ** 2))
    if not length:
        raise LabError("gradients: expected a mean that is not 0, got 0; where the gradient vanishes there is no "
                       "noise scale")  # fmt: skip
    return float(rows.var(0, ddof=1).sum()) / length


def _count(name: str, given: Any) -> int:
    try:
        count = -1 if isinstance(given, bool) else operator.index(given)
    except TypeError:
        count = -1
    if count < 1:
        raise LabError(f"{name}: expected a whole number of at least 1, got {given!r:.40}; count samples, not shares")
    return count


def _matrix(gradients: ArrayLike) -> Floats:
    try:
        rows = np.asarray(gradients, dtype=np.float64)
    except (TypeError, ValueError):
        rows = np.empty(0)
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise LabError(f"gradients: expected finite numbers of shape (samples, parameters), got shape {rows.shape}; "
                       "give one row a sample")  # fmt: skip
    return rows
