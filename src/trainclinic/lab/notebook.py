"""A chapter as a Jupyter notebook, from the same source as its page."""

from __future__ import annotations

import json
from typing import Any

from trainclinic.lab.chapter import Chapter
from trainclinic.lab.labels import LABELS

BEGIN = """from trainclinic.lab.chapter import chapters

%matplotlib inline
%config InlineBackend.figure_format = 'svg'"""


def notebook(chapter: type[Chapter], language: str) -> str:
    """The notebook's file: every section's text, its figure, its code, the experiment, and what to try.

    Args:
        chapter: what it is about.
        language: "en" or "ko".
    """
    cells = [_text(f"# {chapter.number}. {chapter.title[language]}\n\n{chapter.lead[language]}")]
    found = f"chapters()[{chapter.id()!r}]"
    cells.append(_code(BEGIN))
    for section in chapter.text:
        cells.append(_text(f"## {section.title[language]}\n\n{section.text[language]}"))
        if section.drawing is not None:
            cells.append(_code(f"{found}.drawings()[{section.drawing.name!r}].draw({language!r})"))
        if section.code:
            cells.append(_code(section.code.strip()))
        if section.play is not None:
            cells += _played(found, section.play.name, language)
    cells += _experiment(chapter, language)
    document = {
        "cells": [cell | {"id": f"cell-{place}"} for place, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                     "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _played(found: str, name: str, language: str) -> list[dict[str, Any]]:
    """A play at its defaults; the values can be changed in the cell."""
    return [_code(
        "from trainclinic.lab.controls import defaults\n"
        "from trainclinic.lab.notebook import display_play\n\n"
        f"play = {found}.plays()[{name!r}]\n"
        "values = defaults(play.controls)\n"
        f"display_play(play, values, {language!r})"
    )]  # fmt: skip


def display_play(play: Any, values: Any, language: str) -> None:
    """Show what a play answers to `values`, in a notebook."""
    import plotly.graph_objects as go
    from IPython.display import HTML, display

    from trainclinic.lab.chapter import Table
    from trainclinic.lab.tables import html

    for one in play.show(values, language):
        shown = HTML(html(one, language)) if isinstance(one, Table) else go.Figure(one["data"], one["layout"])  # type: ignore[no-untyped-call]
        display(shown)  # type: ignore[no-untyped-call]


def _experiment(chapter: type[Chapter], language: str) -> list[dict[str, Any]]:
    settings = json.dumps(dict(chapter.experiment.settings)).replace("true", "True").replace("false", "False")
    cells = [
        _text(f"## {LABELS['experiment'][language]}"),
        _code(
            "import trainclinic as tc\nfrom trainclinic.lab.experiment import Make\n\n"
            f"settings = {settings}\n"
            "recording = tc.run(Make(settings), seed=0)\n"
            "tc.diagnose(recording)"
        ),
    ]
    for number, one in enumerate(chapter.tries, 1):
        cells.append(_text(f"**{number}.** {one.question[language]}"))
        cells.append(_code(f"tc.diagnose(tc.run(Make({{**settings, **{dict(one.settings)!r}}}), seed=0))"))
        answer = f"<details><summary>{LABELS['answer'][language]}</summary>\n\n{one.answer[language]}\n\n</details>"
        cells.append(_text(answer))
    return cells


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
