"""Chapter 8: row 8.1 of the lecture, patience, and Prechelt's criteria on sequences with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainclinic
from trainclinic.errors import LabError
from trainclinic.lab import overfitting_run, stopping
from trainclinic.lab.chapters.early_stopping import EarlyStopping
from trainclinic.lab.controls import defaults
from trainclinic.lab.curves import by_epoch
from trainclinic.lab.experiment import Make
from trainclinic.measure.run import build
from trainclinic.setup import evaluate, train

LOSSES = st.lists(st.floats(0.01, 10), min_size=1, max_size=60)
VEE = [5, 4, 3, 2, 1, 2, 3, 4, 5, 6]  # best at epoch 5


def later(one, other):
    """Whether `one` stops no earlier than `other`; never is the latest."""
    return (one or math.inf) >= (other or math.inf)


# -- patience


@pytest.mark.parametrize(
    ("losses", "epochs", "min_delta", "stop"),
    [
        (VEE, 1, 0, 6),
        (VEE, 3, 0, 8),
        (VEE, 5, 0, 10),
        (VEE, 6, 0, None),
        ([1, 1, 1], 2, 0, 3),  # an equal loss is no improvement
        ([3, 4, 2, 4, 4, 1], 2, 0, 5),
        ([3, 4, 2, 4, 1, 4], 2, 0, None),  # every improvement starts the wait anew
        ([1.0, 0.95, 0.90, 0.85], 2, 0.1, 3),  # improvements that are too small
        ([1.0, 0.95, 0.90, 0.85], 2, 0.04, None),
        ([1.0, 0.95, 0.80, 0.90, 0.90], 2, 0.1, 5),  # 0.80 beats 0.95 by more than 0.1
        ([2.0], 1, 0, None),
    ],
)
def test_patience_on_sequences_worked_out_by_hand(losses, epochs, min_delta, stop):
    assert stopping.patience(losses, epochs, min_delta) == stop


@given(LOSSES, st.integers(1, 20), st.floats(0, 1))
def test_a_larger_patience_never_stops_earlier(losses, epochs, min_delta):
    assert later(stopping.patience(losses, epochs + 1, min_delta), stopping.patience(losses, epochs, min_delta))


@given(LOSSES, st.integers(1, 20), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_min_delta_never_stops_later(losses, epochs, one, other):
    small, large = sorted((one, other))
    assert later(stopping.patience(losses, epochs, small), stopping.patience(losses, epochs, large))


@given(LOSSES, st.integers(1, 20))
def test_at_the_stop_the_best_epoch_is_as_long_ago_as_the_patience(losses, epochs):
    stop = stopping.patience(losses, epochs)
    if stop is not None:
        assert stop - stopping.best_epoch(losses, stop) == epochs


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=40, unique=True))
def test_a_loss_that_only_falls_is_never_stopped(losses):
    falling = sorted(losses, reverse=True)
    assert stopping.patience(falling, 1) is None
    assert stopping.gl(falling, 1e-6) is None
    assert stopping.up(falling, 1, strip=1) is None


# -- Prechelt


def test_generalization_loss_is_the_percentage_above_the_best_so_far():
    np.testing.assert_allclose(stopping.generalization_loss([2, 1, 1.05, 0.5, 1]), [0, 0, 5, 0, 100])


@pytest.mark.parametrize(("alpha", "stop"), [(0.5, 2), (4.9, 3), (5.1, 5), (99, 5), (101, None)])
def test_gl_stops_at_the_first_loss_above_alpha(alpha, stop):
    assert stopping.gl([1, 1.01, 1.05, 0.5, 1], alpha) == stop


def test_progress_is_the_mean_over_the_least_of_the_strip():
    progress = stopping.training_progress([4, 2, 2, 1], strip=2)
    assert np.isnan(progress[0])
    np.testing.assert_allclose(progress[1:], [500, 0, 500])


@pytest.mark.parametrize(
    ("alpha", "stop"),
    [
        (0.05, 2),  # GL is 10 %, P is 1000 (1.05 - 1) = 50: their quotient is 0.2
        (0.3, 4),  # GL 20 % over P = 50: 0.4
        (0.5, 6),  # the training stands still: P = 0, any GL is too much
    ],
)
def test_pq_waits_while_the_training_moves(alpha, stop):
    validation = [1.0, 1.1, 1.1, 1.2, 1.2, 1.2]
    training = [1.1, 1.0, 1.1, 1.0, 1.0, 1.0]
    assert stopping.pq(validation, training, alpha, strip=2) == stop


def test_pq_never_stops_at_the_best_so_far_though_the_training_stands_still():
    assert stopping.pq([3, 2, 1, 1], [1, 1, 1, 1], 0.1, strip=2) is None


@pytest.mark.parametrize(("strips", "stop"), [(1, 4), (2, 10), (3, None)])
def test_up_counts_rises_from_strip_to_strip(strips, stop):
    # at the ends of strips of two: 1, 2, 1, 2, 3; in between it may do what it wants
    assert stopping.up([9, 1, 0, 2, 9, 1, 0, 2, 9, 3], strips, strip=2) == stop


@given(LOSSES, st.floats(0.1, 50), st.floats(1, 5))
def test_a_larger_alpha_never_stops_earlier(losses, alpha, factor):
    training = losses[::-1]
    assert later(stopping.gl(losses, alpha * factor), stopping.gl(losses, alpha))
    assert later(stopping.pq(losses, training, alpha * factor), stopping.pq(losses, training, alpha))


@given(LOSSES, st.integers(1, 8), st.integers(1, 6))
def test_more_rises_never_come_earlier_and_stops_are_ends_of_strips(losses, strips, strip):
    stop = stopping.up(losses, strips, strip)
    assert later(stopping.up(losses, strips + 1, strip), stop)
    assert stop is None or (stop % strip == 0 and stop >= (strips + 1) * strip)


@given(LOSSES, st.lists(st.floats(0.01, 10), max_size=20))
def test_no_criterion_looks_ahead(losses, future):
    for rule in (
        lambda seen: stopping.patience(seen, 3, 0.1),
        lambda seen: stopping.gl(seen, 5),
        lambda seen: stopping.up(seen, 2),
        lambda seen: stopping.pq(seen, seen, 0.5),
    ):
        stop = rule(losses)
        assert rule(losses + future) == stop or (stop is None and rule(losses + future) > len(losses))


@given(LOSSES, st.floats(0.5, 2))
def test_the_ratios_do_not_depend_on_the_unit_of_the_loss(losses, unit):
    np.testing.assert_allclose(
        stopping.generalization_loss(losses), stopping.generalization_loss(np.array(losses) * unit), atol=1e-9
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: stopping.patience([1], 0), "epochs: expected a patience of at least 1, got 0"),
        (lambda: stopping.patience([1], 1, -0.1), "min_delta: expected a loss of at least 0"),
        (lambda: stopping.patience([], 1), "validation: expected one finite loss an epoch"),
        (lambda: stopping.best_epoch([1, math.nan]), "validation: expected one finite loss an epoch"),
        (lambda: stopping.gl([1, 0], 5), "validation: expected losses above 0, got 0"),
        (lambda: stopping.gl([1, 2], 0), "alpha: expected a number above 0"),
        (lambda: stopping.pq([1, 2], [1], 1), "training: expected as many epochs as validation, 2, got 1"),
        (lambda: stopping.pq([1, 2], [1, -1], 1), "training: expected losses above 0, got -1"),
        (lambda: stopping.up([1, 2], 0), "strips: expected at least 1 rise"),
        (lambda: stopping.up([1, 2], 1, 0), "strip: expected at least 1 epoch"),
    ],
)
def test_nonsense_is_refused(call, says):
    with pytest.raises(LabError, match=says):
        call()


def test_the_best_epoch_is_the_first_of_equals_and_of_what_was_trained():
    assert stopping.best_epoch([3, 1, 2, 1, 0]) == 5
    assert stopping.best_epoch([3, 1, 2, 1, 0], until=4) == 2


# -- the play


def shown(language="en", **changed):
    play = EarlyStopping.plays()["criteria"]
    return play.show({**defaults(play.controls), **changed}, language)


def test_the_play_says_where_each_criterion_stops_and_what_it_costs():
    figure, table = shown(alpha=2.0)
    rows = {row[0].split()[0].rstrip(","): row[1:] for row in table.rows}
    assert rows["patience"] == ("31", "21", "0.918", "0.0 %", "5.5 %", "89")
    assert rows["GL"] == ("7", "5", "1.015", "10.6 %", "13.0 %", "113")
    assert rows["PQ"][:2] == ("100", "21")
    assert rows["UP"] == ("35", "21", "0.918", "0.0 %", "11.2 %", "85")
    stops = [trace["x"][0] for trace in figure["data"] if trace.get("line", {}).get("dash")]
    assert stops == [31, 7, 100, 35]
    assert shown(patience=1)[1].rows[0][1:4] == ("6", "5", "1.015")
    assert shown(min_delta=0.1)[1].rows[0][1] == "14"


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("control", EarlyStopping.plays()["criteria"].controls, ids=lambda one: one.name)
def test_the_play_answers_at_both_ends_of_every_control(language, control):
    low, high = (shown(language, **{control.name: type(control.default)(end)})[1].rows
                 for end in (control.low, control.high))  # fmt: skip
    moved = [(one[1], other[1]) for one, other in zip(low, high, strict=True) if one[1] != other[1]]
    assert len(moved) == 1, "a control moves the one criterion that it belongs to"
    never = {"en": "never", "ko": "멈추지 않음"}[language]
    one, other = (math.inf if stop == never else int(stop) for stop in moved[0])
    assert one < other if control.name != "min_delta" else one > other


# -- the run behind it, the figure and the experiment


@pytest.fixture(scope="module")
def recording():
    return trainclinic.run(Make(EarlyStopping.experiment.settings), seed=0)


@pytest.mark.slow
def test_the_stored_curve_is_that_of_the_experiment(recording):
    training, validation = by_epoch(recording)
    assert EarlyStopping.experiment.settings == {**overfitting_run.SETTINGS, "patience": 0}
    assert len(overfitting_run.VALIDATION) == len(overfitting_run.TRAINING) == len(validation) == 120
    # another processor rounds otherwise, and a training carries that on
    np.testing.assert_allclose(overfitting_run.VALIDATION, validation, rtol=0.15)
    np.testing.assert_allclose(np.log10(overfitting_run.TRAINING), np.log10(training), atol=0.2)


@pytest.mark.slow
def test_the_figure_marks_the_best_epoch_and_the_stop(recording):
    _, validation = by_epoch(recording)
    (axes,) = EarlyStopping.drawings()["stop"].draw().axes
    stop = stopping.patience(validation, 10)
    best = stopping.best_epoch(validation, stop)
    assert stop == best + 10
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["training", "validation", f"best weights, epoch {best}", f"stop, epoch {stop}",
                     "patience, 10 epochs"]  # fmt: skip
    lines = {line.get_label(): line for line in axes.lines}
    point = lines[f"best weights, epoch {best}"]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (best, validation[best - 1])
    assert list(lines[f"stop, epoch {stop}"].get_xdata()) == [stop, stop]
    assert len(lines["validation"].get_xdata()) == stop
    assert axes.get_title() == "Early Stopping"
    assert "overfitting" in {finding.problem for finding in trainclinic.diagnose(recording).findings}


@pytest.mark.slow
def test_try_patience_ten_keeps_the_weights_of_the_best_epoch(recording):
    _, without = by_epoch(recording)
    settings = {**EarlyStopping.experiment.settings, **EarlyStopping.tries[0].settings}
    stopped = trainclinic.run(Make(settings), seed=0)
    _, validation = by_epoch(stopped)
    stop = stopping.patience(without, 10)
    assert len(validation) == stop < 60
    np.testing.assert_allclose(validation, without[:stop], rtol=1e-5)
    assert "overfitting" not in {finding.problem for finding in trainclinic.diagnose(stopped).findings}
    setup = build(Make(settings), 0)
    train(setup)
    assert evaluate(setup)["loss"] == pytest.approx(min(validation), rel=1e-5)  # and not the last one
    assert validation[-1] > 1.01 * min(validation)


def test_the_code_of_the_text_runs(capsys):
    for section in EarlyStopping.text:
        exec(section.code, {})
    assert capsys.readouterr().out == "reference is still the best: False\n"
