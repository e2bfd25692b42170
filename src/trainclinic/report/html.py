"""The report as a web page that opens offline (`page`), and as a small piece for a notebook (`fragment`).

Everything that comes from a run is escaped by jinja2. The page's policy forbids every connection, and every
script but the two written here, so that a name which slipped through could still not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from trainclinic.diagnose.chain import Link, chain
from trainclinic.recording import Recording
from trainclinic.records import Diagnosis
from trainclinic.report import charts
from trainclinic.report.chain_chart import chain_chart
from trainclinic.report.drawing import Chart
from trainclinic.report.json import strict
from trainclinic.report.prose import Block, blocks, sources, spans
from trainclinic.report.ranks import loss_of_ranks, rank_columns, ranks
from trainclinic.report.svg import draw
from trainclinic.report.view import View, key_figures, not_examined, verdict, views
from trainclinic.report.words import abnormal_if, clean, count, number, readable, short, unit_words, word


@dataclass
class Pictures:
    """The charts of one page, drawn by plotly.js from one block of data."""

    charts: dict[str, Chart] = field(default_factory=dict)

    def add(self, chart: Chart | None, alt: str) -> Markup:
        """The place of a chart in the page; nothing where there is no chart."""
        if chart is None:
            return Markup("")
        key = f"chart-{len(self.charts)}"
        self.charts[key] = chart
        place = '<div class="chart" id="{}" role="img" aria-label="{}" style="min-height:{}px"></div>'
        return Markup(place).format(key, clean(alt), int(chart["layout"]["height"]))

    def data(self) -> Markup:
        """The charts as JSON that cannot end the script it stands in."""
        text = json.dumps(strict(self.charts), allow_nan=False, separators=(",", ":"))
        return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def page(diagnosis: Diagnosis) -> str:
    """The whole report as one HTML document; nothing in it asks the network for anything."""
    return render("report.html.j2", **whole(diagnosis))


def whole(diagnosis: Diagnosis) -> dict[str, Any]:
    """All that a page shows of a diagnosis, by the names that its template knows."""
    from plotly.offline import get_plotlyjs  # reading its source needs a large import, and only here

    recording = diagnosis.recording
    scripts = [get_plotlyjs(), asset("page.js")]
    return dict(
        common(diagnosis),
        pictures=Pictures(),
        style=Markup(asset("page.css")),
        scripts=[Markup(source) for source in scripts],
        hashes=Markup(" ".join(_hash(source) for source in scripts)),
        loss=charts.loss_chart(recording) if recording else None,
        ranks=_ranks(recording) if recording else None,
        chain=chain_chart(recording) if recording else None,
        links=_links(recording) if recording else [],
        heatmaps=_heatmaps(recording) if recording else [],
        run_charts=_run_charts(recording) if recording else [],
        finding_charts=_finding_charts(recording),
        environment=_environment(recording) if recording else [],
    )


def fragment(diagnosis: Diagnosis) -> str:
    """The report as a few kilobytes of HTML with static pictures: what a notebook shows."""
    recording = diagnosis.recording
    found = {
        "The loss over the steps": charts.loss_chart(recording) if recording else None,
        "The gradient on its way back": chain_chart(recording) if recording else None,
    }
    pictures = {title: Markup(draw(chart, title)) for title, chart in found.items() if chart}
    return render("fragment.html.j2", **common(diagnosis), style=Markup(asset("fragment.css")), pictures=pictures)


def common(diagnosis: Diagnosis) -> dict[str, Any]:
    """What a page and a notebook's piece both show."""
    found = views(diagnosis)
    return {
        "verdict": verdict(diagnosis),
        "found": found,
        "healthy": not any(view.finding.level == "problem" for view in found),
        "figures": key_figures(diagnosis.recording) if diagnosis.recording else (),
        "not_examined": not_examined(diagnosis),
        "recording": diagnosis.recording,
    }


def _finding_charts(recording: Recording | None) -> Callable[[View], list[Chart]]:
    def drawn(view: View) -> list[Chart]:
        return charts.finding_charts(recording, view.finding, view.problem) if recording else []

    return drawn


def _heatmaps(recording: Recording) -> list[tuple[str, Chart]]:
    found = [(signal, charts.heatmap(recording, signal)) for signal in charts.layer_signals(recording)]
    return [(signal, chart) for signal, chart in found if chart]


def _run_charts(recording: Recording) -> list[tuple[str, Chart]]:
    found = [(signal, charts.run_chart(recording, signal)) for signal in charts.run_signals(recording)]
    return [(signal, chart) for signal, chart in found if chart]


def _ranks(recording: Recording) -> dict[str, Any] | None:
    found = ranks(recording)
    return {"rows": found, "columns": rank_columns(found), "chart": loss_of_ranks(recording)} if found else None


def _links(recording: Recording) -> list[Link]:
    found = list(chain(recording, "early"))[::-1]
    return found if len(found) > 1 else []


def _environment(recording: Recording) -> list[tuple[str, str]]:
    found = [
        (readable(key), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for key, value in recording.environment.items()
    ]
    return [(key, clean(value)) for key, value in found]


def prose(text: str, parts_of: Callable[[str], tuple[Block, ...]] = blocks) -> Markup:
    """A docstring section as HTML."""
    parts = []
    for kind, group in groupby(parts_of(text), key=lambda block: block.kind):
        members = list(group)
        if kind == "item":
            parts.append(_list(members))
        else:
            tag = "<pre><code>{}</code></pre>" if kind == "code" else "<p>{}</p>"
            parts += [Markup(tag).format(escape(m.text) if kind == "code" else inline(m.text)) for m in members]
    return Markup("").join(parts)


def _list(items: list[Block]) -> Markup:
    tag = "ol" if items[0].mark[0].isdigit() else "ul"
    inside = Markup("").join(Markup("<li>{}</li>").format(inline(item.text)) for item in items)
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), inside)


def inline(text: str) -> Markup:
    """A line as HTML: `code` and addresses marked up, the rest escaped."""
    forms = {
        "plain": "{}",
        "code": "<code>{}</code>",
        "stress": "<em>{}</em>",
        "link": '<a href="{0}" rel="noreferrer noopener">{0}</a>',
    }
    return Markup("").join(Markup(forms[span.kind]).format(span.text) for span in spans(text))


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def asset(name: str) -> str:
    """A file of the templates' folder as it is."""
    return (resources.files("trainclinic.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("trainclinic.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": prose,
        "sources": lambda text: prose(text, sources),
        "inline": inline,
        "number": number,
        "clean": clean,
        "short": short,
    }
    environment.globals |= {
        "word": word,
        "abnormal_if": abnormal_if,
        "count": count,
        "unit_words": unit_words,
    }
    return environment


def render(name: str, **values: Any) -> str:
    """A template with values for its names; a name without a value is an error."""
    return str(_templates().get_template(name).render(**values)) + "\n"
