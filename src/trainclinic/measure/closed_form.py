"""How much of the targets can be told from the inputs at all: what a fit in closed form reaches in validation.

A network that ends at 0.6 may be ill, or 0.6 may be all there is to know. Its samples' nearest neighbours and a linear
map tell where that is simple; where it is not, ridge regression on random features does, without a training: random
ReLU units of tables, random convolutions of series, pictures and tokens, and where every position has a target of its
own, what stands around it. Half a second for 2,000 rows.

Random features: Rahimi & Recht 2007. Random convolutions: Dempster, Petitjean & Webb 2020 (ROCKET).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

FEWEST = 50  # rows of each set; of fewer nothing follows
POSITIONS = 3000  # of all rows that are looked at, where each has its own target
_UNITS, _FEWEST_UNITS, _FEATURES = 900, 300, 1000  # random ReLU units of a table, fewer beside many columns of its own
_NUMBERS = 500_000  # of the inputs of each set: of long samples fewer rows are looked at
_FLAT = 512  # numbers of a sample that are features themselves
_MOST_CLASSES, _MOST_OUTPUTS, _VOCABULARY = 64, 256, 400
_CHANNELS = 16  # of a token
_AROUND = 4  # positions before and after
_NEXT = 0.98  # of the targets that are the input one further: then what comes after is not looked at
_KERNELS = ((2, 1, 60), (3, 1, 80), (3, 3, 60), (5, 1, 60), (7, 1, 60))  # width, dilation, how many
_PENALTIES = tuple(10 ** (half / 2) for half in range(-3, 10))
_FITTED = 0.8  # of the training rows; on the others the penalty is chosen
_FAR = 8.0  # deviations: what lies farther is drawn in


def told(inputs: Tensor, targets: Tensor, held: Tensor, held_targets: Tensor) -> float:
    """What the fit reaches on rows that it did not see.

    Args:
        inputs: (N, …) of training: tokens where they are whole numbers, else a table, series or pictures.
        targets: (N,) classes, (N, T) classes of each position, or (N, …) real numbers.
        held: (M, …) inputs of validation.
        held_targets: theirs.

    Returns:
        Share of right answers, of right labels where a sample has several of 0 and 1, or R²; NaN where too few or
        unlike rows are there, or more classes or outputs than are worth the time.
    """
    alike = inputs.dtype == held.dtype and inputs.shape[1:] == held.shape[1:]
    alike &= targets.dtype == held_targets.dtype and targets.shape[1:] == held_targets.shape[1:]
    if not alike or min(len(inputs), len(held)) < FEWEST:
        return math.nan
    each = targets.ndim > 1 and targets[0].numel() > 1 and not targets.is_floating_point()
    numbers = max(1, inputs[0].numel()) * (1 if inputs.is_floating_point() else _CHANNELS // 4)
    most = max(FEWEST, min(_NUMBERS // numbers, 4 * POSITIONS // len(targets[0]) if each else _NUMBERS))
    (inputs, targets), (held, held_targets) = _few(most, inputs, targets), _few(most, held, held_targets)
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        if targets.is_floating_point():
            return _of_numbers(inputs, targets, held, held_targets)
        return _of_classes(inputs, targets, held, held_targets, each=each)


def _of_numbers(inputs: Tensor, targets: Tensor, held: Tensor, held_targets: Tensor) -> float:
    wanted, truth = (values.reshape(len(values), -1).double() for values in (targets, held_targets))
    if wanted.shape[1] > _MOST_OUTPUTS or not bool(torch.isfinite(wanted).all() and torch.isfinite(truth).all()):
        return math.nan
    answers = _fitted(*_features(inputs, held), wanted)
    if bool(((wanted == 0) | (wanted == 1)).all()):
        return float(((answers > 0.5) == (truth > 0.5)).double().mean())
    return 1 - float((answers - truth).square().sum() / (truth - truth.mean(0)).square().sum().clamp_min(1e-30))


def _of_classes(inputs: Tensor, targets: Tensor, held: Tensor, held_targets: Tensor, *, each: bool) -> float:
    if each and (targets.ndim != 2 or inputs.ndim not in (2, 3) or targets.shape[1] != inputs.shape[1]):
        return math.nan
    names, places = torch.unique(torch.cat((targets.reshape(-1), held_targets.reshape(-1))), return_inverse=True)
    if not 1 < len(names) <= _MOST_CLASSES:
        return math.nan
    labels, truth = places[: targets.numel()], places[targets.numel() :]
    if each:
        known, asked = _around(inputs, targets, held)
        (known, labels), (asked, truth) = _few(POSITIONS, known, labels), _few(POSITIONS, asked, truth)
        known, asked = _with_units(known, asked, _UNITS // 2)
    else:
        known, asked = _features(inputs, held)
    answers = _fitted(known, asked, F.one_hot(labels, len(names)).double())
    return float((answers.argmax(1) == truth).double().mean())


# -- features


def _features(inputs: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D) of both, by the kind of the sample."""
    both = torch.cat((inputs, held))
    draw = torch.Generator().manual_seed(1)
    if not both.is_floating_point() and both.ndim == 2 and both.shape[1] > 1 and int(both.min()) >= 0:
        return _parted(list(_of_tokens(both, draw)), len(inputs))
    both = torch.nan_to_num(both.float())
    if both.ndim == 4:
        parts = list(_of_pictures(_even(both, (0, 2, 3)), draw))
    elif both.ndim == 3:
        line = both if both.shape[2] > both.shape[1] else both.transpose(1, 2)
        parts = list(_of_series(_even(line, (0, 2)), draw))
    else:
        flat = both.reshape(len(both), -1)
        count = max(_FEWEST_UNITS, min(_UNITS, _FEATURES - flat.shape[1]))
        return _with_units(flat[: len(inputs)], flat[len(inputs) :], count)
    return _parted(parts, len(inputs))


def _parted(parts: list[Tensor], count: int) -> tuple[Tensor, Tensor]:
    features = torch.cat(parts, 1)
    return features[:count], features[count:]


def _of_tokens(rows: Tensor, draw: torch.Generator) -> Iterator[Tensor]:
    _, rows = torch.unique(rows, return_inverse=True)
    kinds = int(rows.max()) + 1
    if kinds <= _VOCABULARY:
        yield F.one_hot(rows, kinds).float().sum(1)
    if kinds * rows.shape[1] <= _VOCABULARY:
        yield F.one_hot(rows, kinds).float().flatten(1)
    yield from _convolved(_normal(draw, kinds, _CHANNELS)[rows].transpose(1, 2), draw)


def _of_series(line: Tensor, draw: torch.Generator) -> Iterator[Tensor]:
    flat = line.flatten(1)
    if flat.shape[1] <= _FLAT:
        yield flat
        yield _units(flat, draw, 300)
    yield from _convolved(line, draw)


def _convolved(line: Tensor, draw: torch.Generator) -> Iterator[Tensor]:
    """The mean and the largest answer of random kernels over an (N, C, T) line."""
    for width, dilation, count in _KERNELS:
        if (width - 1) * dilation < line.shape[2]:
            kernels = _normal(draw, count, line.shape[1], width) / math.sqrt(line.shape[1] * width)
            found = F.conv1d(line, kernels, 0.7 * _normal(draw, count), dilation=dilation)
            yield F.relu(found).mean(2)
            yield found.amax(2)


def _of_pictures(pictures: Tensor, draw: torch.Generator) -> Iterator[Tensor]:
    """The same of two sizes of kernels over (N, C, H, W), and of a second layer; and the pixels of small ones."""
    channels, side = pictures.shape[1], min(pictures.shape[2:])
    if pictures[0].numel() <= _FLAT:
        yield pictures.flatten(1)
    for size in (3, 5):
        if size > side:
            continue
        kernels = _normal(draw, 120, channels, size, size) / math.sqrt(channels * size**2)
        kernels -= 0.5 * kernels.mean((1, 2, 3), keepdim=True)
        found = F.conv2d(pictures, kernels, 0.5 * _normal(draw, 120))
        yield F.relu(found).mean((2, 3))
        yield found.amax((2, 3))
        smaller = F.max_pool2d(F.relu(found), 2) if size == 3 and side >= 8 else None
        if smaller is not None:
            second = F.conv2d(smaller, _normal(draw, 120, 120, 3, 3) / math.sqrt(120 * 9))
            yield F.relu(second).mean((2, 3))
            yield second.amax((2, 3))


def _around(inputs: Tensor, targets: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
    """(N T, D) of both: what stands around each position, the mean so far and of all, and where it is.

    Where the target is the next input, nothing that comes after.
    """
    both = torch.cat((inputs, held))
    causal = inputs.shape == targets.shape and bool((inputs[:, 1:] == targets[:, :-1]).float().mean() > _NEXT)
    if both.is_floating_point():
        both = both.unsqueeze(2) if both.ndim == 2 else both
    else:
        _, places = torch.unique(both, return_inverse=True)
        kinds = int(places.max()) + 1
        names = torch.eye(kinds, dtype=torch.float32, device="cpu") if kinds <= 40 else _normal(
            torch.Generator().manual_seed(5), kinds, 24)  # fmt: skip
        both = names[places.reshape(len(both), -1)]
    both = torch.nan_to_num(both.float())
    count, length, _ = both.shape
    padded = F.pad(both, (0, 0, _AROUND, 0 if causal else _AROUND))
    parts = [padded[:, start : start + length] for start in range(padded.shape[1] - length + 1)]
    steps = torch.arange(1, length + 1, dtype=torch.float32, device="cpu")
    parts.append(both.cumsum(1) / steps[:, None])
    if not causal:
        parts.append(both.mean(1, keepdim=True).expand(-1, length, -1))
    parts.append((steps / length).reshape(1, length, 1).expand(count, length, 1))
    windows = torch.cat(parts, 2).reshape(count * length, -1)
    return windows[: len(inputs) * length], windows[len(inputs) * length :]


def _with_units(known: Tensor, asked: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Both scaled as the first is, with random ReLU units beside the features."""
    middle, spread = known.mean(0), known.std(0).clamp_min(1e-6)
    both = ((torch.cat((known, asked)) - middle) / spread).clamp(-_FAR, _FAR)
    features = torch.cat((both, _units(both, torch.Generator().manual_seed(1), count)), 1)
    return features[: len(known)], features[len(known) :]


def _units(x: Tensor, draw: torch.Generator, count: int) -> Tensor:
    """Random ReLU units, a third of each of three steepnesses."""
    steep = torch.tensor((0.5, 1.0, 2.0), dtype=torch.float32, device="cpu").repeat(-(-count // 3))[:count]
    weights = _normal(draw, x.shape[1], count) / math.sqrt(x.shape[1]) * steep
    return F.relu(x @ weights + _normal(draw, count))


def _even(x: Tensor, over: tuple[int, ...]) -> Tensor:
    """Each channel with mean 0 and deviation 1."""
    return (x - x.mean(over, keepdim=True)) / x.std(over, keepdim=True).clamp_min(1e-6)


def _normal(draw: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=draw, dtype=torch.float32, device="cpu")


def _few(most: int, *parts: Tensor) -> tuple[Tensor, ...]:
    """At most so many rows of each, the same ones, at random."""
    if len(parts[0]) <= most:
        return parts
    chosen = torch.randperm(len(parts[0]), generator=torch.Generator().manual_seed(2), device="cpu")[:most]
    return tuple(part[chosen] for part in parts)


# -- the fit


def _fitted(known: Tensor, asked: Tensor, wanted: Tensor) -> Tensor:
    """(M, K) answers of a ridge regression, its penalty chosen on a fifth of the rows."""
    known, asked = torch.nan_to_num(known.double()), torch.nan_to_num(asked.double())
    middle, spread = known.mean(0), known.std(0).clamp_min(1e-6)
    known, asked = (((part - middle) / spread).clamp(-_FAR, _FAR) for part in (known, asked))
    usual = wanted.mean(0)
    wanted = wanted - usual
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(3), device="cpu")
    cut = int(_FITTED * len(known))
    own, others = order[:cut], order[cut:]
    values, vectors = torch.linalg.eigh(known[own].T @ known[own])
    turned, seen = vectors.T @ (known[own].T @ wanted[own]), known[others] @ vectors
    errors = [
        float((seen @ (turned / (values.clamp_min(0) + penalty)[:, None]) - wanted[others]).square().mean())
        for penalty in _PENALTIES
    ]
    penalty = _PENALTIES[errors.index(min(errors))] / _FITTED
    square = known.T @ known
    square.diagonal().add_(penalty)
    weights: Tensor = torch.linalg.solve(square, known.T @ wanted)
    return asked @ weights + usual
