"""The rules of the data on hand-made recordings, just under and just over their limits, with and without harm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import LEARNS, STALLS, columns, found, labels, make, order, verdict

from trainclinic.diagnose.problem import NotExaminedError

# -- unshuffled-data


@pytest.mark.parametrize(
    ("score", "alike", "loss", "right", "level"),
    [
        (4.9, 0.95, LEARNS, 0.5, None),
        (40.0, 0.95, LEARNS, 0.5, "problem"),
        (40.0, 0.95, LEARNS, 0.94, "observation"),
        (40.0, 0.95, STALLS, 0.94, "problem"),
        (40.0, 0.25, LEARNS, 0.5, None),  # sure, and slight
    ],
)
def test_unshuffled_data(score: float, alike: float, loss: Any, right: float, level: str | None) -> None:
    finding = found("unshuffled-data", make(loss, right=right, data=order(score, alike)))
    assert (finding.level if finding else None) == level


@pytest.mark.parametrize(("alike", "level"), [(0.95, "problem"), (0.5, "observation"), (0.12, None)])
def test_order_is_seen_before_training(alike: float, level: str | None) -> None:
    finding = found("unshuffled-data", make(data=order(40.0, alike)), checkup=True)
    assert (finding.level if finding else None) == level


def test_real_targets_in_order_are_named_so() -> None:
    data = {"order": {"pairs": 900, "alike": 0.9, "expected": 0.0, "score": 27.0}}
    assert verdict("unshuffled-data", make(STALLS, data=data)) == ("problem", "values")
    with pytest.raises(NotExaminedError):
        found("unshuffled-data", make())


# -- constant-feature


@pytest.mark.parametrize(
    ("data", "loss", "expected"),
    [
        (columns(0.3), STALLS, None),
        (columns(0.31), STALLS, ("problem", "columns")),
        (columns(0.6), LEARNS, ("observation", "columns")),
        (columns(moved=0.5), STALLS, None),
        (columns(moved=0.51), STALLS, ("problem", "moves in validation")),
        (columns(moved=0.01, farthest=1e3), STALLS, None),
        (columns(moved=0.01, farthest=1e6), STALLS, ("problem", "divided by zero")),
        (columns(moved=0.01, farthest=1e6), LEARNS, ("observation", "divided by zero")),
    ],
)
def test_constant_feature(data: dict[str, Any], loss: Any, expected: tuple[str, str] | None) -> None:
    assert verdict("constant-feature", make(loss, data=data)) == expected


def test_the_border_of_images_does_no_harm() -> None:
    images = {"kind": "float", "shape": [64, 1, 8, 8]}
    assert verdict("constant-feature", make(STALLS, data=columns(0.4), inputs=images)) == ("observation", "columns")
    assert verdict("constant-feature", make(data=columns(0.4), inputs=images), checkup=True) == (
        "observation", "columns")  # fmt: skip
    assert verdict("constant-feature", make(data=columns(0.4)), checkup=True) == ("problem", "columns")


@pytest.mark.parametrize(("inside", "level"), [(0.3, "observation"), (0.31, "problem")])
def test_what_stands_still_within_a_picture_is_no_border(inside: float, level: str) -> None:
    still = {"training": columns(0.5)["training"] | {"inside": inside}}
    images = {"kind": "float", "shape": [64, 1, 8, 8]}
    assert verdict("constant-feature", make(STALLS, data=still, inputs=images)) == (level, "columns")


@pytest.mark.parametrize(("channels", "level"), [(0.4, "observation"), (0.41, "problem")])
def test_a_channel_that_stands_still_is_no_padding(channels: float, level: str) -> None:
    still = {"training": columns(0.5)["training"] | {"channels": channels}}
    series = {"kind": "float", "shape": [64, 20, 3]}
    assert verdict("constant-feature", make(data=still, inputs=series), checkup=True) == (level, "columns")
    numbers = make(data=still, inputs=series | {"kind": "integer"})  # such as a mask of ones
    assert verdict("constant-feature", numbers, checkup=True) == ("observation", "columns")
    trained = make(STALLS, data=still, inputs=series)  # whether the others were enough, its answers tell
    assert verdict("constant-feature", trained) == ("observation", "columns")


@pytest.mark.parametrize(
    ("proxy", "shape", "level"),
    [(1 - 2e-9, [64, 20], "observation"), (1 - 5e-10, [64, 20], "problem"), (1.0, [64, 10, 2], "observation")],
)
def test_one_of_several_targets_among_the_columns_of_a_table(proxy: float, shape: list[int], level: str) -> None:
    held = {"copies": 0.0, "rows": 400, "again": 0.0, "training_batches": 0.0, "fewest_copies": 0.0}
    training = {"rows": 400, "again": 0.0, "bits": 99.0}
    told = {"data": {"link": {"proxy": proxy}, "validation": held, "training": training}}
    seen = {"inputs": {"kind": "float", "shape": shape}, "targets": {"shape": [64, 3], "dtype": "float32"}}
    found = verdict("data-leak", make(checkup={}, **told, **seen), checkup=True)
    assert found == (level, "target" if level == "problem" else "one target")
    assert verdict("data-leak", make(**told, **seen)) == ("observation", "one target")


def test_a_column_that_moves_by_rounding_alone_stands_still() -> None:
    low, high = np.full(20, 7.0), np.full(20, 7.0 + 1e-6)
    for still, expected in ((7, ("problem", "columns")), (6, None)):
        features = {"min": low.tolist(), "max": [*high[:still], *(low + 1)[still:]]}
        inputs = {"kind": "float", "shape": [64, 20], "features": features}
        assert verdict("constant-feature", make(STALLS, data=columns(), inputs=inputs)) == expected


# -- data-leak


def held(
    copies: float, fewest: float = 0.0, whole: float = 0.0, again: float = 0.0, **training: float
) -> dict[str, Any]:
    known = {"rows": 1000, "again": 0.0, "constant": 0.0, "bits": 200.0, **training}
    rows = {"rows": 400, "again": again, "copies": copies, "fewest_copies": fewest, "training_batches": whole}
    return {"training": known, "validation": rows}


@pytest.mark.parametrize(
    ("data", "told", "expected"),
    [
        (held(0.005), True, None),
        (held(0.01), True, ("observation", "copies")),
        (held(0.3), True, ("problem", "copies")),
        (held(0.3), False, None),  # may be another set that was evaluated, too
        (held(0.3, fewest=0.2), False, ("problem", "copies")),  # in every batch
        (held(0.0, whole=0.5), True, ("problem", "copies")),
        (held(0.0, fewest=1.0, whole=1.0), True, ("problem", "the training set")),
        (held(0.0, fewest=1.0, whole=1.0), False, ("observation", "evaluated")),
        (held(0.25, rows=250), True, ("problem", "the training set")),  # a quarter of the training rows was seen
        (held(0.2, again=0.05, bits=8.0), True, None),  # rows of few values are alike by chance
        (held(0.2, again=0.05), True, ("problem", "copies")),  # rows of many are not
        (held(0.2, again=0.0, bits=8.0), True, ("problem", "copies")),
    ],
)
def test_data_leak(data: dict[str, Any], told: bool, expected: tuple[str, str] | None) -> None:
    assert verdict("data-leak", make(data=data, validation_told=told)) == expected
    if told:
        assert verdict("data-leak", make(data=data), checkup=True) == expected


def test_two_copies_are_an_accident() -> None:
    for copies, expected in ((2, None), (3, "problem")):
        data = held(copies / 40)
        data["validation"]["rows"] = 40
        finding = found("data-leak", make(data=data))
        assert (finding.level if finding else None) == expected


def test_tokens_repeat_by_chance_however_many() -> None:
    data = held(0.2, again=0.02)
    assert verdict("data-leak", make(data=data, inputs={"kind": "integer", "shape": [32, 12]})) is None


# -- all of them


@pytest.mark.parametrize("problem", ["class-imbalance", "noisy-labels", "misaligned-data", "unshuffled-data",
                                     "constant-feature", "data-leak"])  # fmt: skip
def test_a_clean_table_that_is_learned_is_left_in_peace(problem: str) -> None:
    data = {**labels(0.003, 0.96, 0.96), **order(1.5, 0.12), "training": columns(0.05)["training"]}
    data["validation"] |= {"again": 0.0, "copies": 0.0, "fewest_copies": 0.0, "training_batches": 0.0}
    assert found(problem, make(data=data)) is None
    assert found(problem, make(data=data), checkup=True) is None
