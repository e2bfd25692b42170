"""A cure in the terminal: the verdict, what was changed, both arms, what it cost, and the code to paste."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from trainclinic.records import Cure, Trial
from trainclinic.report import cure_view as said
from trainclinic.report.prose import spans
from trainclinic.report.text import indented
from trainclinic.report.view import views
from trainclinic.report.words import clean, count, number

STYLES = {"well": "bold green", "ill": "bold red", "open": "bold yellow"}


def render_cure(cure: Cure) -> RenderableType:
    """All but the code, which must not be wrapped; readable at 80 columns, and without colour."""
    parts: list[RenderableType] = [
        Rule(style="dim"),
        Text(said.headline(cure), style=STYLES[said.mood(cure)]),
        Text(said.sentence(cure)),
        Rule(style="dim"),
    ]
    for section in (_wrong(cure), _changed(cure), _proof(cure), _worth(cure), _cost(cure), _tried(cure)):
        body = list(section)
        if body:
            parts += [*body, ""]
    if cure.treatment.code:
        parts.append(_heading("The code", said.use(cure)))
    return Group(*parts[:-1] if parts[-1] == "" else parts)


def _heading(title: str, meaning: str = "") -> Text:
    return Text.assemble((title, "bold"), (f"   {meaning}" if meaning else "", "dim"))


def _wrong(cure: Cure) -> Iterator[RenderableType]:
    found = [view for view in views(cure.diagnosis) if view.finding.level == "problem"]
    if found:
        yield _heading("What was wrong")
    for view in found:
        yield indented(Text.assemble((f"✗ {view.title}", "bold red"), (f"   {view.strength}", "dim")))
        because = "".join(span.text for span in spans(view.because or view.summary))
        if because:
            yield indented(Text(because), 2)


def _changed(cure: Cure) -> Iterator[RenderableType]:
    if cure.treatment.changes:
        yield _heading("What was changed")
    for dose, change in zip(cure.treatment.remedies, cure.treatment.changes, strict=False):
        yield indented(Text.assemble(clean(change), (f"   {clean(dose.remedy)}", "dim")))


def _proof(cure: Cure) -> Iterator[RenderableType]:
    trial = cure.trial
    if trial is None:
        return
    yield _heading(
        "The proof" if said.proven(cure) else "The trial",
        f"{count(len(trial.control), 'pair')} of runs, each with and without the treatment",
    )
    yield Padding(_pairs(trial), (1, 0, 0, 2))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    sure = "   interval of at least 95 %" if math.isfinite(trial.full.low) else ""
    facts.add_row("median difference", Text.assemble((said.interval(trial.full), "bold"), (sure, "dim")))
    facts.add_row("at half of the run", Text(said.interval(trial.half)))
    facts.add_row("counts from", number(trial.margin))
    facts.add_row("p", f"{number(trial.full.p_value)}   one-sided exact sign-flip test")
    facts.add_row("a difference is", Text(said.unit(trial)))
    facts.add_row("besides", Text("; ".join(said.outcome(trial))))
    yield Padding(facts, (1, 0, 0, 2))


def _pairs(trial: Trial) -> Table:
    name = said.measure(trial)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    for title in ("seed", f"{name} without", f"{name} with", "at half", "difference"):
        table.add_column(Text(title), justify="right")
    for pair in said.pairs(trial):
        table.add_row(pair.seed, pair.control, pair.treated, Text(pair.half, "dim"), Text(pair.full, "bold"))
    return table


def _worth(cure: Cure) -> Iterator[RenderableType]:
    if not cure.parts:
        return
    yield _heading("What each remedy is worth", "what is lost without it, over half a run")
    table = Table.grid(padding=(0, 2))
    for part in cure.parts:
        kept = "needed" if part.needed else "hardly needed: less than counts"
        table.add_row(Text(clean(str(part.without))), Text(said.signed(part.loss.median), "bold"), Text(kept, "dim"))
    yield indented(table)


def _cost(cure: Cure) -> Iterator[RenderableType]:
    whole, *parts = said.cost(cure)
    yield _heading("What it cost")
    yield indented(Text.assemble(whole, (f"   {', '.join(parts)}", "dim")))


def _tried(cure: Cure) -> Iterator[RenderableType]:
    if not cure.tried:
        return
    yield _heading("What was tried", "short runs, which propose and prove nothing")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("remedies", overflow="fold", min_width=36)
    table.add_column("gain", justify="right", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("outcome", overflow="fold")
    for one in said.tries(cure):
        table.add_row(Text(one.remedies), Text(one.gain, "bold"), one.runs, Text(one.outcome, "dim"))
    yield Padding(table, (1, 0, 0, 2))
