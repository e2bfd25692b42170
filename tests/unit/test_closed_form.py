"""What a fit in closed form tells, where it is known how much there is to tell."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import trainclinic as tc
from trainclinic.measure.closed_form import FEWEST, told

ROWS = 900


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def split(x, y, train=600):
    return told(x[:train], y[:train], x[train:], y[train:])


def bent(noise: float):
    """A table whose target is no linear map of it, and what is not to be told of it."""
    draw = drawn()
    x = torch.randn(ROWS, 5, generator=draw)
    y = x[:, 0].abs() + torch.sin(2 * x[:, 1]) + x[:, 2] * (x[:, 3] > 0)
    return x, y / y.std() + noise * torch.randn(ROWS, generator=draw)


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
def test_of_a_bent_table_it_tells_most_of_what_there_is(noise):
    x, y = bent(noise)
    line = torch.linalg.lstsq(x[:600], y[:600, None]).solution
    linear = 1 - float((x[600:] @ line - y[600:, None]).square().sum() / (y[600:] - y[600:].mean()).square().sum())
    there = 1 / (1 + noise**2)
    assert linear + 0.1 < 0.65 * there < split(x, y) < there + 0.08


def test_of_classes_it_tells_the_share_of_right_answers():
    x, y = bent(0.0)
    labels = (y > y.median()).long()
    wrong = torch.rand(ROWS, generator=drawn(1)) < 0.2
    assert split(x, labels) > 0.85
    assert 0.65 < split(x, labels ^ wrong) < 0.8
    assert split(x, labels.float()) == pytest.approx(split(x, labels), abs=0.03), "of 0 and 1 it is asked the same"


def test_where_nothing_is_to_be_told_it_tells_nothing():
    draw = drawn()
    x = torch.randn(ROWS, 8, generator=draw)
    assert split(x, torch.randn(ROWS, generator=draw)) < 0.1
    assert split(x, torch.randint(4, (ROWS,), generator=draw)) < 0.35


def test_of_a_picture_it_tells_what_is_on_it_wherever_that_is():
    draw = drawn()
    x, y = 0.3 * torch.randn(ROWS, 1, 10, 10, generator=draw), torch.randint(2, (ROWS,), generator=draw)
    for picture, label in zip(x, y, strict=True):
        row, column = torch.randint(7, (2,), generator=draw).tolist()
        part = picture[0, row : row + 4, column : column + 4]
        part[:, ::2] += 2 * label
        part[::2, :] += 2 * (1 - label)
    assert split(x, y) > 0.9


def test_of_a_series_and_of_tokens_it_tells_what_happens_somewhere_in_them():
    draw = drawn()
    y, where = torch.randint(2, (ROWS,), generator=draw), torch.randint(16, (ROWS,), generator=draw)
    series = 0.5 * torch.randn(ROWS, 20, 2, generator=draw)
    words = torch.randint(5, 12, (ROWS, 20), generator=draw)
    for row in range(ROWS):
        bump = torch.tensor((2.0, -2.0, 2.0)) if y[row] else torch.tensor((2.0, 2.0, 2.0))
        series[row, where[row] : where[row] + 3, 0] += bump
        words[row, where[row] : where[row] + 2] = torch.tensor((0, 1) if y[row] else (1, 0))
    assert split(series, y) > 0.9
    assert split(series.transpose(1, 2), y) == split(series, y), "whichever way round"
    assert split(words, y) > 0.9


def test_of_each_position_it_tells_by_what_stands_around_it():
    words = torch.randint(6, (300, 15), generator=drawn())
    more = (words.roll(-1, 1) > words).long()
    assert told(words[:200], more[:200], words[200:], more[200:]) > 0.85


def test_the_next_token_is_not_told_by_itself():
    words = torch.randint(6, (300, 16), generator=drawn())
    now, following = words[:, :-1].contiguous(), words[:, 1:].contiguous()
    assert told(now[:200], following[:200], now[200:], following[200:]) < 0.3


def test_what_it_cannot_be_asked_is_not_told():
    x, y = bent(0.0)
    assert math.isnan(told(x[:FEWEST], y[:FEWEST], x[: FEWEST - 1], y[: FEWEST - 1]))
    assert math.isnan(told(x[:600], y[:600], x[600:, :4], y[600:]))
    assert math.isnan(told(x[:600], y[:600], x[600:], (y[600:] > 0).long()))
    assert math.isnan(split(x, torch.arange(ROWS))), "as many classes as rows"
    pictures = torch.rand(200, 1, 6, 6, generator=drawn())
    assert math.isnan(split(pictures, (pictures[:, 0] > 0.5).long(), 120)), "a class for every pixel"


def test_numbers_that_are_none_do_not_spread():
    x, y = bent(0.0)
    x[::50, 4] = math.nan
    assert split(x, y) > 0.7


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([(3,), (1,), (7, 2), (2, 7), (1, 4, 4), (3, 2, 9), (2, 2, 2, 2), ()]),
       st.sampled_from(["float", "half", "long", "bool", "uint8"]),
       st.sampled_from(["classes", "real", "several", "binary"]))  # fmt: skip
def test_whatever_the_sample_looks_like_it_answers_or_says_that_it_cannot(shape, kind, targets):
    draw = drawn()
    x = 4 * torch.rand(120, *shape, generator=draw)
    x = {"float": x, "half": x.half(), "long": x.long(), "bool": x > 2, "uint8": x.byte()}[kind]
    y = {"classes": torch.randint(3, (120,), generator=draw), "real": torch.randn(120, generator=draw),
         "several": torch.randn(120, 3, generator=draw), "binary": (torch.rand(120, 4, generator=draw) > 0.5).float(),
         }[targets]  # fmt: skip
    found = split(x, y, 60)
    assert math.isnan(found) or found <= 1


def test_it_takes_no_random_number_and_no_mode_from_the_training():
    x, y = bent(0.5)
    state = torch.get_rng_state()
    plain = split(x, y)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert split(x, y) == plain
    torch.set_default_dtype(torch.float64)
    try:
        assert split(x, y) == plain
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_watched_training_has_it():
    x, y = bent(0.5)
    model = torch.nn.Linear(5, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with tc.watch(model, optimizer) as watch:
        for _ in range(3):
            for part in torch.arange(600).split(50):
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(model(x[part])[:, 0], y[part]).backward()
                optimizer.step()
            with torch.no_grad():
                torch.nn.functional.mse_loss(model(x[600:])[:, 0], y[600:])
    found = watch.recording.facts["data"]["validation"]["closed_form"]
    assert found == pytest.approx(split(x, y), abs=0.1), "but for the batches before which it was not known"
