"""The catalogue as Markdown: a page for each problem, from its docstring and limits. `make docs` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from trainclinic import catalog
from trainclinic.diagnose.problem import Problem

PROBLEMS = "trainclinic.diagnose.problems"


def page(problem: type[Problem]) -> str:
    """One problem as Markdown."""
    parts = [f"# {problem.id()}", problem.summary()]
    for title, text in problem.page().items():
        parts.append(f"## {title}\n\n{text}")
    if problem.limits():
        rows = [f"| {one.name} | {one.side} | {one.value:g} | {one.unit} | {one.source} |" for one in problem.limits()]
        head = "| name | abnormal | value | unit | source |\n| --- | --- | --- | --- | --- |\n"
        parts.append("## Limits\n\n" + head + "\n".join(rows))
    if problem.causes:
        rows = [f"- **{name or 'in general'}**: {text}" for name, text in problem.causes.items()]
        parts.append("## Causes it can name\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def index() -> str:
    """The list of all problems as Markdown."""
    rows = [f"| [{name}]({name}.md) | {entry.summary()} |" for name, entry in catalog.entries(PROBLEMS).items()]
    return "# Problems\n\n| problem | in one sentence |\n| --- | --- |\n" + "\n".join(rows) + "\n"


def write(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.md").write_text(index(), encoding="utf-8")
    for name, entry in catalog.entries(PROBLEMS).items():
        (folder / f"{name}.md").write_text(page(entry), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
