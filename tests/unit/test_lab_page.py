"""The page's parts that need no browser: what is kept, what an address holds, who is let in."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from concurrent.futures.process import BrokenProcessPool

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainclinic.lab.chapter import chapters
from trainclinic.lab.experiment import values
from trainclinic.lab.page import charts
from trainclinic.lab.page.address import address, beginning, settings_of
from trainclinic.lab.page.app import Figures
from trainclinic.lab.page.fields import written
from trainclinic.lab.page.findings import evidence, tries, verdict
from trainclinic.lab.page.kept import COLUMNS, POINTS, Curve, Heat, Kept
from trainclinic.lab.page.run import Run
from trainclinic.lab.page.security import OwnPageOnly
from trainclinic.lab.settings import SETTINGS
from trainclinic.lab.told import Choice, Found, News, Tried, shown_names
from trainclinic.lab.training import Order
from trainclinic.recording import Layer
from trainclinic.records import Dose, Evidence, Treatment


@given(st.integers(0, 5000), st.integers(1, 300))
def test_a_curve_stays_short_and_keeps_its_order_and_its_newest_point(count, chunk):
    curve = Curve()
    for begin in range(0, count, chunk):
        steps = list(range(begin, min(begin + chunk, count)))
        curve.add(steps, [float(step) for step in steps])
    assert len(curve.steps) == len(curve.values) <= 2 * POINTS
    assert curve.steps == sorted(set(curve.steps))
    assert curve.values == sorted(curve.values)
    if count:
        assert curve.steps[-1] == count - 1


def test_a_heatmap_stays_narrow_and_a_new_layer_takes_its_place():
    heat = Heat()
    for step in range(3 * COLUMNS):
        heat.add(["a", "c"], [step], [[1.0, 3.0]])
    heat.add(["a", "b", "c"], [1000], [[1.0, 2.0, 3.0]])
    assert len(heat.columns) == len(heat.steps) <= 2 * COLUMNS
    assert heat.columns[0] == [1.0, None, 3.0]
    assert heat.latest == [1.0, 2.0, 3.0]


def test_what_was_not_measured_is_a_gap_and_zero_is_drawn_at_the_bottom():
    kept = Kept()
    column = ([4], [[0.0, None, 100.0]])
    kept.add(
        News("running", step=4, steps=9, columns={"gradient_rms": column}, layers={"gradient_rms": ["a", "b", "c"]})
    )
    steps, layers, rows = charts.heatmap_data("gradient_rms", kept)
    assert (steps, layers) == ([4], ["a", "b", "c"])
    assert rows == [[-20.0], [None], [2.0]]
    assert charts.span("gradient_rms", [kept]) == (-20.0, 2.0)
    assert charts.profile_data("gradient_rms", [kept])[1] == [[1e-20, None, 100.0]]


@pytest.mark.parametrize("name", chapters())
def test_an_address_shows_the_same_again(name):
    chapter = chapters()[name]
    moved = {**beginning(chapter), "depth": 3, "activation": "Tanh", "learning_rate": 0.02}
    path, _, query = address(chapter, "ko", moved).partition("?")
    pairs = dict(pair.split("=") for pair in query.split("&"))
    assert path == f"/{name}"
    assert pairs["lang"] == "ko"
    assert settings_of(chapter, pairs) == moved
    assert set(pairs) <= {"lang", *SETTINGS}


def answered(scope_type, headers):
    """The status with which a request is answered."""
    sent = []

    async def inside(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})

    async def send(message):
        sent.append(message)

    scope = {"type": scope_type, "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    asyncio.run(OwnPageOnly(inside)(scope, None, send))
    return sent[0].get("status", sent[0]["type"])


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_this_machines_own_page_is_let_in(kind):
    own, refused = "127.0.0.1:8317", {"http": 403, "websocket": "websocket.close"}[kind]
    assert answered(kind, {"host": own}) == 200
    assert answered(kind, {"host": "[::1]:8317"}) == 200
    assert answered(kind, {"host": own, "origin": f"http://{own}"}) == 200
    assert answered(kind, {"host": "localhost:8317", "origin": "http://localhost:8317"}) == 200
    assert answered(kind, {"host": "evil.example:8317"}) == refused
    assert answered(kind, {"host": own, "origin": "http://evil.example"}) == refused
    assert answered(kind, {"host": own, "origin": "http://127.0.0.1:9999"}) == refused
    assert answered(kind, {"host": own, "origin": "null"}) == refused
    assert answered(kind, {}) == refused


NAME = next(iter(chapters()["vanishing-gradient"].drawings()))
SPAN = Evidence("backward_span", "", -12.0, -3.0, "decades", "below")
DERIVATIVE = Evidence("activation_derivative", "Sigmoid 4", 0.234, math.nan, "1", "below")
SICK = Found("vanishing-gradient", "problem", "squashing activation", "It flattens.", (SPAN, DERIVATIVE))


def test_a_finding_shows_every_number_beside_its_limit_in_both_languages():
    assert evidence(SICK, "en").rows == (
        ("Backward signal, first against last hidden layer", "-12 decades", "below -3 decades"),
        ("Activation slope |φ′| (Sigmoid 4)", "0.234", "–"),
    )
    assert evidence(SICK, "ko").rows == (
        ("역전파 신호, 첫 은닉층이 마지막보다 얼마나 큰지", "-12 자릿수", "-3 자릿수 미만"),
        ("활성화 함수 미분의 평균 |φ'(z)| (Sigmoid 4)", "0.234", "–"),
    )


def test_the_verdict_is_the_first_problem_with_its_reason_or_that_there_is_none():
    mild = Found("dead-relu", "observation", "", "", ())
    assert verdict(None, False, False, "en") == ""
    assert verdict([mild], True, False, "en") == "✓ No problem found."
    assert verdict([], True, True, "en") == ""  # a loss that is no number is not well, whatever was found
    assert verdict([mild, SICK], False, False, "en") == "✗ Vanishing gradient: It flattens."
    assert verdict([SICK, SICK], True, False, "ko").startswith("✗ 기울기 소실 (외 1건): 활성화 함수가")


def test_a_choice_shows_what_was_tried_and_marks_what_was_kept():
    selu, clip = Dose("replace-activation", {"activation": "SELU"}), Dose("clip-gradient", {"norm": 1.0})
    tried = (Tried((), 0.08, "untreated"), Tried((clip,), math.nan, "given up"), Tried((selu,), 0.884, "cleared"))
    choice = Choice(Treatment((selu,), ("20 replaced",), ""), "cleared", "accuracy", 82, tried)
    assert tries(choice, "en").header[1].en == "Accuracy after 82 steps"
    assert tries(choice, "ko").rows == (
        ("치료하지 않음", "0.08", ""),
        ("기울기 클리핑 (노름 상한 1)", "–", "중단: 확실히 더 나쁨"),
        ("활성화 함수 바꾸기 (함수 SELU)", "0.884", "문제가 사라짐, 선택됨"),
    )


def test_a_kept_run_says_which_of_its_settings_are_others():
    run = Run(Order(values({"depth": 3, "activation": "Tanh"})), "beside")
    assert run.title(values({"depth": 5, "activation": "Tanh"}), "en") == "beside, with Hidden layers 3"
    assert run.title(values({"depth": 3, "activation": "ReLU"}), "ko") == "비교 실험, 설정: 활성화 함수 Tanh"
    assert run.title(run.order.settings, "en") == "beside, with the same settings"


def test_nothing_is_called_off_and_numbers_keep_their_digits():
    assert [written(SETTINGS["clip"], 0.0, language) for language in ("en", "ko")] == ["off", "끔"]
    assert written(SETTINGS["clip"], 2.5, "en") == "2.5"
    assert written(SETTINGS["depth"], 0, "en") == "0"


def test_a_layer_whose_name_is_a_number_is_shown_by_its_kind_and_place():
    layers = [Layer("0", "Linear", "weight"), Layer("1", "ReLU", "activation"), Layer("head.2", "Linear", "weight"),
              Layer("blocks.3", "Linear", "weight"), Layer("3.1", "ReLU", "activation")]  # fmt: skip
    assert list(shown_names(layers).values()) == ["Linear 1", "ReLU 1", "head.2", "blocks.3", "ReLU 2"]


@pytest.mark.slow
def test_a_figure_that_failed_is_drawn_when_it_is_asked_for_again():
    async def asked() -> bytes:
        figures = Figures()
        try:
            with pytest.raises(KeyError):
                await figures.svg("vanishing-gradient", "no such", "en")
            with pytest.raises(KeyError):  # not remembered, not waited for
                await figures.svg("vanishing-gradient", "no such", "en")
            (process,) = figures._pool._processes.values()
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            with pytest.raises(BrokenProcessPool):
                await figures.svg("vanishing-gradient", NAME, "en")
            return await figures.svg("vanishing-gradient", NAME, "en")
        finally:
            figures.close()

    assert b"<svg" in asyncio.run(asked())
