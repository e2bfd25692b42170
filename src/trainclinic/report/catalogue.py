"""The catalogue as Markdown: a page for each problem and each remedy, from its docstring. `make docs` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from trainclinic.diagnose.problem import Problem
from trainclinic.report.pages import problems, remedies_for
from trainclinic.report.rates import said
from trainclinic.treat.operation import remedies
from trainclinic.treat.remedy import Remedy


def page(problem: type[Problem]) -> str:
    """One problem as Markdown."""
    parts = [f"# {problem.id()}", problem.summary()]
    parts += [f"## {title}\n\n{text}" for title, text in problem.page().items()]
    parts.append(f"## How often it is right\n\n{said(problem.id())}")
    if remedies_for(problem.id()):
        rows = [f"| {rank} | {_link(one)} | {one.summary()} |" for rank, one in remedies_for(problem.id())]
        parts.append("## Remedies\n\n" + _table("rank", "remedy", "in one sentence") + "\n".join(rows))
    if problem.limits():
        rows = [f"| {one.name} | {one.side} | {one.value:g} | {one.unit} | {one.source} |" for one in problem.limits()]
        parts.append("## Limits\n\n" + _table("name", "abnormal", "value", "unit", "source") + "\n".join(rows))
    if problem.causes:
        rows = [f"- **{name or 'in general'}**: {text}" for name, text in problem.causes.items()]
        parts.append("## Causes it can name\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def remedy_page(remedy: type[Remedy]) -> str:
    """One remedy as Markdown."""
    parts = [f"# {remedy.id()}", f"{remedy.summary()} It changes the {remedy.stage}."]
    parts += [f"## {title}\n\n{text}" for title, text in remedy.page().items()]
    if remedy.settings():
        rows = [f"| {one.name} | {one.default} | {one.unit} | {one.range} |" for one in remedy.settings()]
        parts.append("## Settings\n\n" + _table("name", "default", "unit", "range") + "\n".join(rows))
    ranked = sorted(remedy.treats.items(), key=lambda item: (item[1], item[0]))
    rows = [f"| [{name}]({name}.md) | {rank} |" for name, rank in ranked]
    parts.append("## What it treats\n\n" + _table("problem", "rank") + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """The list of all problems and all remedies as Markdown."""
    parts = []
    for title, found in (("problem", problems()), ("remedy", remedies())):
        rows = [f"| {_link(entry)} | {entry.summary()} |" for entry in found.values()]
        plural = {"problem": "Problems", "remedy": "Remedies"}[title]
        parts.append(f"# {plural}\n\n{_table(title, 'in one sentence')}" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Every page by its file's stem."""
    found = {"index": index()}
    found |= {name: page(entry) for name, entry in problems().items()}
    found |= {name: remedy_page(entry) for name, entry in remedies().items()}
    return found


def write(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _link(entry: type[Problem] | type[Remedy]) -> str:
    return f"[{entry.id()}]({entry.id()}.md)"


def _table(*titles: str) -> str:
    return f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
