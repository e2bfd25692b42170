"""The statistics of six pairs, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from trainclinic.prove.statistics import EXACT, difference, median_interval, sign_flip


@pytest.mark.parametrize(
    ("values", "p"),
    [
        ([1], 1 / 2),
        ([1, 2], 1 / 4),  # sums 3, 1, -1, -3
        ([-1, 2], 2 / 4),  # 1 is reached by 3 and 1
        ([1, -2], 3 / 4),
        ([1, 1, -1], 4 / 8),  # 1 is reached by 3 and three times by 1
        ([3, 2, -1], 2 / 8),  # 4 is reached by 6 and 4
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 1 / 64),
        ([-0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 2 / 64),  # the smallest one against: only it can be flipped for free
        ([0.1, 0.2, -0.3, 0.4, 0.5, 0.6], 5 / 64),  # sets of 0.3 in sum or less: {}, {1}, {2}, {3}, {1, 2}
        ([-1, -1, -1, -1, -1, -1], 64 / 64),
        ([0, 0, 0, 0, 0, 0], 64 / 64),  # nothing speaks for it
        ([1, 1, 1, 1, 1, 1], 1 / 64),
        ([1, 1, 1, 1, 1, -1], 7 / 64),  # one flipped, or none
    ],
)
def test_sign_flip_counts_the_flips_with_as_large_a_sum(values, p):
    assert sign_flip(values) == p


def test_sums_that_differ_by_rounding_only_are_equal():
    assert 0.1 + 0.2 != 0.3
    for values in ([0.3, -0.1, -0.2], [-0.3, 0.1, 0.2]):
        assert sign_flip(values) == 5 / 8  # 0 is reached by 0.6, 0.4, 0.2 and twice by 0


def test_beyond_the_exact_count_p_values_are_drawn_and_repeat_themselves():
    values = [0.4, -0.1] * (EXACT // 2 + 1)
    drawn = sign_flip(values)
    assert drawn == sign_flip(values)
    # 9 of 0.4 and 9 of 0.1: with i of the first and j of the second negative the sum is at least 2.7 where
    # 0.8 i + 0.2 j <= 1.8
    ways = sum(math.comb(9, i) * math.comb(9, j) for i in range(10) for j in range(10) if 8 * i + 2 * j <= 18)
    assert drawn == pytest.approx(ways / 2**18, abs=4 * math.sqrt(ways / 2**18 / 2**16))
    assert sign_flip([1.0] * 40) > 0  # never 0: the flip that was seen counts


@pytest.mark.parametrize(
    ("count", "rank"),
    [(6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (17, 4), (20, 5)],  # as in tables of the sign test's interval
)
def test_the_interval_of_the_median_is_the_one_in_the_tables(count, rank):
    values = [float(value) for value in range(count)]
    assert median_interval(values[::-1]) == (values[rank], values[-1 - rank])
    outside = 2 * sum(math.comb(count, below) for below in range(rank + 1)) / 2**count
    assert outside <= 0.05 < outside + 2 * math.comb(count, rank + 1) / 2**count


@pytest.mark.parametrize("count", range(6))
def test_fewer_than_six_pairs_cannot_tell(count):
    assert median_interval([1.0] * count) == (-math.inf, math.inf)


def test_difference_puts_them_together():
    found = difference([3, 1, 2, 6, 5, 4])
    assert found.values == (3.0, 1.0, 2.0, 6.0, 5.0, 4.0)
    assert (found.median, found.low, found.high, found.p_value) == (3.5, 1.0, 6.0, 1 / 64)
