"""`trainclinic cure FILE[:make]`: how it ends, and what it refuses in words; what it cures is in test_demo.py."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from trainclinic.cli import app
from trainclinic.errors import ScriptError
from trainclinic.prove.make_file import MakeFile, make_file

TESTS = Path(__file__).parents[1]
FILE = f"""
import sys
sys.path.append({str(TESTS)!r})
from small_cures import healthy, vanishing

def make(seed):
    return vanishing(seed)

def well(seed):
    return healthy(seed)
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_training.py"
    path.write_text(FILE)
    return path


def command(*args):
    return [sys.executable, "-m", "trainclinic", "cure", *map(str, args)]


def test_nothing_to_cure_is_exit_code_0_and_undecided_1(file, tmp_path):
    runner = CliRunner()
    out = str(tmp_path / "out")
    well = runner.invoke(app, ["cure", f"{file}:well", "--output", out, "--no-html"])
    assert (well.exit_code, "Nothing to cure" in well.stdout) == (0, True)
    assert sorted(path.name for path in Path(out).iterdir()) == ["cure.json", "treatment.py"]
    poor = runner.invoke(app, ["cure", str(file), "--budget", "5", "--output", out, "--no-html"])
    assert (poor.exit_code, json.loads(Path(out, "cure.json").read_text())["verdict"]) == (1, "undecided")


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ctrl_c_gives_what_is_known_and_exit_code_130(file, tmp_path, workers):
    marker = tmp_path / "second"
    file.write_text(
        FILE
        + f"""
def make(seed):
    if seed == 2:
        open({str(marker)!r}, "w").close()
        import time
        time.sleep(60)
    return vanishing(seed)
"""
    )
    out = tmp_path / "out"
    asked = command(file, "--workers", workers, "--output", out, "--no-html")
    with subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        while not marker.exists() and run.poll() is None:
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to every process of it
        printed, errors = run.communicate(timeout=30)
    assert run.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Interrupted after" in printed
    assert json.loads((out / "cure.json").read_text())["interrupted"]


# -- a make in a file


def test_a_make_travels_as_path_and_name(file):
    make = make_file(f"{file}:make")
    again = pickle.loads(pickle.dumps(make))
    assert again == make == MakeFile(str(file), "make")
    assert len(again(0).model) == len(make(0).model)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (None, "make", "found no file there"),
        ("def make(seed)\n", "make", "SyntaxError"),
        ("1 / 0\n", "make", r"ZeroDivisionError: division by zero \(line 1\)"),
        ("raise SystemExit(3)\n", "make", "SystemExit: 3"),
        ("def build(seed): ...\n", "make", "its functions are build; name one, as in .*:build"),
        ("make = 3\n", "make", "it defines no function"),
        ("def make(seed):\n    return seed\n", "make", r"expected it to return a trainclinic.Setup, got int"),
        ("def make(seed):\n    x = 1\n    return [][x]\n", "make", r"IndexError: list index out of range \(line 3\)"),
        ("def make():\n    pass\n", "make", "TypeError"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(tmp_path, text, name, said):
    path = tmp_path / "broken.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ScriptError, match=said):
        make_file(f"{path}:{name}")(0)


def test_an_error_is_one_line_and_exit_code_2(tmp_path):
    done = subprocess.run(command(tmp_path / "none.py"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("trainclinic: ")
    assert done.stderr.count("\n") == 1


def test_what_a_file_draws_is_the_same_everywhere_and_moves_no_number_here(tmp_path):
    path = tmp_path / "drawing.py"
    path.write_text("import torch\nX = torch.randn(3)\ntorch.manual_seed(1)\ndef make(seed):\n    return X\n")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    here = make_file(str(path)).function()(0)
    assert torch.equal(torch.get_rng_state(), before)
    code = f"from trainclinic.prove.make_file import make_file as f; print(f({str(path)!r}).function()(0).tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(here.tolist())


def test_a_file_called_like_a_module_is_not_taken_for_it(tmp_path):
    path = tmp_path / "json.py"
    path.write_text("import json\ndef make(seed):\n    return json.dumps\n")
    assert MakeFile(str(path), "make").function()(0) is json.dumps
