"""The demo is true: a network at chance is cured, and the code it hands out cures the plain script it came from."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import trainclinic as tc
from trainclinic.prove.make_file import make_file

EXAMPLES = Path(__file__).parents[2] / "examples"
MAKE = EXAMPLES / "deep_sigmoid_make.py"
POINT = 0.01

pytestmark = pytest.mark.slow


def test_the_demo_is_cured_and_its_code_cures_the_plain_script(tmp_path):
    out = tmp_path / "out"
    asked = [sys.executable, "-m", "trainclinic", "cure", MAKE, "--workers", "2", "--output", out]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Cured: vanishing-gradient" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == ["cure.html", "cure.json", "treatment.py"]
    code = (out / "treatment.py").read_text()
    assert done.stdout.endswith(code.split("\n", 1)[1])  # the terminal shows the same code

    cure = tc.load(out / "cure.json", make_file(str(MAKE)))
    reached = statistics.median(curve.values[-1] for curve in cure.trial.treated)
    assert reached >= 0.93
    assert not any("sigmoid" in str(node.target) for node in cure.make(1).model.graph.nodes)
    assert in_the_plain_script(code, tmp_path) == pytest.approx(reached, abs=POINT)


def in_the_plain_script(code, folder):
    """The median accuracy of six seeds with the code pasted before the loop."""
    head, loop, rest = (EXAMPLES / "deep_sigmoid.py").read_text().partition("\nfor epoch")
    pasted = folder / "pasted.py"
    pasted.write_text(f"{head}\n{code}{loop}{rest}")
    ends = []
    for seed in range(6):
        asked = [sys.executable, pasted, "--seed", str(seed)]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        ends.append(float(re.findall(r"val acc (\S+)", done.stdout)[-1]))
    return statistics.median(ends)
