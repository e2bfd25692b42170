"""The lab without a browser: figures, notebooks, the list; and that what the guide names is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainclinic.cli import app
from trainclinic.errors import CatalogError, LabError
from trainclinic.lab import command, lettering
from trainclinic.lab.chapter import chapters
from trainclinic.lab.notebook import notebook

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "lab.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in GUIDE.splitlines() if re.match(r"\| \d\.\d ", line)]
ELEMENTS = Path(__file__).parents[3] / "shared" / "lecture" / "elements.md"


def test_the_list_names_every_chapter_and_figure():
    shown = CliRunner().invoke(app, ["lab", "--list", "--lang", "ko"])
    assert shown.exit_code == 0
    for name, chapter in chapters().items():
        assert name in shown.output
        assert all(figure in shown.output for figure in chapter.drawings())


def test_a_figure_is_drawn_into_a_file(tmp_path):
    for ending in ("png", "svg"):
        path = command.draw("activation-functions:relu", tmp_path / f"relu.{ending}")
        assert path.stat().st_size > 5000


def titles(language):
    return [axes.get_title() for axes in chapters()["vanishing-gradient"].drawings()["sigmoid"].draw(language).axes]


def test_a_figure_speaks_the_language_it_is_asked_in(monkeypatch):
    monkeypatch.setattr(lettering, "hangul", lambda: "NanumGothic")
    assert titles("ko") == ["시그모이드 함수와 그 미분함수"]
    assert titles("en") == ["Sigmoid Function and its Derivative"]


def test_without_a_korean_font_a_figure_speaks_english(monkeypatch):
    monkeypatch.setattr(lettering, "HANGUL", ("no such font",))
    assert titles("ko") == titles("en")


@pytest.mark.parametrize(
    ("wanted", "name", "error", "said"),
    [("no-such", "f.png", CatalogError, "did you mean"),
     ("activation-functions:cosine", "f.png", LabError, "tanh, relu"),
     ("activation-functions", "f.bmp", LabError, ".svg"),
     ("activation-functions", "no/f.png", LabError, "No such file")],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_in_words(tmp_path, wanted, name, error, said):
    with pytest.raises(error, match=re.escape(said)):
        command.draw(wanted, tmp_path / name)


def test_a_language_that_is_not_spoken_is_refused():
    with pytest.raises(LabError, match="en or ko"):
        command.check("fr")


def test_what_is_missing_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LabError, match=r'pip install "trainclinic\[lab\]"'):
        command.serve("", "en", None, workers=1, host="127.0.0.1", port=0, show=False)


def test_a_port_that_is_taken_is_told():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(LabError, match="--port 0 takes a free one"):
            command._free("127.0.0.1", taken.getsockname()[1])


def test_nothing_of_the_page_is_loaded_with_the_package():
    code = "import sys, trainclinic; print([m for m in ('nicegui', 'matplotlib', 'sklearn') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("name", chapters())
def test_a_notebook_holds_the_whole_chapter(name, language):
    chapter = chapters()[name]
    cells = json.loads(notebook(chapter, language))["cells"]
    text = "\n".join(cell["source"] for cell in cells)
    for section in chapter.text:
        assert section.text[language] in text
        assert section.code.strip() in text
    assert all(f"drawings()[{figure!r}]" in text for figure in chapter.drawings())
    assert all(one.answer[language] in text for one in chapter.tries)


@pytest.mark.slow
@pytest.mark.parametrize("name", chapters())
def test_a_notebook_runs(name, tmp_path):
    import nbformat
    from nbclient import NotebookClient

    found = nbformat.reads(notebook(chapters()[name], "ko"), as_version=4)
    nbformat.validate(found)
    NotebookClient(found, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = [out for cell in found.cells if cell.cell_type == "code" for out in cell.outputs if "data" in out]
    assert any("image/svg+xml" in out["data"] for out in drawn)


# -- the guide's table


@pytest.mark.parametrize("row", ROWS, ids=[row[0][2:5] for row in ROWS])
def test_every_row_of_the_guide_names_what_is_there(row):
    _, number, shown, tests = row
    wanted = re.search(r"trainclinic lab ([\w:-]+)", shown)[1]
    name, _, figure = wanted.partition(":")
    assert chapters()[name].number == int(number)
    assert not figure or figure in chapters()[name].drawings()
    file = ""
    for mentioned in re.findall(r"`([^`]+)`", tests):
        own, _, test = mentioned.partition("::")
        file = own or file
        source = (Path(__file__).parent / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in source


@pytest.mark.skipif(not ELEMENTS.is_file(), reason="the list of elements stands beside the project")
def test_no_element_of_the_lecture_is_left_out():
    wanted = re.findall(r"^\| (\d\.\d) \|", ELEMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row[0][2:5] for row in ROWS] == wanted
