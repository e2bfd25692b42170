"""The series of all ranks put together, signal by signal.

    loss, validation, means, shares     mean over the ranks, which under data parallelism is that of the global batch
    activation, backward, output_spread root of the mean square
    output_std, target_std              of all ranks' values together
    dead_unit_fraction                  the smallest: a unit is dead where it is dead on every rank
    weights, gradients, gradient_norm   replicated: rank 0's; sharded: root of the sum of squares over the shards
    update_ratio                        sharded: the same, each shard by the square of its weights' norm
    gradient_cosine                     sharded: mean, each shard by the square of its gradient's norm at that step

A step counts where all ranks that measured the signal measured it then. What is sharded needs every rank's file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from trainclinic.recording import Floats, Recording, Series, Steps

SHARDED = "sharded"  # the place of a run's signal for what is sharded alone

_FIRST = ("learning_rate",)
_ROOT_MEAN_SQUARE = ("activation_rms", "backward_rms", "output_spread")
_LEAST = ("dead_unit_fraction",)
_SPREADS = {"output_std": "output_mean", "target_std": "target_mean"}
_OF_WEIGHTS = {  # signal → what beside the number of elements says how much a shard counts
    "weight_rms": "",
    "weight_gain": "",
    "gradient_rms": "",
    "update_ratio": "weight_rms",
    "gradient_cosine": "gradient_rms",
}
_OF_ONE_RANK = ("replica_fingerprint",)  # mean nothing together


def merged_series(ranks: Sequence[Recording], *, complete: bool) -> dict[tuple[str, str], Series]:
    """Every (signal, place) that any rank measured; `complete`: whether all ranks are here."""
    pairs = dict.fromkeys(pair for one in ranks for pair in one._series)
    found = {}
    for signal, place in pairs:
        series = _merged(ranks, signal, place, complete)
        if series:
            found[signal, place] = series
    return found


def _merged(ranks: Sequence[Recording], signal: str, place: str, complete: bool) -> Series | None:
    if signal in _OF_ONE_RANK or place == SHARDED:
        return None
    if signal == "gradient_norm":
        return _gradient_norm(ranks, complete)
    if signal in _OF_WEIGHTS:
        return _of_weights(ranks, signal, place, complete)
    parts = [one.series(signal, place) for one in ranks if one.series(signal, place)]
    if signal in _FIRST:
        return parts[0]
    if signal in _SPREADS:
        means = [one.series(_SPREADS[signal], place) for one in ranks if one.series(signal, place)]
        return _combined([*parts, *means], _spread)
    if signal in _LEAST:
        return _combined(parts, _least)
    if signal in _ROOT_MEAN_SQUARE:
        return _combined(parts, _root_mean_square)
    return _combined(parts, _mean, keep_nan=signal == "loss")


def _combined(parts: Sequence[Series], combine: Callable[[Floats], Floats], *, keep_nan: bool = False) -> Series:
    """`combine` gets one row a part, at the steps that all parts have."""
    steps: Steps = reduce(np.intersect1d, [part.steps for part in parts])
    rows = np.array([part.values[np.searchsorted(part.steps, steps)] for part in parts])
    with np.errstate(all="ignore"):
        values = combine(rows)
    kept = np.isfinite(values) | np.isinf(values) | keep_nan
    return Series(steps[kept], values[kept], parts[0].unit)


def _mean(values: Floats) -> Floats:
    mean: Floats = values.mean(0)
    return mean


def _least(values: Floats) -> Floats:
    least: Floats = values.min(0)
    return least


def _root_mean_square(values: Floats) -> Floats:
    return np.sqrt(_mean(np.square(values)))


def _spread(values: Floats) -> Floats:
    """Standard deviation of everything together, from that of each rank (the first half of the rows) and its mean."""
    stds, means = np.split(values, 2)
    spread: Floats = np.sqrt(np.maximum(0.0, np.square(stds).mean(0) + means.var(0)))
    return spread


# -- what may be sharded


def _of_weights(ranks: Sequence[Recording], signal: str, layer: str, complete: bool) -> Series | None:
    counts = _elements(ranks, layer)
    if counts is None:
        return next(one.series(signal, layer) for one in ranks if one.series(signal, layer))
    holders = [(one, count) for one, count in zip(ranks, counts, strict=True) if count]
    if not complete or not holders:
        return None
    beside = _OF_WEIGHTS[signal]
    parts = [one.series(signal, layer) for one, _ in holders]
    weighing = [one.series(beside, layer) for one, _ in holders] if beside else []
    elements = np.array([[float(count)] for _, count in holders])

    def combine(values: Floats) -> Floats:
        values, norms = (values[: len(parts)], values[len(parts) :]) if beside else (values, np.ones_like(values))
        share = elements * np.square(norms)
        mean: Floats = (share * (values if signal == "gradient_cosine" else np.square(values))).sum(0) / share.sum(0)
        return mean if signal == "gradient_cosine" else np.sqrt(mean)

    return _combined([*parts, *weighing], combine)


def _elements(ranks: Sequence[Recording], layer: str) -> list[int] | None:
    """How many elements of the layer's weight each rank holds; None where each holds all, zeros where unknown."""
    names = [f"{layer}.weight", layer] + ["weight"] * (layer == ranks[0].environment.get("model"))
    for name in names:
        held = [_sharded(one).get(name) for one in ranks]
        everywhere = [parts[1] for parts in held if parts]
        if everywhere:
            return [(parts[0] if parts else max(everywhere)) if max(everywhere) else 0 for parts in held]
    return None


def _gradient_norm(ranks: Sequence[Recording], complete: bool) -> Series | None:
    """The first rank's replicated part, and the shards of all ranks."""
    whole = ranks[0].series("gradient_norm")
    shards = [one.series("gradient_norm", SHARDED) for one in ranks]
    held = [part for part in shards if part]
    if not held:
        return whole or None
    copies = _copies(ranks)
    if not complete or copies is None or not whole:
        return None

    def combine(values: Floats) -> Floats:
        squares = np.square(values)
        replicated = np.maximum(0.0, squares[0] - (squares[1] if shards[0] else 0.0))
        return np.where(np.isinf(values).any(0), np.inf, np.sqrt(replicated + squares[1:].sum(0) / copies))

    return _combined([whole, *held], combine)


def _copies(ranks: Sequence[Recording]) -> float | None:
    """How often each shard is held, over all ranks; None where that is unknown or differs between parameters."""
    found = set()
    for name in {name for one in ranks for name in _sharded(one)}:
        held = [_sharded(one).get(name) for one in ranks]
        everywhere = max(parts[1] for parts in held if parts)
        here = sum(parts[0] if parts else everywhere for parts in held)
        found.add(here / everywhere if everywhere else None)
    return found.pop() if len(found) == 1 else None


def _sharded(one: Recording) -> dict[str, list[int]]:
    """Parameter → [elements here, elements in all], of the parameters that this rank holds a part of."""
    sharded: dict[str, list[int]] = one.facts.get("distributed", {}).get("sharded", {})
    return sharded
