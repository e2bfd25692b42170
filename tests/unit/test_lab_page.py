"""The page's parts that need no browser: what is kept, what an address holds, who is let in."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainclinic.lab.chapter import chapters
from trainclinic.lab.page import charts
from trainclinic.lab.page.address import address, beginning, settings_of
from trainclinic.lab.page.kept import COLUMNS, POINTS, Curve, Heat, Kept
from trainclinic.lab.page.security import OwnPageOnly
from trainclinic.lab.settings import SETTINGS
from trainclinic.lab.told import News


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
    assert (steps, layers) == ([4], ["1. a", "2. b", "3. c"])
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
