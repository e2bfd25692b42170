"""Chapter 6: row 6.1 of the lecture, and augmentation in NumPy."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainclinic
from trainclinic.errors import LabError
from trainclinic.lab import augmentation, digit_images
from trainclinic.lab import augmentation_figures as figures
from trainclinic.lab.chapters.data_augmentation import DataAugmentation
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make

IMAGE = np.arange(12.0).reshape(3, 4)


def shown(name, language="en", **changed):
    play = DataAugmentation.plays()[name]
    return play.show({**defaults(play.controls), **changed}, language)


# -- the functions


def test_shift_moves_by_whole_pixels_and_repeats_the_border():
    np.testing.assert_array_equal(augmentation.shift(IMAGE, 1, 0), [[0, 0, 1, 2], [4, 4, 5, 6], [8, 8, 9, 10]])
    np.testing.assert_array_equal(augmentation.shift(IMAGE, -1, 0)[:, :3], IMAGE[:, 1:])
    np.testing.assert_array_equal(augmentation.shift(IMAGE, 0, 1), IMAGE[[0, 0, 1]])
    np.testing.assert_array_equal(augmentation.shift(IMAGE, 0, -2), IMAGE[[2, 2, 2]])


@given(st.integers(-3, 3), st.integers(-2, 2))
def test_a_batch_is_shifted_image_by_image(right, down):
    batch = np.stack([IMAGE, -IMAGE])[:, None]
    shifted = augmentation.shift(batch, right, down)
    assert shifted.shape == batch.shape
    np.testing.assert_array_equal(shifted[1, 0], augmentation.shift(-IMAGE, right, down))


def test_noise_has_the_standard_deviation_that_is_asked_for_and_none_for_0():
    x = np.full((200, 200), 5.0)
    added = augmentation.noise(x, 0.5, np.random.default_rng(0)) - x
    assert added.std() == pytest.approx(0.5, rel=0.02)
    assert added.mean() == pytest.approx(0, abs=0.02)
    np.testing.assert_array_equal(augmentation.noise(x, 0, np.random.default_rng(0)), x)


@given(st.integers(0, 2**31), st.floats(0.05, 5))
def test_mixup_mixes_samples_and_labels_alike(seed, alpha):
    x, labels = np.arange(8.0).reshape(4, 2), np.array([0, 1, 2, 1])
    targets = augmentation.one_hot(labels, 3)
    mixed, soft, share = augmentation.mixup(x, targets, alpha, np.random.default_rng(seed))
    assert 0 <= share <= 1
    np.testing.assert_allclose(soft.sum(1), 1)
    np.testing.assert_allclose(mixed.sum(0), x.sum(0))  # partners are a permutation
    for sample in range(4):  # one partner explains both, the sample and its label
        assert any(np.allclose(mixed[sample], share * x[sample] + (1 - share) * x[other])
                   and np.allclose(soft[sample], share * targets[sample] + (1 - share) * targets[other])
                   for other in range(4))  # fmt: skip


def test_a_small_alpha_draws_shares_near_0_or_1():
    def middle(alpha):
        rng = np.random.default_rng(0)
        shares = [augmentation.mixup(np.zeros((2, 1)), np.eye(2), alpha, rng)[2] for _ in range(500)]
        return np.mean([0.1 < share < 0.9 for share in shares])

    assert middle(0.1) < 0.4 < 0.9 < middle(5)


def test_rotate_turns_counter_clockwise_and_keeps_right_angles_exact():
    square = np.arange(9.0).reshape(3, 3)
    for quarter in range(-4, 5):
        np.testing.assert_allclose(augmentation.rotate(square, 90 * quarter), np.rot90(square, quarter), atol=1e-7)
    np.testing.assert_allclose(augmentation.rotate(IMAGE, 180), IMAGE[::-1, ::-1], atol=1e-7)


@given(st.floats(-180, 180))
def test_a_turned_image_stays_within_its_grey_levels(degrees):
    turned = augmentation.rotate(digit_images.DIGITS[8], degrees)
    assert turned.min() >= -1e-9
    assert turned.max() <= 16 + 1e-6
    if abs(degrees) < 45:  # nothing of the middle is lost: interpolation keeps the sum
        blob = np.zeros((9, 9))
        blob[3:6, 3:6] = 1
        assert augmentation.rotate(blob, degrees).sum() == pytest.approx(9, rel=0.05)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: augmentation.shift([1, 2], 0, 0), r"images: expected \(…, height, width\), got shape \(2,\)"),
        (lambda: augmentation.shift(IMAGE, 4, 0), "shift: expected less than the image's size, 4×3, got 4 and 0"),
        (lambda: augmentation.noise(IMAGE, -1, np.random.default_rng(0)), "std: expected at least 0, got -1"),
        (lambda: augmentation.one_hot([0, 3], 3), "labels: expected one number from 0 to 2 a sample"),
        (lambda: augmentation.one_hot([-1], 3), "labels: expected one number from 0 to 2 a sample"),
        (lambda: augmentation.mix(IMAGE, IMAGE[0], 0.5), "mix: expected two of one shape"),
        (lambda: augmentation.mix(IMAGE, IMAGE, 1.5), "share: expected λ from 0 to 1, got 1.5"),
        (lambda: augmentation.mixup(IMAGE, [0, 1, 2], 1, np.random.default_rng(0)), "targets: expected a row"),
        (lambda: augmentation.mixup(IMAGE, np.eye(3), 0, np.random.default_rng(0)), "alpha: expected above 0, got 0"),
        (lambda: augmentation.rotate(IMAGE[None], 5), "image: expected one image"),
    ],
)
def test_nonsense_is_refused(call, says):
    with pytest.raises(LabError, match=says):
        call()


def test_the_stored_digits_are_those_of_the_data_set():
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    for label in range(10):
        same = (digits.images == digit_images.DIGITS[label]).all((1, 2))
        assert same.any()
        assert set(digits.target[same]) == {label}
        mean = digits.images[digits.target == label].mean(0)
        np.testing.assert_allclose(digit_images.MEANS[label], mean, atol=0.5)
        assert digit_images.nearest(digit_images.DIGITS[label]) == label


# -- the photograph (6.1)


@pytest.fixture
def photo():
    return pytest.importorskip("sklearn.datasets").load_sample_image("china.jpg")[::2, ::2]


def check_grid(figure, names, photo):
    shown = {axes.get_title(): axes.images[0].get_array() for axes in figure.axes}
    assert list(shown) == ["original", *names]
    np.testing.assert_array_equal(shown["original"], photo)
    for name in names:
        assert shown[name].dtype == np.uint8
        assert shown[name].shape != photo.shape or (shown[name] != photo).any(), f"{name} changed nothing"
    return shown


def test_without_albumentations_the_grid_is_numpys_and_says_so(monkeypatch, photo):
    monkeypatch.setattr(figures, "has_albumentations", lambda: False)
    figure = figures.grid("en")
    made = check_grid(figure, ["flip", "shift", "brightness", "noise", "crop"], photo)
    np.testing.assert_array_equal(made["flip"], photo[:, ::-1])
    assert figure.get_suptitle() == "china.jpg through NumPy alone (Albumentations is not installed)"
    caption = figures.grid_caption()
    assert "NumPy" in caption.en
    assert "NumPy" in caption.ko


def test_with_albumentations_the_grid_is_made_by_it_and_the_same_each_time(photo):
    if not figures.has_albumentations():
        pytest.skip("Albumentations is not installed")
    figure = figures.grid("en")
    names = ["HorizontalFlip", "RandomResizedCrop", "Affine", "Perspective", "ElasticTransform",
             "RandomBrightnessContrast", "HueSaturationValue", "ToGray", "GaussNoise", "GaussianBlur",
             "CoarseDropout"]  # fmt: skip
    made = check_grid(figure, names, photo)
    np.testing.assert_array_equal(made["HorizontalFlip"], photo[:, ::-1])
    assert (made["ToGray"] == made["ToGray"][..., :1]).all()
    assert figure.get_suptitle() == "china.jpg through Albumentations 2.0.8"
    again = {axes.get_title(): axes.images[0].get_array() for axes in figures.grid("en").axes}
    assert all((made[name] == again[name]).all() for name in names)
    assert "drawn by that library" in DataAugmentation.drawings()["grid"].caption.en


def test_the_agpl_successor_is_never_used(monkeypatch):
    monkeypatch.setattr(figures, "version", lambda name: "2.4.9")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert not figures.has_albumentations()


# -- the plays


def survives(name, **changed):
    _, table = shown(name, **changed)
    ((label, seen, verdict),) = table.rows
    assert (label == seen) == (verdict == "it survives")
    return seen


def test_a_six_turned_over_is_a_nine_and_the_other_way_round():
    assert survives("rotation", digit="6", angle=0) == "6"
    assert survives("rotation", digit="6", angle=35) == "6"
    assert survives("rotation", digit="6", angle=180) == survives("rotation", digit="6", angle=-180) == "9"
    assert survives("rotation", digit="9", angle=180) == "6"
    assert {survives("rotation", digit="4", angle=angle) for angle in range(0, 65, 5)} == {"4"}
    assert survives("rotation", digit="8", angle=30) != "8"


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", ["rotation", "pixels", "mixup"])
def test_plays_answer_at_both_ends_of_every_control(language, name):
    for control in DataAugmentation.plays()[name].controls:
        for end in control.choices or (control.low, control.high):
            figure, table = shown(name, language, **{control.name: type(control.default)(end)})
            before, after = figure["data"][0]["z"], figure["data"][-1]["z"]
            assert np.shape(before) == np.shape(after) == (8, 8)
            assert all(len(row) == len(table.header) for row in table.rows)
            assert not any("가" <= letter <= "힣" for letter in str(figure)) or language == "ko"


def test_pixels_shows_what_shift_and_noise_do():
    figure, _ = shown("pixels", right=2, down=-1, std=0.0)
    before, after = (trace["z"] for trace in figure["data"])
    np.testing.assert_array_equal(after, augmentation.shift(before, 2, -1))
    assert survives("pixels", right=0, down=0, std=2.0) == "6"
    assert survives("pixels", right=1, down=0, std=0.0) != "6"  # an eighth of the image: too much for the plain judge


@pytest.mark.parametrize(("share", "six", "one"), [(0.0, "0.00", "1.00"), (0.7, "0.70", "0.30"), (1.0, "1.00", "0.00")])
def test_mixup_shows_the_soft_label(share, six, one):
    figure, table = shown("mixup", share=share)
    row = table.rows[0][1:]
    assert (row[6], row[1]) == (six, one)
    first, second, mixed = (np.array(trace["z"]) for trace in figure["data"])
    np.testing.assert_allclose(mixed, share * first + (1 - share) * second, atol=0.011)
    assert float(shown("mixup", other="6", share=share)[1].rows[0][7]) == pytest.approx(1)  # with its own kind


def test_the_code_of_the_text_runs(capsys):
    for section in DataAugmentation.text:
        exec(section.code, {})
    assert len(capsys.readouterr().out.splitlines()) == 16


# -- what it does


@pytest.mark.slow
def test_noise_helps_and_shift_helps_on_shifted_images():
    figure = figures.effect("en")
    still, moved = ({kind: np.mean(seeds[which]) for kind, seeds in figures.measured().items()} for which in (0, 1))
    assert still["noise"] > still["none"] + 0.005
    assert still["shift"] < still["none"] + 0.01
    assert moved["shift"] > moved["none"] + 0.25
    left, right = figure.axes
    assert left.get_title() == "Validation images as they are"
    assert right.get_title() == "Validation images moved by one pixel"
    for axes, means in ((left, still), (right, moved)):
        assert [text.get_text().removesuffix(" by a pixel") for text in axes.get_xticklabels()] == list(means)
        np.testing.assert_allclose([bar.get_height() for bar in axes.patches], list(means.values()))
        assert axes.get_ylim() == (0, 1)


@pytest.mark.slow
def test_try_all_samples_beats_the_best_augmentation_of_a_few():
    def accuracy(number):
        settings = {**DataAugmentation.experiment.settings, **DataAugmentation.tries[number].settings}
        return trainclinic.run(Make(settings), seed=1).series("validation_accuracy").values[-1]

    assert accuracy(3) > accuracy(0) + 0.04
