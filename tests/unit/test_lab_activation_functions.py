"""Chapter 2: the lecture's figures as it draws them, the plays, and what the answers claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import trainclinic as tc
from trainclinic.lab import backward
from trainclinic.lab.chapter import Table
from trainclinic.lab.chapters import _activation_functions as shown
from trainclinic.lab.chapters.activation_functions import ActivationFunctions
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
PLAYS = ActivationFunctions.plays()
X = np.linspace(-5, 5, 400)


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def has_grid(axes):
    return all(line.get_visible() for line in axes.get_xgridlines() + axes.get_ygridlines())


def test_tanh_is_drawn_as_the_lecture_draws_it():
    figure = ActivationFunctions.drawings()["tanh"].draw()
    (axes,) = figure.axes
    assert figure.get_size_inches().tolist() == [10, 6]
    curve, derivative = axes.lines
    assert [line.get_color() for line in axes.lines] == ["blue", "red"]
    for line in axes.lines:
        np.testing.assert_array_equal(line.get_xdata(), X)
    np.testing.assert_array_equal(curve.get_ydata(), np.tanh(X))
    np.testing.assert_array_equal(derivative.get_ydata(), 1 - np.tanh(X) ** 2)
    assert legend(axes) == ["tanh(x)", "tanh'(x)"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert axes.get_title() == "Hyperbolic Tangent Function and its Derivative"
    assert has_grid(axes)


def test_relus_derivative_is_drawn_as_the_lecture_draws_it():
    figure = ActivationFunctions.drawings()["relu"].draw()
    (axes,) = figure.axes
    assert figure.get_size_inches().tolist() == [8, 6]
    (line,) = axes.lines
    assert line.get_color() == "blue"
    np.testing.assert_array_equal(line.get_xdata(), X)
    np.testing.assert_array_equal(line.get_ydata(), np.where(X > 0, 1, 0))
    assert legend(axes) == ["ReLU Derivative"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "f'(x)")
    assert axes.get_title() == "Derivative of ReLU Function"
    assert has_grid(axes)


def test_before_and_after_on_a_real_network():
    curves, layers = ActivationFunctions.drawings()["before_after"].draw().axes
    accuracy = {line.get_label(): line.get_ydata() for line in curves.lines}
    sizes = {line.get_label(): line.get_ydata() for line in layers.lines}
    assert list(accuracy) == list(sizes) == [label.en for label in shown.AFTER]
    assert accuracy.pop("Sigmoid").max() < 0.2
    assert all(values[-1] > 0.85 for values in accuracy.values())
    assert sizes["Sigmoid"][0] < 1e-6 * sizes.pop("Sigmoid")[-1]
    assert all(max(values) < 10 * min(values) for values in sizes.values())
    assert all(len(values) == 13 for values in sizes.values())


# -- plays


@pytest.mark.parametrize("name", PLAYS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_play_answers_at_both_ends_of_every_control(name, language):
    play = PLAYS[name]
    usual = defaults(play.controls)
    ends = [usual]
    for control in play.controls:
        ends += [usual | {control.name: end} for end in control.choices or (control.low, control.high)]
    for given in ends:
        given = {control.name: control.read(given[control.name]) for control in play.controls}
        for one in play.show(given, language):
            if isinstance(one, Table):
                assert all(len(row) == len(one.header) for row in one.rows)
                assert not any("nan" in cell or "inf" in cell for row in one.rows for cell in row)
            else:
                assert one["layout"]["height"] == 320
                assert all(len(trace["x"]) == len(trace["y"]) > 0 for trace in one["data"])


@pytest.mark.parametrize(
    ("name", "slope"), [("Sigmoid", 0.25), ("Tanh", 1), ("ReLU", 1), ("GELU", 1.13), ("SELU", 1.76), ("Softplus", 1)]
)
def test_the_largest_slope_is_what_the_text_says(name, slope):
    assert shown.steepest(name) == pytest.approx(slope, abs=0.005)


def test_two_functions_stand_side_by_side():
    table, chart = PLAYS["functions"].show({"activation": "GELU", "other": "ReLU", "spread": 1.0}, "en")
    assert [row[0] for row in table.rows] == ["GELU", "ReLU"]
    assert table.rows[1][-1] == f"{math.sqrt(2):.3f}"  # the gain that He's weights have
    assert table.rows[1][2:5] == ("0", "0", "1")  # ReLU's slope at −2, 0 and 2
    assert [trace["name"] for trace in chart["data"]] == ["GELU(x)", "GELU'(x)", "ReLU(x)", "ReLU'(x)"]
    x = torch.tensor(chart["data"][0]["x"], dtype=torch.float64)
    np.testing.assert_allclose(chart["data"][0]["y"], nn.functional.gelu(x).numpy(), atol=1e-12)
    alone, chart = PLAYS["functions"].show({"activation": "ReLU", "other": "ReLU", "spread": 1.0}, "en")
    assert len(alone.rows) == 1
    assert len(chart["data"]) == 2


@pytest.mark.parametrize(
    ("name", "gain", "forward", "back"),
    [("ReLU", 1.0, 0.94, 0.95), ("ReLU", 0.7071, 0.66, 0.67), ("Tanh", 3.0, 1.07, 1.47), ("Sigmoid", 4.0, 1.05, 0.65)],
)
def test_the_factors_per_layer_are_what_the_text_says(name, gain, forward, back):
    found = backward.passage(name, 20, gain)
    assert found.forward_growth == pytest.approx(forward, abs=0.02)
    assert found.backward_growth == pytest.approx(back, abs=0.02)
    table, _ = PLAYS["signal"].show({"activation": name, "gain": gain, "depth": 20}, "en")
    assert table.rows[0][1:] == (f"× {found.forward_growth:.3f}", f"× {found.backward_growth:.3f}")


def test_the_codes_run_as_they_stand(capsys):
    for section in ActivationFunctions.text:
        exec(section.code, {})
    assert capsys.readouterr().out.splitlines() == ["[-1.     0.013  1.   ] 0.9998", "[0. 0. 1.]"]


# -- the experiment


def train(seed=0, **changed):
    return tc.run(Make({**ActivationFunctions.experiment.settings, **changed}), seed)


def problems(recording):
    return [finding.problem for finding in tc.diagnose(recording).findings if finding.level == "problem"]


def accuracy(recording):
    return recording.series("validation_accuracy").values[-1]


def mean_derivative(recording):
    layers = recording.measured("activation_derivative")
    return np.mean([recording.series("activation_derivative", layer.name).early(1) for layer in layers])


@pytest.mark.slow
def test_tanh_instead_of_sigmoid():
    sigmoid, tanh = train(), train(**ActivationFunctions.tries[0].settings)
    assert "vanishing-gradient" in problems(sigmoid)
    assert not problems(tanh)
    assert accuracy(sigmoid) < 0.2 < 0.9 < accuracy(tanh)
    assert mean_derivative(sigmoid) == pytest.approx(0.234, abs=0.005)
    assert mean_derivative(tanh) == pytest.approx(0.885, abs=0.02)


@pytest.mark.slow
def test_layers_without_a_function_between_them_are_one_layer():
    settings = ActivationFunctions.tries[2].settings
    assert accuracy(train(**settings)) < 0.6
    assert accuracy(train(**{**settings, "activation": "ReLU", "init": "he"})) > 0.7


@pytest.mark.slow
def test_too_large_a_step_kills_relus_and_leaky_relus_do_not_save_it():
    settings = ActivationFunctions.tries[3].settings
    dead, leaky = train(**settings), train(**{**settings, "activation": "LeakyReLU"})
    found = {finding.problem: finding for finding in tc.diagnose(dead).findings}
    assert found["dead-relu"].explained_by == "learning-rate-too-high"
    assert accuracy(dead) < 0.2
    layers = dead.measured("dead_unit_fraction")
    assert max(dead.series("dead_unit_fraction", layer.name).late() for layer in layers) == 1
    assert "learning-rate-too-high" in problems(leaky)
    assert accuracy(leaky) < 0.3
    assert leaky.series("loss").values[-1] > 1000


@pytest.mark.slow
def test_heavy_weights_saturate_tanh():
    recording = train(**ActivationFunctions.tries[4].settings)
    assert {"poor-initialization", "saturated-activation", "exploding-gradient"} <= set(problems(recording))
    assert accuracy(recording) < 0.25
    assert mean_derivative(recording) == pytest.approx(0.17, abs=0.02)
