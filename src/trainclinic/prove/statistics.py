"""What six pairs can say: an exact test and an exact interval, free of any assumption about the spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from trainclinic.records import Difference

COVERAGE = 0.95
EXACT = 16  # pairs up to which every flip of signs is counted
DRAWS = 1 << 16  # flips that are drawn where there are more


def difference(values: Sequence[float]) -> Difference:
    """The paired differences with their median, its interval and the sign-flip test."""
    low, high = median_interval(values)
    return Difference(tuple(map(float, values)), float(np.median(values)), low, high, sign_flip(values))


def sign_flip(values: Sequence[float]) -> float:
    """One-sided p-value that the differences lie at 0 or below: the share of sign flips with as large a mean.

    Exact up to 16 pairs (Fisher 1935, "The Design of Experiments"); beyond, 65,536 flips drawn from a fixed seed. Under
    the null hypothesis treated and control are exchangeable within each pair, so that each sign is a fair coin.
    """
    observed = np.asarray(values, float)
    if not len(observed):
        return math.nan
    size = np.abs(observed)
    if len(size) <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=len(size))))
        sums = signs @ size
        return float((sums >= observed.sum() - 1e-12 * size.sum()).mean())
    signs = np.random.default_rng(0).choice((1.0, -1.0), (DRAWS, len(size)))
    hits = (signs @ size >= observed.sum() - 1e-12 * size.sum()).sum()
    return float((hits + 1) / (DRAWS + 1))


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """The shortest symmetric interval of order statistics that covers the median with at least 95 %.

    Six values: their smallest and largest (96.9 %). Fewer cannot reach 95 %: the interval is infinite.
    """
    ordered = sorted(map(float, values))
    count, best = len(ordered), None
    for rank in range(count // 2):
        outside = 2 * sum(math.comb(count, below) for below in range(rank + 1)) / 2**count
        if 1 - outside >= COVERAGE:
            best = rank
    return (ordered[best], ordered[count - 1 - best]) if best is not None else (-math.inf, math.inf)
