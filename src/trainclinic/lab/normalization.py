"""Batch normalisation as the lecture writes it, as a layer does it, and its worked example."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trainclinic.errors import LabError

Floats = NDArray[np.float64]
MEAN, SPREAD, DRAWS, SEED = 10.0, 5.0, 1000, 42  # of the lecture's example


def batch_normalization(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, epsilon: float = 1e-8, axis: int | tuple[int, ...] | None = None
) -> Floats:
    """γ · (x − mean) / √(variance + ε) + β, with the variance of the population (divided by n, not n − 1).

    Args:
        x: numbers of any shape, such as (samples, features).
        gamma: scale γ; a number, or a shape that fits x, such as (features,) with `axis=0`.
        beta: shift β; likewise.
        epsilon: keeps the root away from 0; 0 or more. `torch.nn.BatchNorm1d` has 1e-5 where the lecture has 1e-8.
        axis: over which mean and variance are taken. None, the lecture's: over the whole array. 0, a layer's: over
            the batch, for each feature on its own.

    Returns:
        Shape of x, in double precision.

    Raises:
        LabError: x is empty or not finite, γ or β does not fit it, ε is negative, there is no such axis, or there is
            nothing to divide by (equal numbers and ε = 0).

    Sources:
        Ioffe & Szegedy 2015, "Batch Normalization: Accelerating Deep Network Training …", algorithm 1.
    """
    x = _numbers("x", x)
    if not x.size:
        raise LabError(f"x: expected at least one number, got an array of shape {x.shape}; give it a batch")
    gamma, beta = _fitting("gamma", gamma, x), _fitting("beta", beta, x)
    if not 0 <= epsilon < np.inf:
        raise LabError(f"epsilon: expected a number of at least 0, got {epsilon!r:.40}; the lecture takes 1e-8")
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            mean, variance = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
        except (TypeError, ValueError):
            raise LabError(f"axis: expected None or an axis of shape {x.shape}, got {axis!r:.40}; take 0 for the "
                           "form of a layer") from None  # fmt: skip
    if not np.isfinite(variance).all():
        raise LabError("x: expected numbers whose squares fit into double precision, got larger ones; scale them")
    if not (variance + epsilon).all():
        raise LabError("epsilon: expected more than 0 where all numbers are equal, got 0; take 1e-8")
    normalized: Floats = gamma * ((x - mean) / np.sqrt(variance + epsilon)) + beta
    return normalized


def example() -> Floats:
    """The lecture's 1,000 draws from N(10, 5), from NumPy's legacy generator with seed 42; shape (1000,)."""
    generator = np.random.RandomState(SEED)
    return generator.normal(MEAN, SPREAD, DRAWS)


def batch_errors(batch_size: int) -> tuple[float, float]:
    """How far the statistics of one batch of normal draws are off, as root mean squares.

    Args:
        batch_size: samples a batch, at least 1.

    Returns:
        Error of the mean, in standard deviations: 1/√B. Error of the population variance, as a share of the true
        one: √(2B − 1)/B, its bias of −1/B included; 1 for a batch of one, whose variance is always 0.

    Raises:
        LabError: a batch of less than one sample.
    """
    if batch_size < 1:
        raise LabError(f"batch_size: expected at least 1, got {batch_size!r:.40}; an empty batch has no mean")
    return float(batch_size**-0.5), float((2 * batch_size - 1) ** 0.5 / batch_size)


def _numbers(name: str, given: ArrayLike) -> Floats:
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise LabError(f"{name}: expected numbers, got {given!r:.40}; make it an array of floats") from None
    if not np.isfinite(numbers).all():
        raise LabError(f"{name}: expected finite numbers, got {numbers[~np.isfinite(numbers)][0]}; a single one would "
                       "spoil the mean of all; remove it")  # fmt: skip
    return numbers


def _fitting(name: str, given: ArrayLike, x: Floats) -> Floats:
    """A scale or shift that spreads over x, and does not make it larger."""
    numbers = _numbers(name, given)
    try:
        fits = np.broadcast_shapes(numbers.shape, x.shape) == x.shape
    except ValueError:
        fits = False
    if not fits:
        raise LabError(f"{name}: expected a number or a shape that fits {x.shape}, got shape {numbers.shape}; with "
                       "axis=0 give one number a feature")  # fmt: skip
    return numbers
