"""Dropout: which units a step leaves on, and what the others are multiplied by so that the mean stays the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainclinic.errors import LabError

Floats = npt.NDArray[np.float64]


def mask(shape: int | tuple[int, ...], p: float, rng: np.random.Generator) -> Floats:
    """One draw of inverted dropout: 0 for a unit that is off, 1/(1 − p) for one that is on.

    Args:
        shape: of the activations, such as (samples, units); every entry is drawn on its own.
        p: probability of being off, 0 ≤ p < 1.
        rng: what draws.

    Returns:
        Array of that shape, with the expected value 1 in every entry.

    Raises:
        LabError: p is no such probability.

    References:
        Srivastava et al. 2014, who multiply by 1 − p at evaluation; the scaling in training is the usual form today.
    """
    _check(p)
    kept = rng.random(shape) >= p
    return np.asarray(kept / (1 - p), dtype=np.float64)


def dropout(x: npt.ArrayLike, p: float, rng: np.random.Generator, training: bool = True) -> Floats:
    """Inverted dropout of activations; at evaluation they pass unchanged.

    Args:
        x: activations, any shape.
        p: probability of a unit being off, 0 ≤ p < 1.
        rng: what draws the mask; left alone where training is False.
        training: whether units are switched off at all.

    Returns:
        Array of the shape of x; over many masks its mean is x.

    Raises:
        LabError: p is no such probability.
    """
    _check(p)
    values = np.asarray(x, dtype=np.float64)
    return values * mask(values.shape, p, rng) if training else values.copy()


def _check(p: float) -> None:
    if not 0 <= p < 1:
        raise LabError(f"p: expected a probability of being off from 0 to below 1, got {p!r:.40}; 0.5 is usual for a "
                       "hidden layer")  # fmt: skip
