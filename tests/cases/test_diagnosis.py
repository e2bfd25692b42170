"""The main promise: each fault is the first root cause, and what is healthy is left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainclinic import catalog
from trainclinic.diagnose.diagnose import diagnose
from trainclinic.measure.run import run
from trainclinic.measure.script import run_script
from trainclinic.records import Diagnosis

ROOT = Path(__file__).parents[2]
EXAMPLES, SIBLINGS = ROOT / "examples", ROOT / "tests" / "siblings"

#: the fault in each example, and in its siblings: other architectures, other data, frozen before the rules were
FAULT = {
    "deep_sigmoid": "vanishing-gradient",
    "tanh_unit_normal_init": "poor-initialization",
    "relu_killed_by_learning_rate": "learning-rate-too-high",
    "exploding_rnn": "exploding-gradient",
    "log_of_zero": "non-finite",
    "softmax_before_cross_entropy": "loss-output-mismatch",
    "missing_zero_grad": "stale-gradient",
    "layer_outside_optimizer": "frozen-parameters",
    "training_in_eval_mode": "wrong-mode",
    "raw_pixels_sgd": "unscaled-inputs",
    "tiny_set_overfitted": "overfitting",
}
#: where the fault does no harm that can be seen: it is an observation
UNHARMED = ("training_in_eval_mode",)
MAKES = ("deep_sigmoid_make",)  # no scripts, but functions for `trainclinic cure`
HEALTHY = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem not in (*FAULT, *MAKES))
SCRIPTS = [EXAMPLES / f"{stem}.py" for stem in FAULT] + sorted(SIBLINGS.glob("*/*.py"))
CASES = sorted(catalog.entries("trainclinic.cases"))


def test_every_fault_has_an_example_and_two_siblings() -> None:
    assert len(HEALTHY) >= 6
    for stem in FAULT:
        assert (EXAMPLES / f"{stem}.py").is_file()
        assert len(list((SIBLINGS / stem).glob("*.py"))) == 2


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_faulty_script_gets_its_fault_as_the_first_root_cause(script: Path, tmp_path: Path) -> None:
    fault = FAULT[script.stem if script.parent == EXAMPLES else script.parent.name]
    diagnosis = _diagnosed(script, 0, tmp_path)
    assert diagnosis.findings[0].problem == fault
    assert diagnosis.findings[0].level == ("observation" if script.stem in UNHARMED else "problem")


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("stem", HEALTHY)
def test_a_healthy_script_is_left_in_peace(stem: str, seed: int, tmp_path: Path) -> None:
    assert not [f for f in _diagnosed(EXAMPLES / f"{stem}.py", seed, tmp_path).findings if f.level == "problem"]


@pytest.mark.parametrize("name", CASES)
def test_a_faulty_case_gets_its_fault_as_the_first_root_cause(name: str) -> None:
    findings = diagnose(run(catalog.entry("trainclinic.cases", name).faulty)).findings
    assert (findings[0].problem, findings[0].level) == (name, "problem")


@pytest.mark.parametrize("name", CASES)
def test_a_healthy_case_is_left_in_peace(name: str) -> None:
    findings = diagnose(run(catalog.entry("trainclinic.cases", name).healthy)).findings
    assert not [finding for finding in findings if finding.level == "problem"]


def _diagnosed(script: Path, seed: int, folder: Path) -> Diagnosis:
    result = run_script(script, ["--seed", str(seed)], folder=folder)
    assert result.exit_code == 0
    return diagnose(result.recordings[0])
