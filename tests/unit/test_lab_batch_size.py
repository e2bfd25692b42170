"""Chapter 3: the lecture's counts, against a real DataLoader; the noise of a gradient; figures, plays, tries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

import trainclinic as tc
from trainclinic.errors import LabError
from trainclinic.lab.batches import batch_gradients, iterations_per_epoch, last_batch, noise_scale, updates
from trainclinic.lab.chapter import chapters
from trainclinic.lab.chapters._batch_size import sample_gradients
from trainclinic.lab.chapters.batch_size import ITERATIONS, BatchSize
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make
from trainclinic.lab.settings import SETTINGS


def show(name, language="en", **changed):
    play = BatchSize.plays()[name]
    return play.show({**defaults(play.controls), **changed}, language)


def rows(table):
    return {row[0]: row[-1] for row in table.rows}


# -- 3.1 to 3.3: the counts


def test_a_workbook_of_100_problems_20_at_a_time_is_marked_5_times():
    assert iterations_per_epoch(100, 20) == 5
    table, picture = show("workbook")
    assert rows(table)["markings, cover to cover"] == "5"
    grid = np.array(picture["data"][0]["z"])
    assert grid.shape == (5, 20)
    assert [(grid == number).sum() for number in range(1, 6)] == [20] * 5


def test_3000_samples_in_batches_of_300_are_10_iterations_and_10_updates():
    assert iterations_per_epoch(3000, 300) == updates(3000, 300, epochs=1) == 10
    assert updates(3000, 300, epochs=7) == 70
    table = rows(show("calculator")[0])
    assert table["iterations per epoch"] == table["updates in all"] == "10"
    assert table["size of the last batch"] == "300"


def test_the_last_batch_is_what_is_left():
    assert (iterations_per_epoch(1000, 300), last_batch(1000, 300)) == (4, 100)
    assert (iterations_per_epoch(1000, 300, drop_last=True), last_batch(1000, 300, drop_last=True)) == (3, 300)
    table = rows(show("calculator", samples=1000, drop_last=True, epochs=2)[0])
    assert table["updates in all"] == "6"
    assert table["samples left out of each epoch"] == "100"
    assert table["samples processed in all"] == "1,800"


@given(st.integers(1, 300), st.integers(1, 320), st.integers(1, 3), st.booleans())
def test_every_count_is_that_of_a_real_loader(samples, batch_size, epochs, drop_last):
    loader = DataLoader(TensorDataset(torch.arange(samples)), batch_size, drop_last=drop_last)
    sizes = [len(batch) for _ in range(epochs) for (batch,) in loader]
    assert iterations_per_epoch(samples, batch_size, drop_last) == len(loader)
    assert updates(samples, batch_size, epochs, drop_last) == len(sizes)
    assert last_batch(samples, batch_size, drop_last) == (sizes[-1] if sizes else 0)


def test_the_code_of_the_chapter_counts_ten_updates(capsys):
    exec(ITERATIONS, {})
    assert capsys.readouterr().out == "10\n"
    assert ITERATIONS in [section.code for section in BatchSize.text]


@pytest.mark.parametrize("wrong", [0, -3, 2.5, True, "300", None])
def test_nonsense_counts_are_refused(wrong):
    with pytest.raises(LabError, match="samples: expected a whole number"):
        iterations_per_epoch(wrong, 10)
    with pytest.raises(LabError, match="batch_size: expected a whole number"):
        last_batch(10, wrong)
    with pytest.raises(LabError, match="epochs: expected a whole number"):
        updates(10, 10, wrong)


def test_counts_may_be_numpy_integers():
    assert updates(np.int64(3000), np.int32(300), np.int8(2)) == 20


# -- the noise


def test_batch_gradients_are_means_of_their_samples_and_a_whole_batch_has_no_noise():
    rows = np.random.default_rng(1).normal(size=(20, 3))
    np.testing.assert_allclose(batch_gradients(rows, 20, 5), np.tile(rows.mean(0), (5, 1)))
    singles = batch_gradients(rows, 1, 50)
    assert all(np.isclose(rows, single).all(1).any() for single in singles)


def test_noise_scale_of_a_known_spread():
    drawn = np.random.default_rng(0).normal([3.0, 4.0], [1.0, 2.0], (200_000, 2))  # tr Σ = 5, |G|² = 25
    assert noise_scale(drawn) == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batch_gradients([[1.0]], 2, 1), "at most the 1 samples"),
        (lambda: batch_gradients([1.0], 1, 1), "shape"),
        (lambda: batch_gradients([[np.nan]], 1, 1), "finite"),
        (lambda: batch_gradients([["a"]], 1, 1), "finite numbers"),
        (lambda: noise_scale([[1.0, 2.0]]), "at least 2 samples"),
        (lambda: noise_scale([[1.0], [-1.0]]), "not 0"),
    ],
)
def test_nonsense_gradients_are_refused(call, message):
    with pytest.raises(LabError, match=message):
        call()


def test_sample_gradients_average_to_what_backward_gives():
    setup = Make({"depth": 1, "width": 16, "optimizer": "SGD"})
    torch.manual_seed(0)
    built = setup(0)
    images, labels = built.train_loader.dataset.tensors
    torch.nn.functional.cross_entropy(built.model(images), labels).backward()
    whole = torch.cat([weight.grad.flatten() for weight in built.model.parameters()]).numpy()
    np.testing.assert_allclose(sample_gradients("start").mean(0), whole, atol=1e-5)


def test_the_noise_figure_follows_one_over_the_root_of_b():
    (axes,) = BatchSize.drawings()["noise"].draw().axes
    assert axes.get_xlabel() == "Batch size B"
    measured = {line.get_label(): line for line in axes.lines}["measured, before training"]
    sizes, noise = measured.get_data()
    assert list(sizes[[0, -1]]) == [1, 1024]
    slope = np.polyfit(np.log(sizes[:7]), np.log(noise[:7]), 1)[0]  # far below the 1,348 samples there are
    assert slope == pytest.approx(-0.5, abs=0.03)
    assert noise_scale(sample_gradients("late")) > 10 * noise_scale(sample_gradients("start"))


def test_the_cloud_shrinks_and_keeps_its_centre():
    spreads, centres = [], []
    for size in (8, 128):
        cloud = show("cloud", batch_size=size)[0]["data"][0]
        spreads.append(np.std(cloud["x"]))
        centres.append(np.mean(cloud["x"]))
    assert spreads[0] / spreads[1] == pytest.approx(4, rel=0.2)  # √(128 / 8)
    np.testing.assert_allclose(centres, 1, atol=0.15)


# -- the curves and the experiment


@pytest.mark.slow
def test_the_curves_of_three_batch_sizes():
    figure = BatchSize.drawings()["curves"].draw()
    assert tuple(figure.get_size_inches()) == (10, 5)
    by_update, by_epoch = figure.axes
    assert [line.get_color() for line in by_update.lines] == ["#2563eb", "#dc2626", "#059669"]
    made = [len(line.get_xdata()) for line in by_update.lines]
    assert made == [10 * iterations_per_epoch(1348, size) for size in (8, 64, 512)]
    ends = [line.get_ydata()[-1] for line in by_epoch.lines]
    assert ends[0] < ends[1] < ends[2]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_plays_answer_at_both_ends_of_every_control(language):
    for name, play in BatchSize.plays().items():
        for control in play.controls:
            ends = list(control.choices) or ([True, False] if isinstance(control.default, bool) else [])
            for value in ends or [control.low, control.high]:
                assert control.read(value) == value
                shown = show(name, language, **{control.name: value})
                assert shown
                for part in shown:
                    if isinstance(part, dict):
                        assert part["layout"]["xaxis"]["title"]["text"]
                    else:
                        assert all(len(row) == len(part.header) for row in part.rows)


def test_the_chapter_stands_in_the_catalogue_and_its_settings_exist():
    assert chapters()["batch-size"] is BatchSize
    assert set(BatchSize.experiment.shown) <= set(SETTINGS)
    for one in BatchSize.tries:
        Make({**BatchSize.experiment.settings, **one.settings})


def accuracy(number):
    settings = {**BatchSize.experiment.settings, **(BatchSize.tries[number].settings if number is not None else {})}
    recording = tc.run(Make(settings), 0)
    return recording.steps, recording.series("validation_accuracy").values[-1]


@pytest.mark.slow
def test_fewer_updates_learn_less_and_a_longer_step_makes_up_for_it():
    (steps, base), (few, less), (also_few, made_up) = accuracy(None), accuracy(0), accuracy(2)
    assert (steps, few, also_few) == (440, 60, 60)
    assert base > 0.94
    assert less < base - 0.02
    assert made_up > 0.94


@pytest.mark.slow
def test_a_single_sample_an_update_needs_a_shorter_step():
    settings = {**BatchSize.experiment.settings, **BatchSize.tries[4].settings}
    problems = [finding.problem for finding in tc.diagnose(tc.run(Make(settings), 1)).findings]
    assert "learning-rate-too-high" in problems
