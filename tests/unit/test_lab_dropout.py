"""Chapter 5: rows 5.1 and 5.2 of the lecture, and dropout in NumPy against nn.Dropout."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import trainclinic
from trainclinic.errors import LabError
from trainclinic.lab import dropout_figures as figures
from trainclinic.lab.chapters.dropout import Dropout
from trainclinic.lab.controls import defaults
from trainclinic.lab.curves import by_epoch
from trainclinic.lab.dropout_mask import dropout, mask
from trainclinic.lab.experiment import Make
from trainclinic.recording import Recording


def shown(name, language="en", **changed):
    play = Dropout.plays()[name]
    return play.show({**defaults(play.controls), **changed}, language)


# -- the function


@given(st.floats(0, 0.99), st.integers(0, 2**31))
def test_a_mask_holds_0_and_the_scale_and_nothing_else(p, seed):
    drawn = mask((7, 9), p, np.random.default_rng(seed))
    assert drawn.shape == (7, 9)
    assert set(np.unique(drawn)) <= {0.0, 1 / (1 - p)}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_mean_and_variance_are_those_of_the_formula(p):
    x = np.array([2.0, -1.0, 0.5])
    drawn = dropout(np.tile(x, (40_000, 1)), p, np.random.default_rng(0))
    spread = np.sqrt(p / (1 - p) / 40_000)  # of the mean of one entry of the mask
    assert (drawn == 0).mean() == pytest.approx(p, abs=0.01)
    np.testing.assert_allclose(drawn.mean(0), x, atol=5 * spread * 2)
    np.testing.assert_allclose(drawn.var(0), x**2 * p / (1 - p), rtol=0.05)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5])
def test_it_is_what_nn_dropout_does(p):
    layer, x = nn.Dropout(p), torch.full((50_000,), 3.0)
    theirs, ours = layer.train()(x).numpy(), dropout(x.numpy(), p, np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(ours), np.unique(theirs), rtol=1e-6)  # the same values occur …
    assert (ours == 0).mean() == pytest.approx((theirs == 0).mean(), abs=0.015)  # … equally often
    np.testing.assert_array_equal(dropout(x.numpy(), p, np.random.default_rng(0), training=False), layer.eval()(x))


def test_at_evaluation_nothing_is_drawn_and_the_input_is_left_alone():
    x, rng = np.arange(4.0), np.random.default_rng(0)
    out = dropout(x, 0.5, rng, training=False)
    out[0] = 9
    assert x[0] == 0
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan")])
def test_what_is_no_probability_is_refused(p):
    for call in (mask, dropout):
        with pytest.raises(LabError, match="p: expected a probability of being off from 0 to below 1, got"):
            call((3,), p, np.random.default_rng(0))


# -- the thinned network (5.2)


def crosses(axes):
    """Centres of the units that are crossed out: two red lines each."""
    return {(round(float(np.mean(line.get_xdata())), 6), round(float(np.mean(line.get_ydata())), 6))
            for line in axes.lines if line.get_color() == figures.RED}  # fmt: skip


def test_the_drawing_is_the_full_network_beside_the_one_that_a_real_mask_leaves():
    figure = figures.thinned("en")
    full, thinned = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["Full network", "Thinned network (p = 0.5)"]
    assert len(full.patches) == len(thinned.patches) == sum(figures.SIZES)
    assert not full.lines
    torch.manual_seed(figures.SHOWN_SEED)
    layer, off = nn.Dropout(0.5), set()
    for place, size in enumerate(figures.SIZES[1:-1], 1):
        values = layer(torch.ones(size))
        off |= {(float(place), unit - (size - 1) / 2) for unit in range(size) if values[unit] == 0}
    assert 0 < len(off) < 12
    assert crosses(thinned) == off
    assert len(thinned.lines) == 2 * len(off)
    lines = [[tuple(end) for end in line] for line in thinned.collections[0].get_segments()]
    assert len(full.collections[0].get_segments()) == 4 * 6 + 6 * 6 + 6 * 3
    assert len(lines) < 78
    assert not any(end in off for line in lines for end in line), "a unit that is off keeps a connection"


def test_drawing_a_mask_leaves_the_random_state_alone():
    before = torch.random.get_rng_state()
    figures.thinned("en")
    shown("mask")
    shown("scaling")
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("p", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 3, 9999])
def test_play_mask_counts_what_it_draws(language, p, seed):
    figure, table = shown("mask", language, p=p, seed=seed)
    lines, on, off = figure["data"]
    assert len(on["x"]) + len(off["x"]) == sum(figures.SIZES)
    assert sum(int(row[2]) for row in table.rows) == len(off["x"])
    assert [row[3] for row in table.rows] == [f"{6 * p:.1f}"] * 2
    assert table.rows[0][4] == f"{len(lines['x']) // 3} / 78"
    if p == 0:
        assert table.rows[0][4] == "78 / 78"


def test_another_seed_draws_another_mask_and_the_same_seed_the_same():
    assert shown("mask", seed=1) == shown("mask", seed=1)
    assert shown("mask", seed=1) != shown("mask", seed=2)


# -- the scaling


@pytest.mark.parametrize("changed", [{}, {"p": 0.0}, {"p": 0.9}, {"masks": 1}, {"masks": 5000}, {"seed": 9999}])
def test_play_scaling_shows_doubled_or_nothing_and_means_that_arrive(changed):
    table, figure = shown("scaling", "ko", **changed)
    p, count = changed.get("p", 0.5), changed.get("masks", 500)
    for value, row in zip(figures.INPUTS, table.rows, strict=True):
        given, first, mean, evaluated = (float(cell) for cell in row[1:])
        assert given == evaluated == value
        assert any(first == pytest.approx(one, abs=1e-3) for one in (0, value / (1 - p)))
        assert mean == pytest.approx(value, abs=5 * abs(value) * np.sqrt(p / (1 - p) / count) + 1e-3)
    running, evaluated = figure["data"]
    assert running["x"][0] == 1
    assert running["x"][-1] == count
    assert running["y"][-1] == pytest.approx(float(table.rows[0][3]), abs=1e-3)
    assert evaluated["y"] == [2.0, 2.0]


def test_the_code_of_the_text_runs(capsys):
    for section in Dropout.text:
        exec(section.code, {})
    assert "eval:  tensor([1., 1., 1., 1., 1., 1., 1., 1.])" in capsys.readouterr().out


# -- the curves (5.1), and what becomes of them


def test_curves_by_epoch_need_a_validation():
    with pytest.raises(LabError, match="recording: expected a validation loss for every epoch, got none"):
        by_epoch(Recording((), {}, {}, {}, "completed"))


def test_curves_by_epoch_are_the_means_of_the_epochs_steps():
    recording = trainclinic.run(Make({"samples": 100, "batch_size": 40, "epochs": 3, "depth": 1}), seed=0)
    training, validation = by_epoch(recording)
    steps = recording.series("loss").values
    assert len(steps) == 9  # 40 + 40 + 20, three times
    np.testing.assert_allclose(training, [steps[0:3].mean(), steps[3:6].mean(), steps[6:9].mean()])
    np.testing.assert_array_equal(validation, recording.series("validation_loss").values)


@pytest.mark.slow
def test_the_curves_part_and_dropout_delays_it():
    figure, both = figures.curves("en"), figures.effect("en")
    (alone,) = figure.axes
    left, right = both.axes
    assert alone.get_title() == "Overfitting"
    assert [axes.get_title() for axes in both.axes] == ["Without dropout", "With dropout (p = 0.5)"]
    for axes in (alone, left, right):
        training, validation, best = axes.lines
        assert (training.get_color(), validation.get_color()) == (figures.BLUE, figures.RED)
        assert len(training.get_ydata()) == len(validation.get_ydata()) == 80
        assert best.get_ydata()[0] == min(validation.get_ydata())
        assert [text.get_text() for text in axes.get_legend().get_texts()][:2] == ["training", "validation"]
        assert (axes.get_xlabel(), alone.get_ylabel()) == ("epoch", "loss")
    training, validation, best = (line.get_ydata() for line in left.lines)
    assert training[-1] < 0.01
    assert validation[-1] > 1.3 * best[0]
    assert left.lines[2].get_xdata()[0] <= 15
    with_dropout = right.lines[1].get_ydata()
    assert min(with_dropout) < best[0]
    assert with_dropout[-1] < 0.8 * validation[-1]
    assert right.lines[2].get_xdata()[0] > 30


# -- the experiment


def trained(number, seed=0):
    settings = {**Dropout.experiment.settings, **(Dropout.tries[number].settings if number is not None else {})}
    return trainclinic.run(Make(settings), seed=seed)


def problems(recording):
    return {finding.problem for finding in trainclinic.diagnose(recording).findings}


@pytest.mark.slow
def test_tries_dropout_ends_the_diagnosis_and_too_much_of_it_the_learning():
    without, half, most = trained(None), trained(0), trained(2)
    accuracy = {name: one.series("validation_accuracy").values[-1]
                for name, one in (("without", without), ("half", half), ("most", most))}  # fmt: skip
    assert "overfitting" in problems(without)
    assert "overfitting" not in problems(half)
    assert half.series("validation_loss").values[-1] < 0.8 * without.series("validation_loss").values[-1]
    assert accuracy["half"] > accuracy["without"] + 0.01
    assert accuracy["most"] < 0.25
