"""The generated pages are those of the code; what the guide to curing says to run can be run, and says that."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trainclinic.report import catalogue

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "catalogue"
CURING = (ROOT / "docs" / "guide" / "curing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", catalogue.pages())
def test_a_page_of_the_catalogue_is_that_of_the_code(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == catalogue.pages()[name], "run `make docs`"


def test_the_folder_holds_no_other_page() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(catalogue.pages()), "run `make docs`"


def test_no_remedy_is_called_like_a_problem() -> None:
    assert not set(catalogue.problems()) & set(catalogue.remedies())


@pytest.mark.slow
def test_the_commands_of_the_guide_say_what_it_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    commands = re.findall(r"^\$ trainclinic (.+)\n(.+)", CURING, re.MULTILINE)
    assert len(commands) == 4
    for command, first_line in commands:
        asked = [sys.executable, "-m", "trainclinic", *shlex.split(command)]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == ("confirm" in command), done.stderr  # a problem is left
        assert first_line in done.stdout + done.stderr
    assert (tmp_path / "out" / "treatment.py").exists()


@pytest.mark.slow
def test_the_python_of_the_guide_runs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "deep_sigmoid_make.py", tmp_path)
    block = next(code for code in re.findall(r"```python\n(.*?)```", CURING, re.DOTALL) if "tc.cure(" in code)
    (tmp_path / "curing.py").write_text(block, encoding="utf-8")
    done = subprocess.run([sys.executable, "curing.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"cure.html", "cure.json"} <= {path.name for path in tmp_path.iterdir()}
