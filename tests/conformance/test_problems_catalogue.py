"""What holds for every problem of the catalogue, present and future."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest

from trainclinic import catalog
from trainclinic.diagnose.causes import EDGES, PRECEDENCE
from trainclinic.diagnose.diagnose import PROBLEMS, diagnose
from trainclinic.diagnose.problem import SECTIONS, NotExaminedError
from trainclinic.measure.run import run
from trainclinic.recording import Layer, Recording, Series
from trainclinic.records import Finding

ENTRIES = catalog.entries(PROBLEMS)
#: a case is a training in one process; these need several, and tests/distributed trains them, faulty and healthy
OF_SEVERAL_PROCESSES = {"unequal-replicas"}


def _empty(**facts: object) -> Recording:
    return Recording((), {}, {"steps": 3, **facts}, {}, "completed")


def _all_nan() -> Recording:
    layers = tuple(Layer(f"l{i}", "Linear", "weight", 9, (3, 3), i) for i in range(6))
    steps = np.arange(3)
    signals = ("backward_rms", "activation_rms", "weight_gain", "weight_rms", "update_ratio", "gradient_rms")
    series = {(s, layer.name): Series(steps, np.full(3, math.inf)) for s in signals for layer in layers}
    series["loss", ""] = Series(steps, np.full(3, math.nan))
    facts = {
        "steps": 3,
        "non_finite": {"step": 0, "what": "loss", "loss": "nan", "gradients": ["l0.weight"], "weights": []},
    }
    return Recording(layers, {}, facts, {}, "completed", _series=series)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_page_is_complete(name: str) -> None:
    page = ENTRIES[name].page()
    assert tuple(page) == SECTIONS
    assert all(page.values())
    assert ENTRIES[name].summary().endswith(".")


@pytest.mark.parametrize("name", ENTRIES)
def test_every_limit_has_a_unit_and_a_source(name: str) -> None:
    problem = ENTRIES[name]()
    names = {limit.name for limit in problem.limits()}
    assert names == {field.name for field in fields(problem)}
    assert all(limit.unit and limit.source for limit in problem.limits())


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("recording", [_empty(), _all_nan()], ids=["empty", "non-finite"])
def test_a_recording_without_evidence_convicts_nobody_and_breaks_nothing(name: str, recording: Recording) -> None:
    try:
        found = list(ENTRIES[name]().find(recording))
    except NotExaminedError:
        return
    assert {finding.problem for finding in found} <= {name}


def test_every_problem_has_a_case() -> None:
    assert set(catalog.entries("trainclinic.cases")) == set(ENTRIES) - OF_SEVERAL_PROCESSES


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in OF_SEVERAL_PROCESSES])
def test_a_finding_is_plain_and_explainable(name: str) -> None:
    recording = run(catalog.entry("trainclinic.cases", name).faulty)
    found = [finding for finding in diagnose(recording).findings if finding.problem == name]
    assert found
    for finding in found:
        assert finding.cause in ENTRIES[name].causes
        assert 0 <= finding.severity <= 1
        assert 0 < finding.confidence <= 1
        assert set(finding.layers) <= {layer.name for layer in recording.layers} | _parameter_owners(recording)
        for evidence in finding.evidence:
            assert evidence.unit
            assert evidence.signal in recording.units or evidence.signal in ENTRIES[name].measures


def test_the_order_of_causes_names_every_problem_and_no_other() -> None:
    assert set(PRECEDENCE) == set(ENTRIES)
    assert {name for edge in EDGES for name in (edge.upstream, edge.downstream)} <= set(ENTRIES)


def _parameter_owners(recording: Recording) -> set[str]:
    return {entry["name"].rpartition(".")[0] for entry in recording.facts["parameters"]} | {
        module["name"] for module in recording.facts["modes"]["sensitive"]
    }


def test_findings_are_never_lost_between_cause_and_effect() -> None:
    from trainclinic.diagnose.causes import explain

    for level in ("problem", "observation"):
        findings = [Finding(name, level, 0.5, 0.5, (), (0, 1), ()) for name in ENTRIES]
        assert sorted(f.problem for f in explain(findings)) == sorted(ENTRIES)
