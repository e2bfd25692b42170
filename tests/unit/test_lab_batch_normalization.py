"""Chapter 4: the formula against NumPy and torch, the lecture's example, the plays, the figures, the tries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

import trainclinic as tc
from trainclinic.errors import LabError
from trainclinic.lab.chapter import chapters
from trainclinic.lab.chapters._batch_normalization import measured_errors, torch_says
from trainclinic.lab.chapters._batch_normalization_layers import factors
from trainclinic.lab.chapters.batch_normalization import EXAMPLE, LAYER, BatchNormalization
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make
from trainclinic.lab.normalization import batch_errors, batch_normalization, example
from trainclinic.lab.settings import SETTINGS


def show(name, language="en", **changed):
    play = BatchNormalization.plays()[name]
    return play.show({**defaults(play.controls), **changed}, language)


def cell(table, row, column=-1):
    return next(cells[column] for cells in table.rows if cells[0].startswith(row))


numbers = arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(1, 5)), elements=st.floats(-100, 100, width=32))
factor = st.floats(-3, 3)


# -- 4.1: the function


def test_two_numbers_by_hand():
    np.testing.assert_allclose(batch_normalization([1, 3], 2.0, 10.0, epsilon=0), [8, 12])


@given(numbers, factor, factor)
def test_the_lectures_form_is_over_the_whole_array(x, gamma, beta):
    expected = gamma * (x - np.mean(x)) / np.sqrt(np.var(x) + 1e-8) + beta
    np.testing.assert_allclose(batch_normalization(x, gamma, beta), expected, rtol=1e-9, atol=1e-9)


@given(numbers, st.integers(0, 2**31))
def test_the_layers_form_is_that_of_numpy_and_of_torch(x, seed):
    drawn = np.random.default_rng(seed)
    gamma, beta = drawn.normal(size=(2, x.shape[1]))
    ours = batch_normalization(x, gamma, beta, epsilon=1e-5, axis=0)
    expected = gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) + beta
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)
    layer = nn.BatchNorm1d(x.shape[1], eps=1e-5).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(gamma))
        layer.bias.copy_(torch.tensor(beta))
        np.testing.assert_allclose(ours, layer(torch.tensor(x)).numpy(), rtol=1e-6, atol=1e-6)


def test_the_two_forms_differ_where_features_differ():
    x = np.array([[2.0, 40.0], [4.0, 80.0]])
    assert (batch_normalization(x, 1, 0)[:, 1] > batch_normalization(x, 1, 0)[:, 0]).all()
    np.testing.assert_allclose(batch_normalization(x, 1, 0, axis=0), [[-1, -1], [1, 1]])


def test_images_are_normalised_per_channel_as_batchnorm2d_does():
    x = np.random.default_rng(0).normal(3, 2, (4, 3, 5, 5))
    ours = batch_normalization(x, 1, 0, epsilon=1e-5, axis=(0, 2, 3))
    np.testing.assert_allclose(ours, nn.BatchNorm2d(3).double()(torch.tensor(x)).detach().numpy(), atol=1e-9)


def test_equal_numbers_become_beta():
    np.testing.assert_array_equal(batch_normalization([7.0, 7.0, 7.0], 2.0, 5.0), [5, 5, 5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 1, 0), "x: expected at least one number"),
        ((["a"], 1, 0), "x: expected numbers"),
        (([1.0, np.nan], 1, 0), "x: expected finite numbers, got nan"),
        (([1e200, -1e200], 1, 0), "x: expected numbers whose squares fit"),
        (([1.0, 2.0], [1, 2, 3], 0), "gamma: expected a number or a shape that fits"),
        (([1.0, 2.0], 1, [[0], [0], [0]]), "beta: expected a number or a shape that fits"),
        (([1.0, 2.0], 1, np.inf), "beta: expected finite"),
        (([1.0, 2.0], 1, 0, -1e-8), "epsilon: expected a number of at least 0"),
        (([1.0, 1.0], 1, 0, 0), "epsilon: expected more than 0 where all numbers are equal"),
        (([1.0, 2.0], 1, 0, 1e-8, 1), "axis: expected None or an axis"),
        (([1.0, 2.0], 1, 0, 1e-8, "batch"), "axis: expected None or an axis"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(LabError, match=message):
        batch_normalization(*arguments)


def test_by_hand_the_larger_feature_stays_larger_only_over_the_whole_array():
    (whole,) = show("by_hand")
    assert cell(whole, "mean", 1) == cell(whole, "mean", 2) == "37.5000"
    assert float(cell(whole, "4", 4)) > float(cell(whole, "4", 3)) + 1
    (per_feature,) = show("by_hand", over="batch", gamma=2.0, beta=3.0)
    assert (cell(per_feature, "mean", 1), cell(per_feature, "mean", 2)) == ("5.0000", "70.0000")
    assert (cell(per_feature, "mean", 3), cell(per_feature, "variance", 4)) == ("3.0000", "4.0000")


# -- 4.2: the worked example


def test_the_draws_are_the_lectures():
    x = example()
    assert x.shape == (1000,)
    np.testing.assert_allclose(x[:3], [12.48357077, 9.30867849, 13.23844269], atol=5e-9)
    np.testing.assert_allclose(x[-2:], [7.14410505, 12.86291391], atol=5e-9)
    assert (round(x.mean(), 5), round(x.var(), 5)) == (10.09666, 23.94762)
    state = np.random.get_state()  # noqa: NPY002 - the slide's generator
    np.random.seed(42)  # noqa: NPY002 - the slide's generator
    np.testing.assert_array_equal(x, np.random.normal(10, 5, 1000))  # noqa: NPY002
    np.random.set_state(state)  # noqa: NPY002 - the slide's generator


def test_after_it_mean_0_and_variance_1():
    y = batch_normalization(example(), 1.0, 0.0)
    assert abs(y.mean()) < 1e-12
    assert abs(y.var() - 1) < 1e-8


def test_the_histograms_are_the_lectures_figure():
    figure = BatchNormalization.drawings()["histograms"].draw()
    assert tuple(figure.get_size_inches()) == (10, 5)
    assert [axes.get_title() for axes in figure.axes] == ["Original Data", "Normalized Data"]
    for axes, data in zip(figure.axes, (example(), batch_normalization(example(), 1, 0)), strict=True):
        assert len(axes.patches) == 50
        heights = [bar.get_height() for bar in axes.patches]
        assert heights == np.histogram(data, 50)[0].tolist()
    left, right = (axes.get_position() for axes in figure.axes)
    assert left.x1 < right.x0
    assert left.y0 == right.y0


def test_the_codes_of_the_chapter_run(capsys):
    exec(EXAMPLE, {})
    exec(LAYER, {})
    printed = capsys.readouterr().out.splitlines()
    assert "mean 10.09666, variance 23.94762" in printed[1]
    assert "mean 0.00000, variance 1.00000" in printed[2]
    assert printed[3] == "True"
    assert {EXAMPLE, LAYER} <= {section.code for section in BatchNormalization.text}


def test_gamma_and_beta_are_spread_and_mean_whatever_comes_in():
    *_, table = show("gamma_beta")
    assert table.rows == (("before", "10.09666", "23.94762"), ("after", "0.00000", "1.00000"))
    *_, table = show("gamma_beta", mean=-20.0, spread=10.0, gamma=-2.0, beta=3.0)
    assert table.rows[1] == ("after", "3.00000", "4.00000")
    upper, lower, _ = show("gamma_beta", mean=3.0)
    assert lower["data"][0]["x"] == pytest.approx(show("gamma_beta")[1]["data"][0]["x"])
    assert upper["data"][0]["x"] != pytest.approx(show("gamma_beta")[0]["data"][0]["x"])


# -- 4.3: in a network


def test_the_batch_drawn_is_normalised_down_its_columns():
    before, after = (axes for axes in BatchNormalization.drawings()["batch"].draw().axes if axes.images)
    raw, normal = (axes.images[0].get_array() for axes in (before, after))
    assert raw.shape == normal.shape == (16, 8)
    np.testing.assert_allclose(normal, nn.BatchNorm1d(8).double()(torch.tensor(raw)).detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(normal.mean(0), 0, atol=1e-9)
    assert [label.get_text() for label in after.get_xticklabels()] == [f"{unit}\n0.00\n1.00" for unit in range(1, 9)]


def test_running_statistics_reach_the_true_ones_and_only_evaluation_is_steady():
    mean, variance, table = show("running", steps=200, batch_size=256)
    assert mean["data"][1]["y"][-1] == pytest.approx(10, abs=0.3)
    assert variance["data"][1]["y"][-1] == pytest.approx(25, abs=2)
    training, evaluation = table.rows
    assert training[1] != training[2]
    assert evaluation[1] == evaluation[2]
    assert float(evaluation[1]) == pytest.approx(1, abs=0.1)  # (15 − 10) / 5


def test_running_statistics_follow_the_rule_that_the_text_gives():
    mean, variance, _ = show("running", steps=12, momentum=0.3)
    for figure, running in ((mean, 0.0), (variance, 1.0)):
        batches, line, _ = (trace["y"] for trace in figure["data"])
        for batch, shown in zip(batches, line, strict=True):
            running = 0.7 * running + 0.3 * batch
            assert shown == pytest.approx(running, rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 4, 64])
def test_the_error_of_a_batchs_statistics_follows_the_law(size):
    np.testing.assert_allclose(measured_errors(size), batch_errors(size), rtol=0.08)


def test_an_empty_batch_has_no_statistics():
    with pytest.raises(LabError, match="batch_size: expected at least 1"):
        batch_errors(0)


def test_a_batch_of_two_leaves_plus_and_minus_one_and_a_batch_of_one_is_refused():
    assert torch_says(2) == "+1.000, -1.000"
    refusal = show("small_batch", batch_size=1)[1].rows[-1][1]
    assert refusal.startswith("ValueError: Expected more than 1 value per channel when training")


def test_factors_are_those_of_the_theory():
    assert factors("ReLU", 20)[0] == pytest.approx(math.sqrt(math.pi / (math.pi - 1)), rel=1e-3)
    assert factors("Sigmoid", 20)[0] == pytest.approx(0.21175 / 0.20828, rel=1e-4)
    assert factors("Identity", 20)[0] == pytest.approx(1)
    assert factors("ReLU", 20, gain=math.sqrt(2))[1] == pytest.approx([1.0] * 20, rel=1e-3)  # He initialisation
    assert factors("Sigmoid", 20, gain=3.0)[0] == factors("Sigmoid", 20)[0]


def backward(recording):
    """Backward signal in the first hidden layer over that in the last, at the first step."""
    hidden = [layer for layer in recording.measured("backward_rms") if layer.kind == "Linear"][:-1]
    found = recording.matrix("backward_rms", hidden).values[:, 0]
    return found[0] / found[-1]


@pytest.mark.parametrize(("activation", "norm"), [("ReLU", "batch"), ("Sigmoid", "batch"), ("Sigmoid", "none")])
def test_factors_are_those_of_a_real_network(activation, norm):
    settings = {"depth": 20, "width": 128, "init": "xavier", "batch_size": 256, "epochs": 1}
    ratio = backward(tc.run(Make({**settings, "activation": activation, "norm": norm}), 0))
    steady, plain = factors(activation, 20)
    expected = steady**19 if norm == "batch" else float(np.prod(plain[:0:-1]))
    assert math.log10(ratio) == pytest.approx(math.log10(expected), abs=0.6 if norm == "batch" else 1.0)


@pytest.mark.slow
def test_twenty_sigmoid_layers_with_and_without():
    gradient, accuracy = BatchNormalization.drawings()["deep"].draw().axes
    (with_norm, without) = (line.get_ydata() for line in gradient.lines)
    assert len(with_norm) == len(without) == 21
    assert with_norm.max() / with_norm.min() < 10
    assert without[-1] / without[0] > 1e10
    assert [line.get_color() for line in gradient.lines] == ["#2563eb", "#dc2626"]
    reached = {line.get_label(): line.get_ydata()[-1] for line in accuracy.lines}
    assert reached["with batch normalisation"] > 0.85
    assert reached["without"] < 0.15


# -- the chapter


@pytest.mark.parametrize("language", ["en", "ko"])
def test_plays_answer_at_both_ends_of_every_control(language):
    for name, play in BatchNormalization.plays().items():
        for control in play.controls:
            for value in list(control.choices) or [control.low, control.high]:
                assert control.read(value) == value
                for part in show(name, language, **{control.name: value}):
                    if isinstance(part, dict):
                        assert part["layout"]["xaxis"]["title"]["text"]
                        assert all(np.isfinite(trace["y"]).all() for trace in part["data"])
                    else:
                        assert all(len(row) == len(part.header) for row in part.rows)


def test_the_chapter_stands_in_the_catalogue_and_its_settings_exist():
    assert chapters()["batch-normalization"] is BatchNormalization
    assert set(BatchNormalization.experiment.shown) <= set(SETTINGS)
    for one in BatchNormalization.tries:
        Make({**BatchNormalization.experiment.settings, **one.settings})


def trained(settings):
    recording = tc.run(Make({**BatchNormalization.experiment.settings, **settings}), 0)
    problems = [finding.problem for finding in tc.diagnose(recording).findings]
    return recording.series("loss").values[-20:].mean(), recording.series("validation_accuracy").values[-1], problems


@pytest.mark.slow
def test_without_normalisation_the_gradient_vanishes():
    first = BatchNormalization.tries[0]
    _, accuracy, problems = trained(first.settings)
    assert accuracy < 0.15
    assert problems[0] == "vanishing-gradient"  # and what follows from it
    assert trained({})[2] == []


@pytest.mark.slow
def test_a_last_batch_of_four_does_the_harm():
    with_four, without = (trained(BatchNormalization.tries[index].settings) for index in (1, 2))
    assert with_four[0] > without[0] + 0.1
    assert without[1] > 0.85
