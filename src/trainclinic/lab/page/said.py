"""What is said of the runs of a page: where each stands, the verdict in a line, and the findings whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from trainclinic.lab.clinic_words import REMEDIES
from trainclinic.lab.controls import Values
from trainclinic.lab.labels import LABELS
from trainclinic.lab.page import charts
from trainclinic.lab.page.findings import FindingView, show_treatment, verdict
from trainclinic.lab.page.run import Run
from trainclinic.lab.told import Found
from trainclinic.treat.operation import remedies_for


class Said:
    """States and findings, in two places of the page.

    Args:
        language: "en" or "ko".
        treat: called with a problem and the remedy that was chosen against it, or "".
    """

    def __init__(self, language: str, treat: Callable[[str, str], None]) -> None:
        self._language, self._treat = language, treat
        self._shown: tuple[Any, ...] = ()
        self._states: list[tuple[ui.label, ui.link]] = []
        self._views: list[tuple[Run, int, FindingView]] = []

    def place_states(self) -> None:
        """Where the states stand."""
        self._status = ui.column().classes("gap-1 w-full")

    def place_findings(self) -> None:
        """Where the findings stand."""
        self._findings = ui.column().classes("w-full gap-2").mark("findings")

    def show(self, runs: Sequence[Run], beside: Values) -> bool:
        """What is to be said now; whether that is anything new.

        Args:
            runs: the first is the one that the controls set.
            beside: the settings of the controls.
        """
        said = tuple((run.title(beside, self._language), run.status(self._language)) for run in runs)
        found = tuple((id(run), run.over, _outline(run), run.kept.choice) for run in runs)
        numbers = tuple(run.kept.findings for run in runs)
        if (said, found, numbers) == self._shown:
            return False
        before, self._shown = self._shown, (said, found, numbers)
        self._show_states(runs, said)
        if not before or before[1] != found:
            self._show_findings(runs)
        elif before[2] != numbers:  # a menu that is open stays open
            for run, place, view in self._views:
                view.show((run.kept.findings or ())[place])
        return True

    # -- where each run stands

    def _show_states(self, runs: Sequence[Run], said: tuple[tuple[str, str], ...]) -> None:
        if len(self._states) != len(said):
            self._status.clear()
            with self._status:
                self._states = [self._state(place) for place in range(len(said))]
        for run, (name, status), (label, link) in zip(runs, said, self._states, strict=True):
            label.text = f"{name}: {status}" if len(said) > 1 else status
            link.text = words = self._verdict(run)
            link.classes(replace="tc-verdict " + ("tc-ill" if words.startswith("✗") else "tc-well"))
            link.set_visibility(bool(words))

    def _state(self, place: int) -> tuple[ui.label, ui.link]:
        with ui.element("div").classes("tc-status").style(f"border-color:{charts.COLOURS[place]}"):
            label = ui.label()
            with ui.element("div").props("role=status aria-live=polite"):  # the verdict is told, not every step
                return label, ui.link("", f"#found-{place}")

    def _verdict(self, run: Run) -> str:
        return verdict(run.kept.findings, run.over, run.kept.lost is not None, self._language)

    # -- the findings

    def _show_findings(self, runs: Sequence[Run]) -> None:
        self._findings.clear()
        self._views = []
        with self._findings:
            for place, (run, colour) in enumerate(zip(runs, charts.COLOURS, strict=False)):
                with ui.element("div").classes("tc-found").style(f"border-color:{colour}").props(f"id=found-{place}"):
                    if len(runs) > 1:
                        ui.label(LABELS[run.name][self._language]).classes("tc-label")
                    if run.kept.choice is not None:
                        show_treatment(run.kept.choice, self._language)
                    self._show_found(run, treatable=run is runs[0])

    def _show_found(self, run: Run, treatable: bool) -> None:
        found = run.kept.findings
        if found is None:
            if not run.over:
                ui.label(LABELS["not yet"][self._language]).classes("tc-quiet")
            return
        words = self._verdict(run)
        if words.startswith("✓"):
            ui.label(words).classes("tc-well")
        for place, one in enumerate(found):
            self._views.append((run, place, FindingView(one, self._language)))
            if treatable and one.level == "problem":
                self._offer(one)

    def _offer(self, one: Found) -> None:
        """The remedies against a finding."""
        remedies = {"": LABELS["by search"][self._language]} | {
            kind.id(): REMEDIES[kind.id()][self._language] for kind in remedies_for(one.problem)
        }
        with ui.row().classes("items-center gap-2 no-wrap"):
            chosen = ui.select(remedies, value="", label=LABELS["choose"][self._language])
            chosen.props("dense outlined options-dense").classes("w-64 max-w-full")
            treat = ui.button(LABELS["treat"][self._language])
            treat.on_click(lambda: self._treat(one.problem, str(chosen.value)))
            treat.props("unelevated color=positive icon=healing").mark("treat")


def _outline(run: Run) -> tuple[tuple[str, str], ...] | None:
    """The findings without the numbers in them."""
    return None if run.kept.findings is None else tuple((one.problem, one.level) for one in run.kept.findings)
