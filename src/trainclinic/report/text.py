"""The report in the terminal: what is wrong, because of what, by which numbers, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from trainclinic.recording import Recording
from trainclinic.records import Diagnosis
from trainclinic.report.prose import Block, blocks, spans
from trainclinic.report.ranks import rank_columns, ranks
from trainclinic.report.spark import spark
from trainclinic.report.view import View, key_figures, not_examined, verdict, views
from trainclinic.report.words import LAYER_SIGNALS, short, word

INDENT = 2
LEAST_SWING = 0.3  # decades: a loss that moves by less than a factor of two looks flat
FEWEST_LAYERS = 4  # for a profile over the layers


def render(diagnosis: Diagnosis) -> RenderableType:
    """The whole report; readable at 80 columns, and without colour."""
    found = views(diagnosis)
    causes = [view for view in found if view.finding.level == "problem" or view.explains]
    observations = [view for view in found if view not in causes]
    parts: list[RenderableType] = [_headline(diagnosis)]
    for cause in causes:
        parts += ["", *_card(cause, diagnosis.recording)]
    if observations:
        parts += ["", _heading("Observations", "abnormal, but no harm was seen")]
        parts += [indented(part) for view in observations for part in _brief(view)]
    if diagnosis.recording is not None and diagnosis.recording.ranks:
        parts += ["", _heading("Ranks", "side by side"), indented(_ranks(diagnosis.recording))]
    if diagnosis.not_examined:
        parts += [
            "",
            _heading("Not examined", "neither shown nor ruled out"),
            indented(_not_examined(diagnosis)),
        ]
    parts += ["", _read_more(found)]
    return Group(*parts)


def _headline(diagnosis: Diagnosis) -> RenderableType:
    said = verdict(diagnosis)
    style = "bold green" if said.startswith("No problem") else "bold red"
    lines: list[RenderableType] = [Rule(style="dim"), Text(said, style=style)]
    if diagnosis.recording is not None:
        figures = Table.grid(padding=(0, 2))
        figures.add_column(style="dim", no_wrap=True)
        figures.add_column(overflow="fold")
        for name, value in key_figures(diagnosis.recording):
            figures.add_row(name.lower(), Text(value))
            if name == "Loss":
                losses = diagnosis.recording.series("loss").values.tolist()
                figures.add_row("", Text(spark(losses, least=LEAST_SWING), style="blue"))
        lines.append(figures)
    return Group(*lines, Rule(style="dim"))


def _card(view: View, recording: Recording | None) -> Iterator[RenderableType]:
    mark, style = ("✗", "bold red") if view.finding.level == "problem" else ("!", "bold yellow")
    yield Text.assemble((f"{mark} {view.title}", style), (f"   {view.finding.level}, {view.strength}", "dim"))
    yield indented(_where(view))
    if view.note:
        yield indented(Text(view.note, style="dim"))
    because = ("because", _inline(view.because)) if view.because else ("that is", _inline(view.summary))
    for name, text in (because, ("trial", Text(view.trial))):
        if text:
            yield indented(_labelled(name, text, "bold"))
    if view.rows:
        yield indented(_evidence(view))
    profile = _profile(view, recording) if recording else None
    if profile:
        yield indented(profile)
    if view.explains:
        yield ""
        yield indented(Text("it explains", style="bold"))
        for below in view.explains:
            for part in _brief(below):
                yield indented(part, 2)
    if view.page.get("What to do"):
        yield ""
        yield indented(Text("what to do", style="bold"))
        yield indented(prose(blocks(view.page["What to do"])), 2)


def _where(view: View) -> RenderableType:
    return Text.assemble((view.noun, "dim"), f" {view.layers}" if view.layers else "", (f", {view.when}", "dim"))


def _labelled(name: str, text: Text, style: str) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=style, no_wrap=True)
    grid.add_column()
    grid.add_row(name, text)
    return grid


def _evidence(view: View) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("measured", ratio=3, overflow="fold")
    if view.placed:
        table.add_column("layer", overflow="fold", max_width=24)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("abnormal if", justify="right", no_wrap=True)
    for row in view.rows:
        value, limit = Text(row.observed, style="bold"), Text(row.limit, style="dim")
        table.add_row(Text(row.quantity), *([Text(row.layer)] if view.placed else []), value, limit)
    return Padding(table, (1, 0))


def _profile(view: View, recording: Recording) -> RenderableType | None:
    """The size of the finding's first signal in every layer, from the first to the last."""
    named = [entry.signal for entry in view.finding.evidence] + list(view.problem.reads if view.problem else ())
    for signal in dict.fromkeys(named):
        layers = recording.measured(signal)
        if signal in LAYER_SIGNALS and len(layers) >= FEWEST_LAYERS:
            found = [recording.series(signal, layer.name) for layer in layers]
            bars = spark(
                [series.late() for series in found],
                width=len(found) if len(found) <= 40 else 40,
                log=word(signal).log,
            )
            said = f"{word(signal).title} from {short(layers[0].name, 16)} to {short(layers[-1].name, 16)}  "
            return Text.assemble((said, "dim"), (bars, "blue"))
    return None


def _brief(view: View) -> Iterator[RenderableType]:
    where = f" in {view.layers}" if view.finding.layers else ""
    yield _item("•", Text.assemble((view.title, "bold"), where, (f", {view.when}", "dim")))
    said = view.because or view.summary
    if said:
        yield indented(_inline(said))
    if view.trial:
        yield indented(Text(view.trial))
    if view.rows:
        row = view.telling
        limit = "" if row.limit == "–" else f" (abnormal if {row.limit})"
        yield indented(Text.assemble((f"{row.quantity}: ", "dim"), row.observed, (limit, "dim")))


def _ranks(recording: Recording) -> RenderableType:
    found = ranks(recording)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    shown = rank_columns(found)
    for title, key in shown.items():
        table.add_column(title, justify="right" if key in ("rank", "steps", "gradient_norm") else "left")
    for one in found:
        table.add_row(*(Text(str(getattr(one, key))) for key in shown.values()))
    return Padding(table, (1, 0, 0, 0))


def _not_examined(diagnosis: Diagnosis) -> RenderableType:
    return Group(
        *(_item("•", Text.assemble(", ".join(ids), (f": {why}", "dim"))) for why, ids in not_examined(diagnosis))
    )


def _read_more(found: tuple[View, ...]) -> RenderableType:
    known = [view.finding.problem for view in found if view.problem is not None]
    if not known:
        return Text("What a problem is and how it is measured: trainclinic explain NAME", style="dim")
    return Text.assemble(("Read more: ", "dim"), f"trainclinic explain {known[0]}")


def _heading(title: str, meaning: str) -> RenderableType:
    return Text.assemble((title, "bold"), (f"   {meaning}", "dim"))


def prose(found: tuple[Block, ...]) -> RenderableType:
    """A docstring section, wrapped to the terminal, with its lists kept."""
    parts: list[RenderableType] = []
    for index, block in enumerate(found):
        if block.kind == "item":
            parts.append(_item(block.mark, _inline(block.text)))
            continue
        if index and found[index - 1].kind != "item":
            parts.append("")
        parts.append(indented(Text(block.text, style="cyan")) if block.kind == "code" else _inline(block.text))
    return Group(*parts)


def _item(mark: str, text: Text) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(mark, text)
    return grid


def _inline(text: str) -> Text:
    styles = {"plain": "", "code": "cyan", "stress": "italic", "link": "underline"}
    return Text.assemble(*((span.text, styles[span.kind]) for span in spans(text)))


def indented(part: RenderableType, levels: int = 1) -> RenderableType:
    """`part`, set in by so many levels."""
    return Padding(part, (0, 0, 0, INDENT * levels))
