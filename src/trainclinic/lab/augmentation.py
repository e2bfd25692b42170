"""Data augmentation in NumPy: the same sample a little different, and what becomes of its label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainclinic.errors import LabError

Floats = npt.NDArray[np.float64]


def shift(images: npt.ArrayLike, right: int, down: int) -> Floats:
    """Move images by whole pixels; what comes in at the border repeats the outermost pixel.

    Args:
        images: (…, height, width).
        right: pixels, negative to the left.
        down: pixels, negative upwards.

    Returns:
        Images of the same shape.

    Raises:
        LabError: it is no image, or it would be moved out of its frame.
    """
    values = _images(images)
    height, width = values.shape[-2:]
    if abs(right) >= width or abs(down) >= height:
        raise LabError(f"shift: expected less than the image's size, {width}×{height}, got {right} and {down}; a tenth "
                       "of it is usual")  # fmt: skip
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return values[..., rows[:, None], columns]


def noise(x: npt.ArrayLike, std: float, rng: np.random.Generator) -> Floats:
    """Add normal noise (Bishop 1995: for small noise the same as a penalty on the slope of the network).

    Args:
        x: samples, any shape.
        std: standard deviation, in units of x, at least 0.
        rng: what draws.

    Raises:
        LabError: std is negative or no number.
    """
    if not std >= 0:
        raise LabError(f"std: expected at least 0, got {std}; half the standard deviation of the inputs is much")
    values = np.asarray(x, dtype=np.float64)
    return values + std * rng.standard_normal(values.shape)


def one_hot(labels: npt.ArrayLike, classes: int) -> Floats:
    """Class numbers as rows of 0 and one 1.

    Args:
        labels: (samples,), from 0.
        classes: how many there are.

    Returns:
        (samples, classes).

    Raises:
        LabError: a label is none of the classes.
    """
    chosen = np.asarray(labels, dtype=np.int64)
    if chosen.ndim != 1 or (len(chosen) and not 0 <= chosen.min() <= chosen.max() < classes):
        raise LabError(f"labels: expected one number from 0 to {classes - 1} a sample, got {labels!r:.60}; number the "
                       "classes from 0")  # fmt: skip
    return np.eye(classes)[chosen]


def mix(first: npt.ArrayLike, second: npt.ArrayLike, share: float) -> Floats:
    """λ first + (1 − λ) second: of two samples, or of their one-hot labels.

    Args:
        first: any shape.
        second: the same shape.
        share: λ, from 0 to 1.

    Raises:
        LabError: the shapes differ, or λ is no share.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.shape != other.shape:
        raise LabError(f"mix: expected two of one shape, got {one.shape} and {other.shape}; mix within one data set")
    if not 0 <= share <= 1:
        raise LabError(f"share: expected λ from 0 to 1, got {share}; 1 is the first alone")
    return share * one + (1 - share) * other


def mixup(
    x: npt.ArrayLike, targets: npt.ArrayLike, alpha: float, rng: np.random.Generator
) -> tuple[Floats, Floats, float]:
    """Mixup of a batch (Zhang et al. 2018): every sample with another one, labels alike.

    Args:
        x: samples, (samples, …).
        targets: one-hot or soft labels, (samples, classes).
        alpha: of λ ~ Beta(α, α), above 0; small: nearly one of the two, large: about half of each.
        rng: what draws λ and the partners.

    Returns:
        (mixed samples, mixed labels, λ), of the shapes that came.

    Raises:
        LabError: samples and labels do not fit, or α is not above 0.
    """
    samples, labels = np.asarray(x, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if labels.ndim != 2 or len(samples) != len(labels):
        raise LabError(f"targets: expected a row of class shares for each of {len(samples)} samples, got shape "
                       f"{labels.shape}; use one_hot")  # fmt: skip
    if not alpha > 0:
        raise LabError(f"alpha: expected above 0, got {alpha}; 0.2 to 0.4 is usual")
    share = float(rng.beta(alpha, alpha))
    partner = rng.permutation(len(samples))
    return mix(samples, samples[partner], share), mix(labels, labels[partner], share), share


def rotate(image: npt.ArrayLike, degrees: float) -> Floats:
    """Turn one image about its middle, counter-clockwise; between pixels it is interpolated, outside it is 0.

    Args:
        image: (height, width).
        degrees: of the turn.

    Returns:
        Image of the same shape.

    Raises:
        LabError: it is not one image.
    """
    values = _images(image)
    if values.ndim != 2:
        raise LabError(f"image: expected one image (height, width), got shape {values.shape}; turn them one by one")
    height, width = values.shape
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[:height, :width] - np.array([(height - 1) / 2, (width - 1) / 2])[:, None, None]
    # each pixel of the result looks up where it came from: the turn backwards; y grows downwards
    from_x = np.round(np.cos(angle) * x - np.sin(angle) * y + (width - 1) / 2, 9)
    from_y = np.round(np.sin(angle) * x + np.cos(angle) * y + (height - 1) / 2, 9)
    framed = np.pad(values, 1)
    left, top = np.floor(from_x), np.floor(from_y)
    turned = np.zeros_like(values)
    for row, down in ((top, 1 - (from_y - top)), (top + 1, from_y - top)):
        for column, along in ((left, 1 - (from_x - left)), (left + 1, from_x - left)):
            rows = np.clip(row + 1, 0, height + 1).astype(int)
            columns = np.clip(column + 1, 0, width + 1).astype(int)
            turned += down * along * framed[rows, columns]
    return turned


def _images(images: npt.ArrayLike) -> Floats:
    values = np.asarray(images, dtype=np.float64)
    if values.ndim < 2:
        raise LabError(f"images: expected (…, height, width), got shape {values.shape}; reshape the pixels first")
    return values
