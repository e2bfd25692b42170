"""Every limit that names a results file stands in it as it stands in the rule: a measured claim, not an argument.

Where one fails, a limit was moved without its benchmark: `make bench-limits`, and say so in the CHANGELOG.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS

ROOT = Path(__file__).parents[2]
MEASURED = [
    pytest.param(problem, item, id=f"{problem}.{item.name}")
    for problem, kind in catalog.entries(PROBLEMS).items()
    for item in fields(kind)
    if str(item.metadata.get("source", "")).endswith(".json")
]
SOURCES = sorted({parameter.values[1].metadata["source"] for parameter in MEASURED})


@cache
def results(source):
    return json.loads((ROOT / source).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("problem", "item"), MEASURED)
def test_a_limit_is_the_one_that_was_measured(problem, item):
    entry = results(item.metadata["source"])["limits"].get(problem, {}).get(item.name)
    assert entry, f"{problem}.{item.name} was never measured: make bench-limits"
    measured = {key: entry[key] for key in ("value", "unit", "side")}
    assert measured == {"value": item.default, "unit": item.metadata["unit"], "side": item.metadata["side"]}


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_measured_that_no_rule_has(source):
    known = {(parameter.values[0], parameter.values[1].name) for parameter in MEASURED
             if parameter.values[1].metadata["source"] == source}  # fmt: skip
    assert {(problem, name) for problem, entry in results(source)["limits"].items() for name in entry} == known


@pytest.mark.parametrize(("problem", "item"), MEASURED)
def test_a_limit_was_seen_on_healthy_runs(problem, item):
    """A limit whose statistic no healthy run ever showed claims nothing about false alarms."""
    assert results(item.metadata["source"])["limits"][problem][item.name]["healthy"]["n"] >= 3
