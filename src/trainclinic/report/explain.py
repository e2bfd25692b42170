"""`trainclinic explain NAME`: the page of one problem or one remedy."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from trainclinic.diagnose.problem import SECTIONS, Problem
from trainclinic.report.pages import entry, remedies_for
from trainclinic.report.prose import blocks, sources
from trainclinic.report.rates import said
from trainclinic.report.text import indented, prose
from trainclinic.report.words import number, readable, word
from trainclinic.treat import remedy as treat

EXACT = "An exact check: counted, not estimated."
STATISTICAL = "A statistical check: its limits come from runs, and it can be wrong."


def explain(name: str) -> RenderableType:
    """What a problem is, how it is measured and what treats it; or what a remedy does, and when it helps.

    Args:
        name: its id, such as "vanishing-gradient" or "replace-activation".

    Raises:
        CatalogError: there is no such problem and no such remedy; the message names the nearest ones.
    """
    found = entry(name.strip().lower().replace("_", "-").replace(" ", "-"))
    parts = _problem(found) if issubclass(found, Problem) else _remedy(found)
    return Group(*parts[:-1] if parts[-1] == "" else parts)


def _problem(problem: type[Problem]) -> list[RenderableType]:
    page = problem.page()
    parts = _head(problem.id(), problem.summary(), EXACT if problem.exact else STATISTICAL)
    for title in SECTIONS[:-1]:
        parts += _section(title, page)
    return [*parts, *_rate(problem), *_remedies(problem), *_signals(problem), *_causes(problem), *_limits(problem),
            *_section(SECTIONS[-1], page)]  # fmt: skip


def _remedy(remedy: type[treat.Remedy]) -> list[RenderableType]:
    page = remedy.page()
    parts = _head(remedy.id(), remedy.summary(), f"A remedy; it changes the {remedy.stage}.")
    for title in treat.SECTIONS[:-1]:
        parts += _section(title, page)
    return [*parts, *_settings(remedy), *_treats(remedy), *_section(treat.SECTIONS[-1], page)]


def _head(name: str, summary: str, kind: str) -> list[RenderableType]:
    return [
        Rule(style="dim"),
        Text.assemble((readable(name), "bold"), (f"   {name}", "dim")),
        Text(summary),
        Text(kind, style="dim"),
        Rule(style="dim"),
    ]


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


def _rate(problem: type[Problem]) -> list[RenderableType]:
    """Recall and false alarms, as they were measured."""
    return [Text("How often it is right", style="bold"), indented(Text(said(problem.id()))), ""]


def _remedies(problem: type[Problem]) -> list[RenderableType]:
    """What a cure tries against it, in this order."""
    found = remedies_for(problem.id())
    if not found:
        return []
    table = Table.grid(padding=(0, 2))
    for rank, remedy in found:
        table.add_row(str(rank), Text(remedy.id(), style="cyan"), Text(remedy.summary(), style="dim"))
    return [Text("Remedies that a cure tries, by rank", style="bold"), indented(table), ""]


def _settings(remedy: type[treat.Remedy]) -> list[RenderableType]:
    if not remedy.settings():
        return []
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for title in ("setting", "default", "unit", "range"):
        table.add_column(title, overflow="fold")
    for one in remedy.settings():
        table.add_row(Text(one.name), Text(str(one.default), style="bold"), one.unit, Text(one.range, style="dim"))
    return [Text("Settings", style="bold"), indented(table), ""]


def _treats(remedy: type[treat.Remedy]) -> list[RenderableType]:
    table = Table.grid(padding=(0, 2))
    for name, rank in sorted(remedy.treats.items(), key=lambda item: (item[1], item[0])):
        table.add_row(Text(name, style="cyan"), Text(f"rank {rank}", style="dim"))
    return [Text("What it treats", style="bold"), indented(table), ""]
