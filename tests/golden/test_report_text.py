"""The terminal report, letter by letter. Regenerate with TRAINCLINIC_REGENERATE=1 and read the difference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import report_samples as samples
from rich.console import RenderableType

from trainclinic import catalog
from trainclinic.records import Diagnosis, NotExamined
from trainclinic.report.explain import explain
from trainclinic.report.report import plain
from trainclinic.report.text import render

FOLDER = Path(__file__).parent / "report"


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "entries", lambda package: samples.CATALOGUE)


def healthy() -> Diagnosis:
    return Diagnosis((), (NotExamined("dead-relu", "no ReLU was seen"),), samples.sigmoid_run(["a", "b"], 5))


def pages() -> dict[str, RenderableType]:
    return {
        "vanishing": render(samples.sigmoid_diagnosis()),
        "diverged": render(samples.diverged_diagnosis()),
        "healthy": render(healthy()),
        "nothing": render(Diagnosis(())),
        "ranks": render(samples.ranks_diagnosis()),
        "explain": explain("vanishing-gradient"),
        "explain-exact": explain("Constant prediction"),
    }


@pytest.mark.parametrize("name", ["vanishing", "diverged", "healthy", "nothing", "ranks", "explain", "explain-exact"])
def test_the_terminal_report_is_the_golden_file(name: str) -> None:
    golden = FOLDER / f"{name}.txt"
    text = plain(pages()[name])
    if os.environ.get("TRAINCLINIC_REGENERATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for page in pages().values():
        assert max(len(line) for line in plain(page, width).splitlines()) <= width
