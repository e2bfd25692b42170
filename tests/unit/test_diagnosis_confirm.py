"""What trials leave of the problems is counted as the benchmark says, and the page says what the results do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import diagnosis_confirm as benchmark
from diagnosis_confirm import Asked
from diagnosis_zoo.faults import faults
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.runs import Run

ROOT = Path(__file__).parents[2]
DEAD = [Run(fault.name, fault.problem, 0) for fault in faults() if fault.problem == "dead-relu"][:3]
LEAK = next(Run(fault.name, fault.problem, 1) for fault in faults() if fault.problem == "data-leak")
WELL = [Run(plan.name, "", 0) for plan in healthy()[:4]]


def results():
    """A good plan denied, a harmless leak left; of three faults one confirmed, one denied, one never a problem."""
    problem, observed = ["dead-relu", "problem"], ["dead-relu", "observation"]
    leak = ["data-leak", "problem"]
    found = [
        Asked(WELL[0], [problem], [observed], [["dead-relu", "denied"]], 6.0),
        Asked(LEAK, [leak], [leak], [["data-leak", "undecided"]], 2.0),
        Asked(DEAD[0], [problem], [problem], [["dead-relu", "confirmed"]], 4.0),
        Asked(DEAD[1], [problem, leak], [leak, observed], [["dead-relu", "denied"], ["data-leak", "undecided"]], 8.0),
    ]
    faulty = {(run.problem, run.name): run for run in DEAD}
    return benchmark.measured({one.run: one for one in found}, [*WELL, LEAK], faulty)


def counts(rates):
    return (rates["yes"], rates["runs"])


def test_a_denied_problem_is_no_alarm_and_no_right_answer():
    before, after = results()["before"], results()["after"]
    assert (counts(before["a problem on a healthy run"]), counts(after["a problem on a healthy run"])) == (
        (2, 5),
        (1, 5),
    )
    assert counts(after["… of a good plan"]) == (0, 4)
    assert counts(after["… with a fault that did no harm"]) == (1, 1)
    right = "root cause first, at level problem"
    assert (counts(before[right]), counts(after[right])) == ((2, 3), (1, 3)), "what was never a problem is a miss"
    assert results()["verdicts on healthy runs"] == {"denied": 1, "undecided": 1}
    assert results()["right on faulty runs, and denied"] == [f"dead-relu: {DEAD[1].name}, seed 0"]
    assert results()["problems left on healthy runs"] == [f"data-leak: {LEAK.name}, seed 1: data-leak"]
    assert results()["cost"] == {"median": 5.0, "most": 8.0}


def test_the_page_says_what_the_results_do():
    committed = json.loads(benchmark.RESULTS.read_text("utf-8"))
    page = (ROOT / "docs" / "guide" / "accuracy.md").read_text("utf-8")
    assert benchmark.section(committed).strip() in page


def test_the_trials_asked_about_what_the_report_calls_alarms():
    committed = json.loads(benchmark.RESULTS.read_text("utf-8"))["before"]
    report = json.loads((ROOT / "benchmarks" / "results" / "diagnosis.json").read_text("utf-8"))
    assert committed["a problem on a healthy run"] == report["a problem found on a healthy run"]
