"""The robustness page of the guide is that of the tests."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
import rows
from scenarios import SCENARIOS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def robustness_page(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module("robustness_page")
    sys.modules.pop("robustness_page")


def test_the_page_is_up_to_date(robustness_page):
    ours, others = (json.loads(path.read_text()) for path in (robustness_page.OURS, robustness_page.OTHERS))
    page = robustness_page.PAGE.read_text(encoding="utf-8")
    assert page == robustness_page.page(ours, others), "run `make robustness`"
    committed = [{key: value for key, value in entry.items() if key != "outcome"} for entry in ours["rows"]]
    assert committed == rows.listed(), "run `make robustness`"


def test_every_test_is_a_row_and_every_scenario_has_one():
    names = [entry["row"] for entry in rows.listed()]
    assert len(names) == len(set(names))
    assert set(names) >= SCENARIOS.keys()
    here = Path(__file__)
    files = [path for path in here.parent.glob("test_*.py") if path != here and "mark.row(" in path.read_text()]
    assert {path.stem.removeprefix("test_") for path in files} == set(rows.FAMILIES)
    for name in rows.FAMILIES:
        module = importlib.import_module(f"test_{name}")
        tests = [test for key, test in vars(module).items() if key.startswith("test_")]
        assert all(list(rows._rows(test)) for test in tests if test.__module__ == module.__name__), name
