"""A cure as a web page: the treatment and its proof stand before the report of the untreated run."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from trainclinic.records import Cure, Trial
from trainclinic.report import cure_view as said
from trainclinic.report.cure_charts import curves_chart, difference_chart
from trainclinic.report.html import asset, render, whole
from trainclinic.report.svg import draw
from trainclinic.report.words import clean, number


def page(cure: Cure) -> str:
    """The whole report as one HTML document; nothing in it asks the network for anything."""
    proof = _proof(cure.trial) if cure.trial else {}
    return render(
        "cure.html.j2",
        **whole(cure.diagnosis),
        **_common(cure),
        **proof,
        trial=cure.trial,
        parts=[(clean(str(p.without)), said.signed(p.loss.median), p.needed) for p in cure.parts],
        tries=said.tries(cure),
        cost=said.cost(cure),
    )


def fragment(cure: Cure) -> str:
    """The outcome as a few kilobytes of HTML with a static picture: what a notebook shows."""
    title = "Both arms of the trial over the steps"
    picture = Markup(draw(curves_chart(cure.trial), title)) if cure.trial else ""
    return render("cure_fragment.html.j2", **_common(cure), style=Markup(asset("fragment.css")), picture=picture)


def _common(cure: Cure) -> dict[str, Any]:
    return {
        "headline": said.headline(cure),
        "sentence": said.sentence(cure),
        "mood": said.mood(cure),
        "proof_figures": said.key_figures(cure),
        "changes": [
            (clean(str(dose)), clean(change))
            for dose, change in zip(cure.treatment.remedies, cure.treatment.changes, strict=False)
        ],
        "code": cure.treatment.code,
        "proven": said.proven(cure),
        "use": said.use(cure),
    }


def _proof(trial: Trial) -> dict[str, Any]:
    return {
        "measure": said.measure(trial),
        "curves": curves_chart(trial),
        "differences": difference_chart(trial),
        "pairs": said.pairs(trial),
        "outcome": said.outcome(trial),
        "unit": said.unit(trial),
        "margin": number(trial.margin),
        "interval": said.interval(trial.full),
        "interval_half": said.interval(trial.half),
        "p": number(trial.full.p_value),
    }
