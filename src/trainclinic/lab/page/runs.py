"""The running part of a page: one training, or two side by side, their charts, their findings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.awaitable_response import AwaitableResponse

from trainclinic.lab.clinic_words import SIGNALS
from trainclinic.lab.controls import Values
from trainclinic.lab.desk import Desk
from trainclinic.lab.labels import LABELS
from trainclinic.lab.page import charts
from trainclinic.lab.page.chart import Chart
from trainclinic.lab.page.run import Run
from trainclinic.lab.page.said import Said
from trainclinic.lab.training import Order

TICK = 0.07  # seconds between two looks at what has come


class RunsView:
    """Charts, buttons and findings of the runs of one page.

    Args:
        desk: where trainings wait.
        language: of the labels.
        signals: of the layers that can be looked at.
        values: settings of the experiment, as the controls have them.
        shared: called when what the page's address holds has changed.
    """

    def __init__(
        self, desk: Desk, language: str, signals: tuple[str, ...], values: Values, shared: Callable[[], None]
    ) -> None:
        self._desk, self._language, self._values, self._shared = desk, language, values, shared
        self.signals = signals
        self.signal = signals[0]
        self.pace = "normal"
        self.runs: list[Run] = [self._fresh()]
        self._said = Said(language, self.treat)
        self._owing = False
        self._built: tuple[Any, ...] = ()
        self._build()
        self._timer = ui.timer(TICK, self._tick)

    @property
    def main(self) -> Run:
        """The run that the controls set."""
        return self.runs[0]

    def close(self) -> None:
        """End every training of the page: nobody looks any more."""
        self._timer.cancel()
        for run in self.runs:
            run.close()

    # -- what a person does

    def changed(self) -> None:
        """A setting was moved: what was started begins anew with it, what was treated goes."""
        self._put_away(lambda run: run.name == "treated")
        self._anew(start=self.main.state != "idle")
        self._shared()

    def start(self, paused: bool = False) -> None:
        """Start the run, or let it go on."""
        run = self.main
        if run.state == "paused" and run.training:
            run.training.tell("go")
        elif run.state == "idle" or (run.training and run.training.over):
            self._anew(start=True, paused=paused)

    def toggle(self) -> None:
        """Start, pause or go on, whichever comes next; all that run do it together."""
        if self.main.state == "running":
            self._tell_all("pause")
        else:
            self._tell_all("go", but=self.main)
            self.start()

    def step(self) -> None:
        """One optimizer step."""
        if self.main.state in ("idle", "ended", "failed", "died", "closed"):
            self.start(paused=True)
        if self.main.state == "running":
            self._tell_all("pause")
        self._tell_all("step")

    def reset(self) -> None:
        """Away with what was drawn."""
        for run in self.runs:
            run.close()
        self.runs = [self._fresh()]
        self._rebuild()
        self._shared()

    def keep(self) -> None:
        """The present run stays beside, whatever the controls do next."""
        self._put_away(lambda run: run is not self.main)
        self.main.name = "beside"
        self.runs = [self._fresh(), self.main]
        self._rebuild()
        self._shared()

    def drop(self) -> None:
        """Put away what is beside."""
        self._put_away(lambda run: run is not self.main)
        self._rebuild()
        self._shared()

    def treat(self, problem: str, remedy: str = "") -> None:
        """A twin of the run, treated against a problem, beside it."""
        self._put_away(lambda run: run is not self.main)
        twin = Run(Order(dict(self.main.order.settings), problem, remedy, pace=self.pace), "treated")
        self.runs.append(twin)
        twin.start(self._desk)
        self._rebuild()

    def set_pace(self, pace: str) -> None:
        """How fast the trainings may go."""
        self.pace = pace
        self._tell_all(("pace", pace))

    def look_at(self, signal: str) -> None:
        """Another signal in the layers."""
        self.signal = signal
        self._rebuild()

    def _anew(self, start: bool, paused: bool = False) -> None:
        """The run that the controls set, from its beginning."""
        self.main.close()
        self.runs[0] = self._fresh(paused)
        if start:
            self.main.start(self._desk)
        self._rebuild()

    def _fresh(self, paused: bool = False) -> Run:
        return Run(Order(dict(self._values), paused=paused, pace=self.pace), "this run")

    def _tell_all(self, command: Any, but: Run | None = None) -> None:
        for run in self.runs:
            if run.training and run is not but:
                run.training.tell(command)

    def _put_away(self, which: Callable[[Run], bool]) -> None:
        for run in [run for run in self.runs if which(run)]:
            run.close()
            self.runs.remove(run)

    # -- what is seen

    def _build(self) -> None:
        with ui.row().classes("items-center gap-2"):
            self._start = ui.button(on_click=self.toggle).props(
                "unelevated dense no-caps color=primary icon=play_arrow"
            )
            self._start.mark("start")
            ui.button(self._say("step"), on_click=self.step).props("outline dense no-caps icon=skip_next").mark("step")
            ui.button(self._say("reset"), on_click=self.reset).props("outline dense no-caps icon=replay").mark("reset")
            self._beside = ui.button(on_click=lambda: self.drop() if len(self.runs) > 1 else self.keep())
            self._beside.props("outline dense no-caps icon=vertical_split").mark("beside")
            paces = {name: self._say(name) for name in ("slow", "normal", "full")}
            pace = ui.select(
                paces, value=self.pace, label=self._say("pace"), on_change=lambda e: self.set_pace(e.value)
            )
            pace.props("dense outlined options-dense").classes("w-28 tc-pace")
        self._said.place_states()
        names = {signal: SIGNALS[signal][self._language] for signal in self.signals}
        self._nothing = ui.label(self._say("no curves")).classes("tc-quiet")
        self._charts = ui.column().classes("w-full gap-1")
        look = ui.select(names, value=self.signal, label=self._say("signal"), on_change=lambda e: self.look_at(e.value))
        self._look = look.props("dense outlined options-dense").classes("w-80 max-w-full").mark("signal")
        self._layers = ui.column().classes("w-full gap-1")
        ui.label(self._say("findings")).classes("tc-h3")
        self._said.place_findings()
        self._rebuild()

    def _rebuild(self) -> None:
        """The charts anew where other runs, another metric or another signal are to be seen; else their numbers."""
        names = [self._say(run.name) for run in self.runs]
        metric = self._metric
        self._retell()
        if not self._anything:
            return
        if self._built == (names, metric, self.signal):
            self._redraw()
            return
        self._built = (names, metric, self.signal)
        self._charts.clear()
        with self._charts, ui.element("div").classes("tc-two"):
            self._loss = Chart(charts.curves("loss", names, self._language, training=True))
            self._score = Chart(charts.curves(metric, names, self._language, training=False))
        self._layers.clear()
        with self._layers, ui.element("div").classes("tc-two"):
            self._profile = Chart(charts.profile(self.signal, names, self._language))
            self._heatmaps = [
                Chart(charts.heatmap(self.signal, f"{self._say('over time')}: {name}", self._language))
                for name in names
            ]
        if len(self.runs) > 1:
            self._profile.classes("tc-wide")
        if any(run.kept.count for run in self.runs):
            self._redraw()

    @property
    def _anything(self) -> bool:
        """Whether there is something to draw, or there will be in a moment."""
        return any(run.kept.loss.steps or (run.training and not run.over) for run in self.runs)

    @property
    def _metric(self) -> str:
        return "r2" if self._values["data"] == "diabetes" else "accuracy"

    async def _tick(self) -> None:
        """Take what has come and draw it; the next look waits until the browser has drawn the last."""
        came = [run.take() for run in self.runs]
        self._retell()
        if not any(came) and not self._owing:
            return
        self._owing = any(came) and not self._owing  # heatmaps are dear: they follow at every other look
        drawn = self._redraw(heatmaps=not self._owing)
        with contextlib.suppress(TimeoutError):  # a browser that is busy, or gone: the next look shows all the same
            if drawn is not None:
                await drawn

    def _redraw(self, heatmaps: bool = True) -> AwaitableResponse | None:
        """Only the numbers go to the browser; what comes back is when the last of them is drawn."""
        kept = [run.kept for run in self.runs]
        x, y = charts.curves_data("loss", kept, training=True)
        drawn = [self._loss.show(x=x, y=y)]
        x, y = charts.curves_data(self._metric, kept, training=False)
        drawn.append(self._score.show(x=x, y=y))
        x, y, text = charts.profile_data(self.signal, kept)
        drawn.append(self._profile.show(x=x, y=y, text=text))
        low, high = charts.span(self.signal, kept) if heatmaps else (0.0, 0.0)
        for chart, one in zip(self._heatmaps, kept, strict=True) if heatmaps else ():
            steps, layers, rows = charts.heatmap_data(self.signal, one)
            drawn.append(chart.show(x=[steps], y=[layers], z=[rows], zmin=[low], zmax=[high]))
        return next((one for one in reversed(drawn) if one is not None), None)

    def _retell(self) -> None:
        """What is said of the runs and on the buttons, where it is not what is on the page."""
        if not self._said.show(self.runs, self._values):
            return
        self._nothing.set_visibility(not self._anything)
        for place in (self._charts, self._look, self._layers):
            place.set_visibility(self._anything)
        going = self.main.state in ("running", "waiting")
        word = "pause" if going else "go on" if self.main.state == "paused" else "start"
        self._start.text = self._say(word)
        self._start.props(f"icon={'pause' if going else 'play_arrow'}")
        self._beside.text = self._say("drop" if len(self.runs) > 1 else "keep")

    def _say(self, key: str) -> str:
        return LABELS[key][self._language]
