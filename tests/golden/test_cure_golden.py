"""What a cure says in the terminal and as JSON, letter by letter. TRAINCLINIC_REGENERATE=1 writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

import cure_samples
import pytest
import report_samples as samples

from trainclinic import catalog
from trainclinic.report.cure_text import render_cure
from trainclinic.report.report import plain, report

FOLDER = Path(__file__).parent / "cure"


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "entries", lambda package: samples.CATALOGUE)


@pytest.mark.parametrize("suffix", [".txt", ".json"])
@pytest.mark.parametrize("name", cure_samples.CURES)
def test_a_cure_is_the_golden_file(name: str, suffix: str, tmp_path: Path) -> None:
    golden = FOLDER / f"{name}{suffix}"
    written = report(cure_samples.CURES[name](), tmp_path / f"cure{suffix}")
    text = written.read_text(encoding="utf-8")
    if os.environ.get("TRAINCLINIC_REGENERATE"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_but_those_of_the_code_is_wider_than_the_terminal(width: int) -> None:
    for made in cure_samples.CURES.values():
        assert max(map(len, plain(render_cure(made()), width).splitlines())) <= width
