"""A trial's p-value, interval and verdict: what must hold for any differences, and just under and over each limit."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainclinic.prove.pairs import Run
from trainclinic.prove.statistics import difference, median_interval, sign_flip
from trainclinic.prove.trial import CLEARED, LEVEL, LOSS_MARGIN, METRIC_MARGIN, judge
from trainclinic.records import Curve, Diagnosis, Finding

finite = st.integers(-1000, 1000).map(lambda value: value / 8)  # sums of eighths are exact
differences = st.lists(finite, min_size=1, max_size=9)


@given(differences)
def test_a_difference_and_its_mirror_share_what_is_as_large_as_seen(values):
    forth, back = sign_flip(values), sign_flip([-value for value in values])
    signs = np.array(np.meshgrid(*[[1, -1]] * len(values))).reshape(len(values), -1).T
    ties = float((signs @ np.abs(values) == np.sum(values)).mean())
    assert forth + back == pytest.approx(1 + ties, abs=1e-12)
    low, high = median_interval(values)
    assert median_interval([-value for value in values]) == (-high, -low)


@given(differences, st.data())
def test_a_better_pair_never_makes_the_case_weaker(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    better = list(values)
    better[place] += data.draw(st.integers(0, 400)) / 8
    assert sign_flip(better) <= sign_flip(values)
    assert difference(better).low >= difference(values).low
    assert difference(better).high >= difference(values).high


@given(differences, st.randoms(), st.sampled_from([0.25, 2.0, 1024.0]))
def test_order_and_unit_do_not_matter(values, shuffling, unit):
    other = [unit * value for value in values]
    shuffling.shuffle(other)
    assert sign_flip(other) == sign_flip(values)
    assert difference(other).median == unit * difference(values).median


@pytest.mark.parametrize("spread", ["standard_normal", "standard_cauchy", "standard_t"])
def test_the_interval_covers_and_the_test_errs_as_often_as_they_say(spread):
    drawn = np.random.default_rng(11)
    draw = getattr(drawn, spread)
    trials, center = 3000, 0.7
    covered = false = 0
    for _ in range(trials):
        values = draw(3, 6) if spread == "standard_t" else draw(6)
        low, high = median_interval(values + center)
        covered += low <= center <= high
        false += sign_flip(values) <= LEVEL
    deviation = math.sqrt(1 / 32 * 31 / 32 / trials)
    assert covered / trials == pytest.approx(31 / 32, abs=4 * deviation)
    assert false / trials == pytest.approx(3 / 64, abs=4 * math.sqrt(3 / 64 * 61 / 64 / trials))


# -- verdicts


def found(problem):
    return Finding(problem, "problem", 0.5, 0.8, (), (0, 1), ())


def run(end, half=None, *, start=0.1, problems=(), measure="accuracy", error="", batches=b"12345678"):
    values = (start, end if half is None else half, end)
    diagnosis = Diagnosis(tuple(map(found, problems)))
    return Run(Curve(1, (0, 50, 100), values, error), measure, 100, diagnosis, batches=batches, half_at=50)


ILL = [run(0.5, problems=("vanishing-gradient",)) for _ in range(6)]
WELL = [run(0.5 + METRIC_MARGIN + gain) for gain in (1e-9, 0.01, 0.02, 0.03, 0.04, 0.05)]


def verdict(treated, controls=ILL):
    return judge("vanishing-gradient", controls, treated)


def with_one(run_, *, place=0):
    return [*WELL[:place], run_, *WELL[place + 1 :]]


def test_six_pairs_that_all_clear_the_margin_cure():
    trial = verdict(WELL)
    assert trial.verdict == "cured", trial.why
    assert trial.paired
    assert trial.cleared == 1.0
    assert trial.cost == 1200
    assert trial.full.low == pytest.approx(METRIC_MARGIN)


def test_five_pairs_decide_nothing():
    assert verdict(WELL[1:], ILL[1:]).verdict == "undecided"


def test_one_pair_just_under_the_margin_leaves_it_undecided():
    assert verdict(with_one(run(0.5 + METRIC_MARGIN - 1e-9))).verdict == "undecided"


@pytest.mark.parametrize(("factor", "expected"), [(1 + 1e-9, "cured"), (1 - 1e-9, "undecided")])
def test_the_margin_of_a_loss_is_a_ratio(factor, expected):
    controls = [run(2.0 * math.exp(LOSS_MARGIN) * factor, start=9.0, measure="loss") for _ in range(6)]
    treated = [run(2.0, start=9.0, measure="loss"), *(run(1.0, start=9.0, measure="loss") for _ in range(5))]
    assert judge("overfitting", controls, treated).verdict == expected


def test_just_inside_the_margin_on_both_sides_is_no_effect():
    inside = METRIC_MARGIN - 1e-9
    assert verdict([run(0.5 - inside), *(run(0.5 + inside) for _ in range(5))]).verdict == "no effect"
    assert verdict([run(0.5 - METRIC_MARGIN - 1e-9), *(run(0.5) for _ in range(5))]).verdict == "undecided"


@pytest.mark.parametrize(("worst", "expected"), [(1e-9, "harmed"), (-1e-9, "undecided")])
def test_worse_by_the_margin_in_all_pairs_is_harm(worst, expected):
    treated = [run(0.5 - METRIC_MARGIN - worst), *(run(0.3) for _ in range(5))]
    assert verdict(treated).verdict == expected


@pytest.mark.parametrize(("behind", "expected"), [(0.0, "cured"), (0.9, "cured"), (1.1, "helped")])
def test_it_does_no_harm_at_half_of_the_run(behind, expected):
    """A fault that strikes late shows nothing there; what is worse there by the margin is no cure."""
    assert verdict([run(one.end, half=0.5 - behind * METRIC_MARGIN) for one in WELL]).verdict == expected


@pytest.mark.parametrize(("left", "expected"), [(1, "cured"), (2, "helped")])
def test_the_problem_is_gone_in_four_of_five_runs(left, expected):
    assert 4 / 6 < CLEARED < 5 / 6
    ill = [run(one.end, problems=("vanishing-gradient",)) for one in WELL[:left]]
    assert verdict([*ill, *WELL[left:]]).verdict == expected


@pytest.mark.parametrize(("count", "expected"), [(3, "cured"), (4, "helped")])
def test_more_than_half_of_the_runs_with_a_new_problem_spoil_a_cure(count, expected):
    worse = [run(one.end, problems=("dead-relu",)) for one in WELL[:count]]
    trial = verdict([*worse, *WELL[count:]])
    assert trial.verdict == expected
    assert trial.new == (("dead-relu",) if expected == "helped" else ())
    had = [run(0.5, problems=("vanishing-gradient", "dead-relu")), *ILL[1:]]
    assert verdict([*worse, *WELL[count:]], had).verdict == "cured"


@pytest.mark.parametrize(("count", "expected"), [(1, "cured"), (2, "helped")])
def test_a_network_that_learned_nothing_is_not_cured(count, expected):
    untouched = [run(one.end, start=one.end - METRIC_MARGIN + 1e-6) for one in WELL[:count]]
    assert verdict([*untouched, *WELL[count:]]).verdict == expected


def test_a_treated_run_that_breaks_off_is_the_worst_there_is_and_a_control_that_does_is_worth_as_little():
    assert verdict(with_one(run(0.9, error="RuntimeError: out of memory"))).verdict == "undecided"
    broken = [run(0.9, half=0.5, error="RuntimeError: nan", problems=("vanishing-gradient",)) for _ in range(6)]
    trial = verdict(WELL, broken)
    assert trial.verdict == "cured", trial.why
    assert all(math.isfinite(value) for value in trial.full.values)


def test_the_margin_of_a_metric_nobody_knows_is_the_spread_of_the_untreated_runs():
    controls = [run(value, measure="f1", problems=("dead-relu",)) for value in (10, 12, 14, 10, 12, 14)]
    spread = float(np.std([10, 12, 14, 10, 12, 14], ddof=1))
    trials = [
        judge("dead-relu", controls, [run(one.end + spread + more, measure="f1") for one in controls])
        for more in (1e-9, -1e-9)
    ]
    assert [trial.margin for trial in trials] == pytest.approx([spread, spread])
    assert [trial.verdict for trial in trials] == ["cured", "no effect"]


def test_arms_that_are_equal_are_no_effect_also_where_there_is_no_spread():
    controls = [run(0.5, measure="f1") for _ in range(6)]
    trial = judge("dead-relu", controls, controls)
    assert (trial.margin, trial.verdict) == (0.0, "no effect")


def test_paired_means_the_same_batches_as_far_as_both_went():
    one, two = b"12345678", b"12345678abcdefgh"
    longer = [dataclasses.replace(run_, batches=two) for run_ in ILL]
    assert verdict([dataclasses.replace(run_, batches=one) for run_ in WELL], longer).paired
    other = with_one(dataclasses.replace(WELL[3], batches=b"abcdefgh"), place=3)
    trial = verdict(other, longer)
    assert not trial.paired
    assert trial.verdict == "cured"  # by seed alone, and it says so
