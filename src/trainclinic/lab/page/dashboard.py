"""The dashboard of one `.clinic` file, one that is being written included."""

from __future__ import annotations

from pathlib import Path

from nicegui import run, ui

from trainclinic.diagnose.diagnose import diagnose
from trainclinic.errors import RecordingError
from trainclinic.lab.clinic_words import SIGNALS
from trainclinic.lab.finding_words import title
from trainclinic.lab.korean import korean
from trainclinic.lab.labels import LABELS
from trainclinic.lab.page import charts
from trainclinic.lab.page.chapter_page import header
from trainclinic.lab.page.chart import Chart
from trainclinic.lab.page.findings import FindingView
from trainclinic.lab.page.kept import Kept
from trainclinic.lab.told import Told, found
from trainclinic.ranks import load
from trainclinic.recording import Recording
from trainclinic.records import Diagnosis

EVERY = 1.0  # seconds between two readings of the file


class Dashboard:
    """Builds the page of a recording and follows it.

    Args:
        path: of the file; it comes from the command line, never from the browser.
        language: "en" or "ko".
    """

    def __init__(self, path: Path, language: str) -> None:
        self._path, self._language = path, language
        self._kept, self._told = Kept(), Told()
        self._signal, self._metric = "", ""
        self._read: tuple[int, str] = (-1, "")
        header(None, language, lambda to: f"/recording?lang={to}")
        with ui.element("main").classes("tc-page"):
            with ui.element("section").classes("tc-text"):
                ui.html(f"<h1>{LABELS['recording'][language]}: {path.name}</h1>", sanitize=False)
                self._status = ui.label().classes("tc-status").props("role=status aria-live=polite")
                self._charts = ui.column().classes("w-full")
            with ui.element("section").classes("tc-text"):
                ui.html(f"<h2>{LABELS['findings'][language]}</h2>", sanitize=False)
                self._findings = ui.column().classes("w-full").mark("findings")
        self._timer = ui.timer(EVERY, self._look, immediate=True)

    def close(self) -> None:
        """Nobody looks any more."""
        self._timer.cancel()

    async def _look(self) -> None:
        try:
            read = await run.io_bound(_read, self._path)
        except RecordingError as error:
            self._status.text = str(error)
            return
        if read is None:  # the server is being shut down
            return
        recording, diagnosis = read
        if (recording.steps, recording.ended) == self._read:
            return
        self._read = (recording.steps, recording.ended)
        self._kept.add(self._told.since(recording))
        writing = recording.ended == "unknown"
        words = LABELS["still written"] if writing else LABELS["complete"].format(ended=recording.ended)
        self._status.text = f"{words[self._language]}  {recording.steps:,} {LABELS['optimizer steps'][self._language]}"
        self._draw(recording)
        self._tell(diagnosis)

    def _draw(self, recording: Recording) -> None:
        signals = [signal for signal in SIGNALS if signal in self._kept.heat]
        metrics = [metric for metric in self._kept.validation if metric != "loss"]
        if self._signal not in signals or (metrics and self._metric != metrics[0]):
            self._build(signals, metrics)
        x, y = charts.curves_data("loss", [self._kept], training=True)
        self._loss.show(x=x, y=y)
        if self._metric:
            x, y = charts.curves_data(self._metric, [self._kept], training=False)
            self._score.show(x=x, y=y)
        if self._signal:
            x, y, text = charts.profile_data(self._signal, [self._kept])
            self._profile.show(x=x, y=y, text=text)
            low, high = charts.span(self._signal, [self._kept])
            steps, layers, rows = charts.heatmap_data(self._signal, self._kept)
            self._heat.show(x=[steps], y=[layers], z=[rows], zmin=[low], zmax=[high])

    def _build(self, signals: list[str], metrics: list[str]) -> None:
        language = self._language
        self._signal = self._signal if self._signal in signals else signals[0] if signals else ""
        self._metric = metrics[0] if metrics else ""
        name = [LABELS["recording"][language]]
        self._charts.clear()
        with self._charts:
            self._loss = Chart(charts.curves("loss", name, language, training=True))
            if self._metric:
                self._score = Chart(charts.curves(self._metric, name, language, training=False))
            if self._signal:
                options = {signal: SIGNALS[signal][language] for signal in signals}
                chosen = ui.select(options, value=self._signal, label=LABELS["signal"][language])
                chosen.on_value_change(lambda e: self._other(str(e.value))).props("dense outlined").classes("w-80")
                self._profile = Chart(charts.profile(self._signal, name, language))
                self._heat = Chart(charts.heatmap(self._signal, LABELS["over time"][language], language))

    def _other(self, signal: str) -> None:
        self._signal = signal
        self._build([one for one in SIGNALS if one in self._kept.heat], [self._metric] if self._metric else [])
        self._read = (-1, "")  # drawn again at the next look

    def _tell(self, diagnosis: Diagnosis) -> None:
        language = self._language
        self._findings.clear()
        with self._findings:
            told = found(diagnosis)
            if not any(one.level == "problem" for one in told):
                ui.label("✓ " + LABELS["no findings"][language]).classes("tc-well")
            for one in told:
                FindingView(one, language)
            if diagnosis.not_examined:
                ui.label(LABELS["not examined"][language]).classes("tc-h3")
                for entry in diagnosis.not_examined:
                    why = entry.why if language == "en" else korean(entry.why)
                    ui.label(f"{title(entry.problem, language)}: {why}").classes("tc-quiet")


def _read(path: Path) -> tuple[Recording, Diagnosis]:
    recording = load(path)
    if not recording.steps:
        return recording, Diagnosis(())
    diagnosis = diagnose(recording)
    return recording, diagnosis
