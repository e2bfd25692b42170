"""Chapter 7 of the lab: the lecture's lines with the lecture's numbers, ridge, weight decay as ridge, the network."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex
from sklearn.linear_model import LinearRegression, Ridge

import trainclinic
from trainclinic.errors import LabError
from trainclinic.lab import regression
from trainclinic.lab.chapter import Table, chapters
from trainclinic.lab.chapters import _regularization, _regularization_figures
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make
from trainclinic.lab.regression import ANSCOMBE_X, ANSCOMBE_Y, baseline, equation, ols, ridge, ridge_alpha, train_linear

X, Y = np.array(ANSCOMBE_X)[:, None], np.array(ANSCOMBE_Y)
LECTURE = {
    "0.0": "y = 0.5x + 3.0",
    "0.4": "y = 0.5x + 3.02",
    "0.8": "y = 0.5x + 3.03",
    "1.2": "y = 0.49x + 3.05",
    "1.6": "y = 0.49x + 3.06",
    "2.0": "y = 0.49x + 3.08",
}


@pytest.fixture(scope="module")
def chapter():
    return chapters()["regularization"]


# -- the lecture's numbers


def test_the_baseline_is_the_mean_and_misses_by_the_variance():
    assert baseline(ANSCOMBE_Y) == pytest.approx(7.5009, abs=5e-5)
    assert ((Y - baseline(ANSCOMBE_Y)) ** 2).mean() == pytest.approx(3.752, abs=5e-4)


def test_least_squares_is_the_lectures_line_and_sklearns():
    slope, intercept = ols(ANSCOMBE_X, ANSCOMBE_Y)
    assert equation(slope, intercept) == "y = 0.5x + 3.0"
    reference = LinearRegression().fit(X, Y)
    assert (slope, intercept) == pytest.approx((reference.coef_[0], reference.intercept_), abs=1e-12)
    error = ((Y - slope * X[:, 0] - intercept) ** 2).mean()
    assert error == pytest.approx(1.251, abs=5e-4)
    assert 1 - error / Y.var() == pytest.approx(0.667, abs=5e-4)


@pytest.mark.parametrize("alpha", [*np.arange(0, 2.1, 0.4), 110.0, 1e6])
def test_ridge_is_sklearns(alpha):
    reference = Ridge(alpha=alpha).fit(X, Y)
    assert ridge(ANSCOMBE_X, ANSCOMBE_Y, alpha) == pytest.approx((reference.coef_[0], reference.intercept_), abs=1e-10)


def test_ridge_gives_the_lectures_six_equations_and_not_the_misread_one():
    found = {f"{alpha:.1f}": equation(*ridge(ANSCOMBE_X, ANSCOMBE_Y, alpha)) for alpha in np.arange(0, 2.1, 0.4)}
    assert found == LECTURE
    assert ridge(ANSCOMBE_X, ANSCOMBE_Y, 1.6)[1] == pytest.approx(7.50091 - 9 * 55.01 / 111.6, abs=1e-5)


def test_ridge_with_many_features_is_sklearns():
    x, y, _, _ = _regularization.diabetes()
    reference = Ridge(alpha=33.2).fit(x, y)
    weights, bias = regression.ridge_weights(x, y, 33.2)
    assert weights == pytest.approx(reference.coef_, abs=1e-10)
    assert bias == pytest.approx(reference.intercept_, abs=1e-10)


def test_a_negative_intercept_is_written_with_a_minus():
    assert equation(-0.25, -1.004) == "y = -0.25x - 1.0"
    assert equation(1.0, -0.001) == "y = 1.0x + 0.0"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: baseline([]), "y: expected"),
        (lambda: ols([1.0, 2.0], [1.0]), "2 samples and 1 targets"),
        (lambda: ols([1.0, float("nan")], [1.0, 2.0]), "x: expected finite"),
        (lambda: ols([3.0, 3.0], [1.0, 2.0]), "features that vary"),
        (lambda: ridge([1.0, 2.0], [1.0, 2.0], -0.1), "alpha: expected a number from 0"),
        (lambda: train_linear([[1.0], [2.0]], [1.0, 2.0], -1.0), "weight_decay: expected"),
        (lambda: train_linear([1.0, 2.0], [1.0, 2.0], 0.0), "x: expected 2-dimensional"),
    ],
)
def test_nonsense_is_refused(call, says):
    with pytest.raises(LabError, match=says):
        call()


def test_the_same_x_everywhere_leaves_ridge_the_baseline():
    assert ridge([3.0, 3.0], [1.0, 2.0], 1.0) == (0.0, 1.5)


# -- weight decay


@pytest.mark.parametrize("decay", [0.0, 1e-3, 0.5, 10.0])
@pytest.mark.parametrize("data", ["anscombe", "diabetes"])
def test_a_linear_layer_with_weight_decay_comes_to_rest_at_ridge(data, decay):
    x, y = (X, Y) if data == "anscombe" else _regularization.diabetes()[:2]
    trained = train_linear(x, y, decay)
    alpha = ridge_alpha(decay, len(y))
    assert alpha == len(y) * decay / 2
    reference = Ridge(alpha=alpha).fit(x, y) if alpha else LinearRegression().fit(x, y)
    assert trained.weights == pytest.approx(reference.coef_, abs=1e-6)
    assert trained.bias == pytest.approx(reference.intercept_, abs=1e-6)


def test_another_factor_is_told_apart():
    """The comparison would see a wrong alpha: twice as much, as a loss with the factor ½ would have, is not equal."""
    trained = train_linear(X, Y, 0.5)
    assert abs(trained.weights[0] - ridge(ANSCOMBE_X, ANSCOMBE_Y, 11 * 0.5)[0]) > 1e-3


def test_the_path_begins_at_zero_and_ends_at_the_weights():
    trained = train_linear(X, Y, 0.5)
    assert trained.path[0] == 0
    assert trained.path[-1] == trained.weights


def test_a_training_that_cannot_settle_is_refused(monkeypatch):
    monkeypatch.setattr(regression, "MOST_STEPS", 5)
    with pytest.raises(LabError, match="settles within 5 steps"):
        train_linear(X, Y, 0.0)


# -- figures


def points(axes):
    return sorted(map(tuple, axes.collections[0].get_offsets().tolist()))


def test_the_baseline_figure(chapter):
    (axes,) = chapter.drawings()["baseline"].draw().axes
    assert points(axes) == sorted(zip(ANSCOMBE_X, ANSCOMBE_Y, strict=True))
    (line,) = axes.lines
    assert to_hex(line.get_color()) == to_hex("red")
    assert line.get_ydata() == pytest.approx([82.51 / 11] * 2)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")


def test_the_least_squares_figure(chapter):
    (axes,) = chapter.drawings()["ols"].draw().axes
    assert points(axes) == sorted(zip(ANSCOMBE_X, ANSCOMBE_Y, strict=True))
    assert axes.get_title() == "Linear Regression\n y = 0.5x + 3.0"
    (line,) = axes.lines
    slope, intercept = ols(ANSCOMBE_X, ANSCOMBE_Y)
    assert line.get_ydata() == pytest.approx(slope * line.get_xdata() + intercept)


def test_the_ridge_figure_has_an_axes_for_each_alpha(chapter):
    figure = chapter.drawings()["ridge"].draw()
    assert [axes.get_title() for axes in figure.axes] == [f"alpha={alpha} \n {text}" for alpha, text in LECTURE.items()]
    for axes, alpha in zip(figure.axes, np.arange(0, 2.1, 0.4), strict=True):
        assert points(axes) == sorted(zip(ANSCOMBE_X, ANSCOMBE_Y, strict=True))
        assert to_hex(axes.collections[0].get_facecolor()[0]) == to_hex("black")
        (line,) = axes.lines
        assert to_hex(line.get_color()) == to_hex("red")
        slope, intercept = ridge(ANSCOMBE_X, ANSCOMBE_Y, alpha)
        assert line.get_ydata() == pytest.approx(slope * line.get_xdata() + intercept)


def test_l2_shrinks_the_vector_all_the_time_and_l1_sets_one_after_another_to_zero(chapter):
    left, right = chapter.drawings()["paths"].draw().axes
    curves = [np.array([line.get_ydata() for line in axes.lines[:10]]) for axes in (left, right)]
    lengths = np.sqrt((curves[0] ** 2).sum(0))
    assert (np.diff(lengths) < 0).all()
    assert (curves[0] != 0).all()
    zeros = (curves[1] == 0).sum(0)
    assert zeros[0] == 0
    assert zeros[-1] == 10
    assert len(set(zeros)) >= 6


@pytest.mark.slow
def test_the_networks_figure_shows_the_three_runs_apart(chapter):
    left, right = chapter.drawings()["network"].draw().axes
    none, decay, l1 = (line.get_ydata()[-1] for line in left.lines)
    assert none < 0.02 < 0.3 < min(decay, l1)
    none, decay, l1 = (line.get_ydata()[-1] for line in right.lines)
    assert decay > l1 > none
    assert [text.get_text() for text in left.get_legend().get_texts()] == [
        name.en for name in _regularization_figures.CURES
    ]


# -- plays


def ends(play):
    yield defaults(play.controls)
    for control in play.controls:
        for value in control.choices or (control.low, control.high):
            yield {**defaults(play.controls), control.name: value}


@pytest.mark.parametrize("name", ["line", "coefficients", "corner", "decay"])
def test_every_play_answers_in_both_languages(chapter, name):
    from plotly.graph_objects import Figure

    play = chapter.plays()[name]
    for values in ends(play):
        for language in ("en", "ko"):
            for one in play.show(values, language):
                if isinstance(one, Table):
                    assert {len(row) for row in one.rows} == {len(one.header)}
                else:
                    Figure(one)
                    numbers = [value for trace in one["data"] for value in trace["y"]]
                    assert np.isfinite(numbers).all()
    assert play.show(defaults(play.controls), "en") != play.show(defaults(play.controls), "ko")


def line_at(chapter, **values):
    play = chapter.plays()["line"]
    figure, table = play.show({**defaults(play.controls), **values}, "en")
    return figure["data"], {row[0]: row[1] for row in table.rows}


def test_the_alpha_that_equals_s_xx_halves_the_slope(chapter):
    traces, rows = line_at(chapter, alpha=110.0)
    assert rows["slope"] == "55.01 / (110 + 110) = 0.2500"
    ridge_line = traces[2]
    assert (ridge_line["y"][1] - ridge_line["y"][0]) / (ridge_line["x"][1] - ridge_line["x"][0]) == pytest.approx(
        55.01 / 220
    )


def test_the_point_in_the_middle_has_no_leverage_and_the_outermost_has(chapter):
    assert line_at(chapter, alpha=0.0, x=9, shift=10.0)[1]["slope"].endswith("= 0.5001")
    assert line_at(chapter, alpha=0.0, x=14, shift=-10.0)[1]["slope"] == "5.01 / (110 + 0) = 0.0455"


def test_the_numbers_that_the_text_gives_for_l1_and_l2(chapter):
    play = chapter.plays()["coefficients"]
    _, table = play.show({"penalty": 0.1}, "en")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["coefficients that are exactly 0"] == ("0 / 10", "6 / 10")
    assert rows["R², validation samples"] == ("0.490", "0.485")
    _, table = play.show({"penalty": 1.0}, "en")
    assert table.rows[0][1:] == ("0 / 10", "10 / 10")
    x, y, val_x, val_y = _regularization.diabetes()
    assert (len(y), len(val_y)) == (332, 110)
    plain = LinearRegression().fit(x, y)
    assert plain.score(val_x, val_y) == pytest.approx(0.483, abs=5e-4)


def test_the_corner_is_where_the_text_says_and_the_point_leaves_it(chapter):
    play = chapter.plays()["corner"]
    _, table = play.show({"penalty": 0.3}, "en")
    assert [row[1:] for row in table.rows[1:]] == [("0.407", "0.163"), ("0.292", "0.000")]
    figure, _ = play.show({"penalty": 0.05}, "en")
    l1 = next(trace for trace in figure["data"] if trace.get("name") == "L1")
    assert l1["y"][0] > 0.1
    outline = next(trace for trace in figure["data"] if trace.get("name", "").startswith("|w₁|"))
    assert abs(l1["x"][0]) + abs(l1["y"][0]) == pytest.approx(max(outline["x"]))


@pytest.mark.parametrize("decay", [0.0, 0.5, 10.0])
def test_the_play_of_weight_decay_shows_no_difference(chapter, decay):
    figure, table = chapter.plays()["decay"].show({"weight_decay": decay}, "en")
    assert all(float(row[3]) < 1e-10 for row in table.rows)
    closed, trained = figure["data"]
    assert trained["y"][0] == 0
    assert trained["y"][-1] == pytest.approx(closed["y"][-1], abs=1e-10)


# -- text and experiment


def test_the_code_of_the_text_runs_and_prints_the_lectures_equations(chapter, capsys):
    ridge_code, decay_code = (section.code for section in chapter.text if section.code)
    exec(ridge_code, {})
    assert capsys.readouterr().out.splitlines() == [f"alpha={alpha}: {text}" for alpha, text in LECTURE.items()]
    exec(decay_code, {})
    ours, theirs = capsys.readouterr().out.splitlines()
    numbers = [[float(value) for value in text.split(":")[1].split()] for text in (ours, theirs)]
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-6)


def outcome(chapter, **changed):
    recording = trainclinic.run(Make({**chapter.experiment.settings, **changed}), seed=0)
    problems = [finding.problem for finding in trainclinic.diagnose(recording).findings if finding.level == "problem"]
    last = recording.series("validation_loss").values[-1], recording.series("validation_accuracy").values[-1]
    return recording.series("loss").late(0.05), *last, problems


@pytest.mark.slow
def test_weight_decay_stops_the_network_from_learning_wrong_labels(chapter):
    loss, val_loss, accuracy, problems = outcome(chapter)
    assert loss < 0.05
    assert problems == ["overfitting"]
    decayed_loss, decayed_val_loss, decayed_accuracy, decayed_problems = outcome(chapter, **chapter.tries[0].then)
    assert decayed_loss > 0.5
    assert decayed_val_loss < 0.9 * val_loss
    assert decayed_accuracy > accuracy + 0.1
    assert decayed_problems == []


@pytest.mark.slow
def test_too_much_weight_decay_leaves_a_guess(chapter):
    loss, _, accuracy, problems = outcome(chapter, **chapter.tries[1].settings)
    assert loss == pytest.approx(np.log(10), abs=0.05)
    assert accuracy < 0.15
    assert "vanishing-gradient" in problems


@pytest.mark.slow
def test_the_same_decay_is_another_thing_in_adamw(chapter):
    adam = outcome(chapter, **chapter.tries[3].settings)
    adamw = outcome(chapter, **{**chapter.tries[3].settings, "optimizer": "AdamW"})
    assert adam[0] > 0.3
    assert adamw[0] < 0.1
    assert adam[2] > adamw[2] + 0.04


def test_the_experiment_and_every_try_are_settings_that_exist(chapter):
    assert set(chapter.experiment.shown) >= {"weight_decay", "l1", "optimizer"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for one in chapter.tries:
            Make({**chapter.experiment.settings, **one.settings})
