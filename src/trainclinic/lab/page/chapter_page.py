"""One chapter on its page: the text with its figures and plays on one side, the experiment on the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from nicegui import ui

from trainclinic.errors import LabError
from trainclinic.lab.chapter import Chapter, Play, Section, Table, Try, chapters
from trainclinic.lab.controls import Value, Values, defaults
from trainclinic.lab.desk import Desk
from trainclinic.lab.experiment import values
from trainclinic.lab.labels import LABELS
from trainclinic.lab.page import address
from trainclinic.lab.page.chart import plotted
from trainclinic.lab.page.charts import CONFIG, FONT
from trainclinic.lab.page.fields import fields, refusal
from trainclinic.lab.page.runs import RunsView
from trainclinic.lab.settings import SETTINGS
from trainclinic.lab.tables import html
from trainclinic.lab.words import LANGUAGES, Words

SOON = 0.05  # seconds
EXTRAS = ["latex", "fenced-code-blocks", "tables"]


class ChapterPage:
    """Builds the page of a chapter.

    Args:
        chapter: what it is about.
        language: "en" or "ko".
        query: of the address.
        desk: where its trainings wait.
    """

    def __init__(self, chapter: type[Chapter], language: str, query: Mapping[str, str], desk: Desk) -> None:
        self._chapter, self._language = chapter, language
        refused: Words | None = None
        try:
            self._values = address.settings_of(chapter, query)
        except LabError as error:  # an address is typed by hand too: the chapter is shown as it begins
            self._values, refused = address.beginning(chapter), refusal(error)
        self._desk = desk
        self._build()
        if refused is not None:
            ui.notify(refused[language], type="warning")

    def close(self) -> None:
        """End its trainings."""
        self._runs.close()

    def _say(self, words: Words | str) -> str:
        return (LABELS[words] if isinstance(words, str) else words)[self._language]

    def _build(self) -> None:
        header(self._chapter, self._language, lambda to: address.address(self._chapter, to, self._values))
        with ui.element("main").classes("tc-page"):
            with ui.element("article").classes("tc-text"):
                self._text()
            with ui.element("section").classes("tc-lab").props("id=experiment tabindex=-1"):
                self._experiment()

    # -- the text

    def _text(self) -> None:
        chapter = self._chapter
        ui.html(f"<h1>{chapter.number}. {self._say(chapter.title)}</h1>", sanitize=False)
        ui.markdown(self._say(chapter.lead), extras=EXTRAS).classes("tc-lead")
        for section in chapter.text:
            self._section(section)
        with ui.row().classes("w-full justify-between"):
            self._neighbour(-1, "previous")
            self._neighbour(+1, "next")

    def _section(self, section: Section) -> None:
        ui.html(f"<h2>{self._say(section.title)}</h2>", sanitize=False)
        ui.markdown(self._say(section.text), extras=EXTRAS)
        if section.drawing is not None:
            caption = self._say(section.drawing.caption)
            with ui.element("figure"):
                source = f"/figures/{self._language}/{self._chapter.id()}/{section.drawing.name}.svg"
                ui.html(f'<img src="{source}" alt="{escape(caption)}" loading="lazy">', sanitize=False)
                ui.html(f"<figcaption>{escape(caption)}</figcaption>", sanitize=False)
        if section.play is not None:
            self._play(section.play)
        if section.code:
            with ui.expansion(self._say("run code")).classes("w-full").props("dense"):
                ui.code(section.code, language="python").classes("w-full")

    def _play(self, play: Play) -> None:
        chosen = defaults(play.controls)
        with ui.element("div").classes("tc-play").mark(f"play-{play.name}"):
            ui.label(self._say(play.title)).classes("tc-h3")
            fields(play.controls, chosen, self._language, lambda name, value: answer.show(chosen))
            answer = _Answer(play, self._language)
            ui.timer(SOON, lambda: answer.show(chosen), once=True)  # the page is seen first: some of them count long

    def _neighbour(self, step: int, word: str) -> None:
        order = list(chapters())
        at = order.index(self._chapter.id()) + step
        if 0 <= at < len(order):
            other = chapters()[order[at]]
            ui.link(
                f"{self._say(word)}: {other.number}. {self._say(other.title)}", f"/{order[at]}?lang={self._language}"
            )
        else:
            ui.label("")

    # -- the experiment

    def _experiment(self) -> None:
        experiment = self._chapter.experiment
        ui.html(f"<h2>{self._say('experiment')}</h2>", sanitize=False)
        ui.label(self._say("experiment lead")).classes("tc-quiet")
        self._controls = ui.column().classes("w-full gap-1")
        self._runs = RunsView(self._desk, self._language, experiment.signals, self._values, self._share)
        self._show_controls()
        with ui.row().classes("items-center"):
            ui.button(self._say("share"), on_click=self._copy).props("flat dense icon=link no-caps")
        if self._chapter.tries:
            ui.label(self._say("tries")).classes("tc-h3")
            for number, one in enumerate(self._chapter.tries, 1):
                self._try(number, one)

    def _show_controls(self) -> None:
        shown = self._chapter.experiment.shown
        self._controls.clear()
        with self._controls:
            fields([SETTINGS[name] for name in shown], self._values, self._language, self._moved)
            with ui.expansion(self._say("more")).classes("w-full").props("dense"):
                rest = [control for name, control in SETTINGS.items() if name not in shown]
                fields(rest, self._values, self._language, self._moved)

    def _moved(self, name: str, value: Value) -> None:
        if self._fits(name):
            self._runs.changed()

    def _fits(self, name: str) -> bool:
        """What makes too large a training is taken back, and that is said."""
        try:
            values(self._values)
        except LabError as error:
            ui.notify(self._say(refusal(error)), type="warning")
            self._values[name] = self._runs.main.order.settings[name]
            self._show_controls()
            return False
        return True

    def _try(self, number: int, one: Try) -> None:
        with ui.element("div").classes("tc-try"):
            ui.markdown(f"**{number}.** {self._say(one.question)}", extras=EXTRAS)
            word = "set both" if one.then else "set"
            ui.button(self._say(word), on_click=lambda: self._set(one)).props("outline dense no-caps").mark(
                f"try-{number}"
            )
            with ui.expansion(self._say("answer")).classes("w-full").props("dense"):
                ui.markdown(self._say(one.answer), extras=EXTRAS)

    def _set(self, one: Try) -> None:
        self._begin(one.settings)
        if one.then:
            self._runs.keep()
            self._begin({**one.settings, **one.then})
        self._show_controls()

    def _begin(self, settings: Mapping[str, Value]) -> None:
        self._values.update({**address.beginning(self._chapter), **settings})
        self._runs.changed()
        self._runs.start()

    def _share(self) -> None:
        ui.run_javascript(f"history.replaceState(null, '', {json.dumps(self._address())})")

    def _address(self) -> str:
        return address.address(self._chapter, self._language, self._values)

    def _copy(self) -> None:
        ui.run_javascript(f"navigator.clipboard.writeText(location.origin + {json.dumps(self._address())})")
        ui.notify(self._say("copied"))


def header(chapter: type[Chapter] | None, language: str, other: object) -> None:
    """The bar at the top: the chapters, and the other languages, at the same place."""
    ui.html(f'<a class="tc-skip" href="#experiment">{LABELS["skip"][language]}</a>', sanitize=False)
    with ui.element("header").classes("tc-bar"):
        ui.link(LABELS["lab"][language], f"/?lang={language}").classes("tc-name")
        with ui.element("nav").classes("tc-nav").props(f'aria-label="{LABELS["chapters"][language]}"'):
            for name, one in chapters().items():
                here = ' aria-current="page"' if one is chapter else ""
                text = f"{one.number}. {one.title[language]}"
                ui.html(f'<a href="/{name}?lang={language}"{here}>{escape(text)}</a>', sanitize=False)
        for name, said in LANGUAGES.items():
            if name != language:
                ui.link(said, other(name) if callable(other) else f"/?lang={name}").classes("tc-language").mark(name)


class _Answer:
    """What a play answers: what stays of its kind is changed, not made anew."""

    def __init__(self, play: Play, language: str) -> None:
        self._play, self._language = play, language
        self._place = ui.column().classes("w-full gap-1 tc-answer")
        self._kinds: list[type] = []
        self._seen: list[Any] = []

    def show(self, chosen: Values) -> None:
        """Answer to the values that the controls stand at."""
        shown = self._play.show(chosen, self._language)
        kinds = [type(one) for one in shown]
        if kinds != self._kinds:
            self._place.clear()
            with self._place:
                self._seen = [self._made(one) for one in shown]
            self._kinds = kinds
            return
        for one, seen in zip(shown, self._seen, strict=True):
            if isinstance(one, Table):
                seen.set_content(html(one, self._language))
            else:
                seen.update_figure(_dressed(one))

    def _made(self, one: Table | dict[str, Any]) -> Any:
        if isinstance(one, Table):
            return ui.html(html(one, self._language), sanitize=False)
        return plotted(_dressed(one))


def _dressed(figure: dict[str, object]) -> dict[str, object]:
    """A play's figure in the page's look."""
    look = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": FONT}
    layout = figure.get("layout", {})
    return {**figure, "layout": {**look, **(layout if isinstance(layout, dict) else {})}, "config": CONFIG}
