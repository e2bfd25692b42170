"""What every face of the report says: the findings in words, the run in figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainclinic import catalog
from trainclinic.diagnose.problem import SECTIONS, Problem
from trainclinic.errors import CatalogError
from trainclinic.recording import Recording, Series
from trainclinic.records import Diagnosis, Evidence, Finding
from trainclinic.report.words import abnormal_if, clean, count, names, number, quantity, readable

PROBLEMS = "trainclinic.diagnose.problems"
TOLD = {
    "confirmed": "It does harm, as a trial confirms.",
    "denied": "It does no harm, as a trial shows.",
    "undecided": "No trial could decide whether it does harm.",
}


@dataclass(frozen=True)
class Row:
    """One line of evidence in words."""

    quantity: str
    layer: str
    observed: str
    limit: str


@dataclass(frozen=True)
class View:
    """A finding joined to the words of its problem's page.

    Attributes:
        finding: the record itself.
        title: the problem's name in words.
        summary: the first line of its page, or "".
        because: the sentence that says why, or "".
        rows: the evidence in words.
        page: section title → text; empty when the problem is not in the catalogue here.
        explains: the findings this one explains.
        note: what a reader must know beside, or "".
        problem: the class, or None when it is not installed.
        trial: what a trial showed of it, or "" where none was asked.
    """

    finding: Finding
    title: str
    summary: str
    because: str
    rows: tuple[Row, ...]
    page: dict[str, str]
    explains: tuple[View, ...] = ()
    note: str = ""
    problem: type[Problem] | None = None
    trial: str = ""

    @property
    def layers(self) -> str:
        """The names of the layers concerned, abbreviated; "" for the whole run."""
        return names(self.finding.layers)

    @property
    def noun(self) -> str:
        """What stands before the names: "layer", "layers", or "the whole run"."""
        return {0: "the whole run", 1: "layer"}.get(len(self.finding.layers), "layers")

    @property
    def placed(self) -> bool:
        """Whether any of the evidence was measured in one layer."""
        return any(entry.layer for entry in self.finding.evidence)

    @property
    def telling(self) -> Row:
        """The first line of evidence that is beyond its limit; the first of all where none is."""
        beyond = (row for row, entry in zip(self.rows, self.finding.evidence, strict=True) if _beyond(entry))
        return next(beyond, self.rows[0])

    @property
    def when(self) -> str:
        """The steps at which it was seen."""
        first, last = self.finding.steps
        return f"step {first}" if first == last else f"steps {first}–{last}"

    @property
    def strength(self) -> str:
        """Severity and confidence, in percent."""
        exact = self.problem is not None and self.problem.exact
        sure = "exact check" if exact else f"confidence {self.finding.confidence:.0%}"
        return f"severity {self.finding.severity:.0%}, {sure}"


def problem_class(name: str) -> type[Problem] | None:
    """The catalogue's class of a problem; None where it is not installed."""
    try:
        found = catalog.entries(PROBLEMS).get(name)
    except CatalogError:
        return None
    return found if isinstance(found, type) and issubclass(found, Problem) else None


def views(diagnosis: Diagnosis) -> tuple[View, ...]:
    """The root causes in the order of the diagnosis, each with what it explains; no finding is left out."""
    shown: set[int] = set()
    found: list[View] = []
    for root in diagnosis.roots:
        below = [finding for finding in diagnosis.explained(root) if id(finding) not in shown]
        shown.update(map(id, below))
        found.append(_view(root, diagnosis, tuple(_view(finding, diagnosis) for finding in below)))
    for finding in diagnosis.findings:  # its explanation is missing or goes in a circle: show it all the same
        if finding.explained_by and id(finding) not in shown:
            note = f"explained by {clean(finding.explained_by)}, which is not in this diagnosis"
            found.append(_view(finding, diagnosis, note=note))
    return tuple(found)


def _view(finding: Finding, diagnosis: Diagnosis, explains: tuple[View, ...] = (), note: str = "") -> View:
    problem = problem_class(finding.problem)
    if problem is None:
        note = note or f"the page of {clean(finding.problem)} is not in the catalogue of this installation"
    return View(
        finding=finding,
        title=readable(finding.problem),
        summary=clean(problem.summary()) if problem else "",
        because=clean(problem().because(finding, diagnosis.recording)) if problem else "",
        rows=tuple(_row(entry, problem) for entry in finding.evidence),
        page={title: text for title, text in problem.page().items() if title in SECTIONS} if problem else {},
        explains=explains,
        note=note,
        problem=problem,
        trial=_trial(finding, diagnosis),
    )


def _trial(finding: Finding, diagnosis: Diagnosis) -> str:
    """What a trial showed of a finding, in two sentences, or ""."""
    asked = next((one for one in diagnosis.confirmations if one.problem == finding.problem), None)
    return f"{TOLD[asked.verdict]} {clean(asked.why)}" if asked else ""


def _row(entry: Evidence, problem: type[Problem] | None) -> Row:
    return Row(
        quantity=quantity(entry.signal, problem),
        layer=clean(entry.layer) or "whole run",
        observed=(written if entry.signal == "loss" else number)(entry.observed, entry.unit),
        limit=abnormal_if(entry),
    )


def _beyond(entry: Evidence) -> bool:
    if entry.side == "equal":
        return entry.observed == entry.limit
    return entry.observed > entry.limit if entry.side == "above" else entry.observed < entry.limit


def verdict(diagnosis: Diagnosis) -> str:
    """The diagnosis in one line."""
    before = " before training" if diagnosis.recording and "checkup" in diagnosis.recording.facts else ""
    hurting = diagnosis.problems or tuple(entry for entry in diagnosis.findings if entry.level == "problem")
    if not hurting:
        return f"No problem found{before} in what was examined"
    ids = list(dict.fromkeys(clean(finding.problem) for finding in hurting))
    return f"{count(len(ids), 'problem')}: {', '.join(ids)}"


def ending(recording: Recording) -> str:
    """How the run ended, in words."""
    words = {"completed": "completed", "unknown": "broken off (the file was never closed)"}
    return words.get(recording.ended, clean(recording.ended))


def key_figures(recording: Recording) -> tuple[tuple[str, str], ...]:
    """(what, how much) of run, loss, validation and network; what was not measured is left out."""
    if "checkup" in recording.facts:
        return _checkup_figures(recording)
    found = [("Run", f"{count(recording.steps, 'step')}, {ending(recording)}")]
    loss = recording.series("loss")
    if loss:
        found.append(("Loss", f"{written(loss.values[0])} → {written(loss.values[-1])}"))
    if last_validation(recording):
        found.append(("Validation", last_validation(recording)))
    found += _network(recording)
    distributed = recording.facts.get("distributed")
    if distributed:
        found.append(("Processes", _processes(recording, distributed)))
    return tuple(found)


def _network(recording: Recording) -> list[tuple[str, str]]:
    weights = sum(layer.role == "weight" for layer in recording.layers)
    parameters = sum(layer.parameters for layer in recording.layers)
    return [("Network", f"{count(weights, 'layer')} with weights, {parameters:,} parameters")] if weights else []


def _checkup_figures(recording: Recording) -> tuple[tuple[str, str], ...]:
    """What a checkup looked at, before any training."""
    seen, fit = recording.facts["checkup"], recording.facts["checkup"]["overfit"]
    card = recording.facts.get("data", {})
    rows = {name: card[name]["rows"] for name in ("training", "validation") if name in card}
    found = [("Data", ", ".join(f"{number:,} {name} samples" for name, number in rows.items()))] if rows else []
    passes = recording.facts["modes"]["passes"]
    stopped = f"; {seen['stopped']}" if seen["stopped"] else ""
    found.append(("Loop", f"{count(sum(passes.values()), 'step')} of the training as it will be{stopped}"))
    said = f"{written(fit['first'])} → {written(fit['last'])} in {count(fit['steps'], 'step')}"
    found.append(("Loss", f"{said}, fitting one batch of {count(fit['samples'], 'sample')}"))
    start, rungs = seen["ladder"]["start"], seen["ladder"]["rungs"]
    known = {factor: loss for factor, loss in rungs.items() if math.isfinite(loss)}
    if known:
        best = min(known, key=lambda factor: known[factor])
        now = f"{written(start)} → {written(rungs['1'])} in 25 steps as it is"
        better = "the best of the ladder" if best == "1" else f"{written(known[best])} with {best} times as much"
        found.append(("Learning rate", f"{now}; {better}"))
    rehearsed = seen.get("rehearsal")
    if rehearsed:
        found.append(("Rehearsal", f"{count(rehearsed['steps'], 'step')}, validation loss "
                                   f"{written(rehearsed['validation'][-1])}"))  # fmt: skip
    return tuple(found + _network(recording))


def _processes(recording: Recording, distributed: dict[str, Any]) -> str:
    size, kind = distributed["world_size"], clean(distributed["kind"])
    if not recording.ranks:
        return f"rank {distributed['rank']} of {size}, alone"
    read = "" if len(recording.ranks) == size else f", {len(recording.ranks)} recorded"
    return f"{size} ranks{f' ({kind})' if kind else ''}{read}"


def last_validation(recording: Recording) -> str:
    """The last validation figures, or ""."""
    return ", ".join(_last(recording, signal) for signal in validation_signals(recording))


def _last(recording: Recording, signal: str) -> str:
    name = readable(signal.removeprefix("validation_")).lower()
    series = recording.series(signal)
    return f"{name} {number(float(series.values[-1]), series.unit)}"


def written(value: float, unit: str = "1") -> str:
    """A loss, which is known at every step: NaN there is what was measured."""
    return "NaN" if math.isnan(value) else number(float(value), unit)


def validation_signals(recording: Recording) -> tuple[str, ...]:
    """The validation signals that were recorded, the loss first."""
    found = [signal for signal in recording.signals if signal.startswith("validation_")]
    seen = [signal for signal in found if recording.series(signal)]
    return tuple(sorted(seen, key=lambda signal: (signal != "validation_loss", signal)))


def first_non_finite(series: Series) -> int | None:
    """The first step with NaN or an infinity."""
    bad = series.steps[~np.isfinite(series.values)]
    return int(bad[0]) if len(bad) else None


def not_examined(diagnosis: Diagnosis) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(why, problems) with problems of the same reason together, in order of first mention."""
    grouped: dict[str, list[str]] = {}
    for entry in diagnosis.not_examined:
        grouped.setdefault(clean(entry.why), []).append(clean(entry.problem))
    return tuple((why, tuple(problems)) for why, problems in grouped.items())


def every(found: Iterable[View]) -> Iterator[View]:
    """The views and, after each, those it explains."""
    for view in found:
        yield view
        yield from every(view.explains)
