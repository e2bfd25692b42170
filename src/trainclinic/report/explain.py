"""`trainclinic explain NAME`: the page of one problem."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from trainclinic import catalog
from trainclinic.diagnose.problem import SECTIONS, Problem
from trainclinic.report.prose import blocks, sources
from trainclinic.report.text import indented, prose
from trainclinic.report.view import PROBLEMS
from trainclinic.report.words import number, readable, word

EXACT = "An exact check: counted, not estimated."
STATISTICAL = "A statistical check: its limits come from runs, and it can be wrong."


def explain(name: str) -> RenderableType:
    """What a problem is, how it is measured, when it is harmless, what to do, and where that comes from.

    Args:
        name: its id, such as "vanishing-gradient".

    Raises:
        CatalogError: there is no such problem; the message names the nearest ones.
    """
    problem: type[Problem] = catalog.entry(PROBLEMS, name.strip().lower().replace("_", "-").replace(" ", "-"))
    page = problem.page()
    parts: list[RenderableType] = [
        Rule(style="dim"),
        Text.assemble((readable(problem.id()), "bold"), (f"   {problem.id()}", "dim")),
        Text(problem.summary()),
        Text(EXACT if problem.exact else STATISTICAL, style="dim"),
        Rule(style="dim"),
    ]
    for title in SECTIONS[:-1]:
        parts += _section(title, page)
    parts += [*_signals(problem), *_causes(problem), *_limits(problem), *_section(SECTIONS[-1], page)]
    return Group(*parts[:-1] if parts[-1] == "" else parts)


def _section(title: str, page: dict[str, str]) -> list[RenderableType]:
    if not page.get(title):
        return []
    return [
        Text(title, style="bold"),
        indented(prose((sources if title == "References" else blocks)(page[title]))),
        "",
    ]


def _signals(problem: type[Problem]) -> list[RenderableType]:
    if not problem.reads:
        return []
    table = Table.grid(padding=(0, 2))
    for signal in problem.reads:
        table.add_row(Text(signal, style="cyan"), Text(word(signal).meaning, style="dim"))
    return [Text("What it reads", style="bold"), indented(table), ""]


def _causes(problem: type[Problem]) -> list[RenderableType]:
    if not problem.causes:
        return []
    table = Table.grid(padding=(0, 2))
    for key, sentence in problem.causes.items():
        table.add_row(Text(key or "in general", style="cyan"), Text(sentence))
    return [Text("Causes it tells apart", style="bold"), indented(table), ""]


def _limits(problem: type[Problem]) -> list[RenderableType]:
    limits = problem.limits()
    if not limits:
        return []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("limit", overflow="fold")
    table.add_column("abnormal if", justify="right", no_wrap=True)
    table.add_column("from", overflow="fold")
    for name, value, unit, side, source in limits:
        judged = f"{'' if side == 'equal' else side + ' '}{number(float(value), unit)}"
        table.add_row(Text(name), Text(judged, style="bold"), Text(source, style="dim"))
    return [Text("Limits", style="bold"), indented(table), ""]
