"""What the clinic found and did, on a page: each finding with its numbers, each treatment with what else was tried."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nicegui import ui

from trainclinic.lab import finding_words
from trainclinic.lab.chapter import Table
from trainclinic.lab.clinic_words import PROBLEMS
from trainclinic.lab.labels import LABELS
from trainclinic.lab.tables import html
from trainclinic.lab.told import Choice, Found, Tried


def mark(found: Found) -> str:
    """The name of a finding behind its sign."""
    return "✗" if found.level == "problem" else "·"


def verdict(found: Sequence[Found] | None, over: bool, lost: bool, language: str) -> str:
    """What was found, in a line; "" where nothing is known yet."""
    if found is None:
        return ""
    problems = [one for one in found if one.level == "problem"]
    if not problems:
        return "" if lost else "✓ " + LABELS["no problem" if over else "no findings"][language]
    first, more = problems[0], len(problems) - 1
    name = finding_words.title(first.problem, language)
    others = LABELS["more found"].format(count=more)[language] if more else ""
    return f"✗ {name}{others}: {finding_words.because(first, language)}"


class FindingView:
    """A finding with its reason and its numbers, which change while the training runs.

    Args:
        found: what is shown.
        language: "en" or "ko".
    """

    def __init__(self, found: Found, language: str) -> None:
        self._language = language
        ill = found.level == "problem"
        name = finding_words.title(found.problem, language)
        ui.label(f"{mark(found)} {name}").classes("tc-ill" if ill else "tc-open")
        if found.problem in PROBLEMS:
            ui.label(PROBLEMS[found.problem][1][language]).classes("text-sm")
        self._because = ui.label().classes("text-sm")
        self._evidence = ui.html("", sanitize=False)
        self._explains = ui.label().classes("tc-quiet")
        self.show(found)

    def show(self, found: Found) -> None:
        """The same finding as it is now."""
        meaning = PROBLEMS[found.problem][1][self._language] if found.problem in PROBLEMS else ""
        because = finding_words.because(found, self._language)
        self._because.text = "" if because == meaning else because
        self._evidence.set_content(html(evidence(found, self._language), self._language))
        names = ", ".join(finding_words.title(one, self._language) for one in found.explains)
        self._explains.text = LABELS["explains"].format(names=names)[self._language] if names else ""
        self._explains.set_visibility(bool(names))


def evidence(found: Found, language: str) -> Table:
    """Every measured number beside its limit."""
    rows = []
    for entry in found.evidence:
        what = finding_words.quantity(found.problem, entry.signal, language)
        place = f" ({entry.layer})" if entry.layer else ""
        observed = finding_words.amount(entry.observed, entry.unit, language)
        rows.append((what + place, observed, finding_words.limit(entry, language)))
    return Table((LABELS["measured"], LABELS["observed"], LABELS["limit"]), tuple(rows))


def show_treatment(choice: Choice, language: str) -> None:
    """What was changed, why this and what else was tried, and the code."""
    treatment = choice.treatment
    changes = treatment.changes if language == "en" else [finding_words.remedy(one, "ko") for one in treatment.remedies]
    ui.label(f"{LABELS['changed'][language]}: {'; '.join(changes)}").classes("text-sm").mark("changed")
    ui.label(LABELS[choice.why][language]).classes("text-sm").mark("why")
    if choice.tried:
        ui.html(html(tries(choice, language), language), sanitize=False).mark("tried")
    with ui.expansion(LABELS["code"][language]).classes("w-full").props("dense"):
        ui.code(treatment.code, language="python").classes("w-full")


def tries(choice: Choice, language: str) -> Table:
    """What was tried, what it reached, and what came of it."""
    measure = LABELS[choice.measure] if choice.measure in LABELS else LABELS["observed"]
    reached = LABELS["reached"].format(measure=measure[language], steps=choice.steps)
    rows = tuple(_tried(one, _is_kept(one, choice), language) for one in choice.tried)
    return Table((LABELS["tried"], reached, LABELS["outcome"]), rows)


def _tried(one: Tried, kept: bool, language: str) -> tuple[str, ...]:
    what = " + ".join(finding_words.remedy(dose, language) for dose in one.remedies) or LABELS["untreated"][language]
    outcome = {"untreated": "", "cleared": LABELS["gone"][language]}.get(one.outcome)
    outcome = LABELS[one.outcome][language] if outcome is None else outcome
    if one.why:
        outcome = f"{outcome}: {finding_words.refusal(one.why, language)}"
    if kept:
        outcome = LABELS["kept"].format(outcome=outcome)[language]
    return what, "–" if math.isnan(one.reached) else f"{one.reached:.3g}", outcome


def _is_kept(one: Tried, choice: Choice) -> bool:
    """A plan may be applied in another order than it was found in."""
    return bool(one.remedies) and sorted(map(str, one.remedies)) == sorted(map(str, choice.treatment.remedies))
