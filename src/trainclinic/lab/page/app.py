"""The server of the page: routes, figures, and who is let in."""

from __future__ import annotations

import asyncio
import copy
import importlib
import io
import multiprocessing
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from nicegui import app, ui

from trainclinic.lab.chapter import chapters
from trainclinic.lab.desk import Desk
from trainclinic.lab.labels import LABELS
from trainclinic.lab.page.address import language_of
from trainclinic.lab.page.chapter_page import ChapterPage, header
from trainclinic.lab.page.dashboard import Dashboard
from trainclinic.lab.page.security import LOCAL, OwnPageOnly
from trainclinic.lab.words import LANGUAGES, Words

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
LOCALES: dict[str, Any] = {"en": "en-US", "ko": "ko-KR"}  # of the widgets' own words
GONE = 45.0  # seconds without a connection after which a page counts as left: a hidden tab may be away that long


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8317,
    workers: int = 2,
    language: str = "en",
    show: bool = True,
    begin: str = "",
    recording: Path | None = None,
) -> None:
    """Serve the lab until it is interrupted.

    Args:
        host: address that is listened on; other machines reach it only under another one than the default.
        port: of the server; 0 takes a free one.
        workers: trainings at a time.
        language: of a page whose address does not say.
        show: open the browser.
        begin: id of the chapter to open; "" for the first.
        recording: a `.clinic` file whose dashboard is opened instead.
    """
    desk = Desk(workers)
    figures = Figures()
    _pages(desk, figures, language, recording)
    app.on_startup(lambda: asyncio.get_running_loop().run_in_executor(None, _warm_up, desk))
    app.on_shutdown(desk.close)
    app.on_shutdown(figures.close)
    hosts = LOCAL | ({host} if host not in ("0.0.0.0", "::") else set())
    app.add_middleware(OwnPageOnly, hosts=frozenset(hosts))
    first = "recording" if recording is not None else begin
    opened = f"/{first}?lang={language}" if show else False
    ui.run(host=host, port=port, title="trainclinic lab", reload=False, show=opened, show_welcome_message=False,
           reconnect_timeout=GONE, message_history_length=3000, favicon="🩺", language="en-US",
           timeout_graceful_shutdown=1)  # fmt: skip


def _warm_up(desk: Desk) -> None:
    """What the first page would wait for otherwise: PyTorch for the trainings, scikit-learn for the plays."""
    desk.warm_up()
    importlib.import_module("sklearn.datasets")


def _pages(desk: Desk, figures: Figures, otherwise: str, recording: Path | None) -> None:
    @ui.page("/")
    def first(request: Request) -> Any:
        begin = "recording" if recording is not None else next(iter(chapters()))
        query = f"?{request.url.query}" if request.url.query else ""
        ui.navigate.to(f"/{begin}{query}")

    @ui.page("/recording")
    def dashboard(request: Request) -> None:
        language = _dressed(request, otherwise, LABELS["recording"])
        if recording is None:
            header(None, language, None)
            ui.label(LABELS["not found"][language]).classes("tc-page")
            return
        page = Dashboard(recording, language)
        ui.context.client.on_delete(page.close)

    @ui.page("/{name}")
    def chapter(name: str, request: Request) -> None:
        found = chapters().get(name)
        language = _dressed(request, otherwise, found.title if found else LABELS["not found"])
        if found is None:
            header(None, language, None)
            ui.label(LABELS["not found"][language]).classes("tc-page")
            return
        page = ChapterPage(found, language, request.query_params, desk)
        ui.context.client.on_delete(page.close)

    @app.get("/figures/{language}/{name}/{figure}.svg")
    async def drawing(language: str, name: str, figure: str) -> Response:
        found = chapters().get(name)
        if found is None or figure not in found.drawings() or language not in LANGUAGES:
            return Response("no such figure", 404)
        return Response(await figures.svg(name, figure, language), media_type="image/svg+xml")


def _dressed(request: Request, otherwise: str, title: Words) -> str:
    """The language of the page, with its look."""
    language = language_of(request.query_params, otherwise)
    ui.add_css(STYLE)
    ui.page_title(f"{title[language]} – {LABELS['lab'][language]}")
    client = ui.context.client
    client.page = copy.copy(client.page)  # the route's is shared by both languages
    client.page.language = LOCALES[language]
    return language


class Figures:
    """The chapters' figures, each drawn once, in a process of their own.

    Some train a network first, and random numbers and the like are the whole process's.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._drawn: dict[tuple[str, str, str], asyncio.Future[bytes]] = {}

    async def svg(self, chapter: str, name: str, language: str) -> bytes:
        """One figure as SVG; one that failed is drawn anew when it is asked for again."""
        key = chapter, name, language
        if key not in self._drawn:
            self._drawn[key] = asyncio.ensure_future(self._draw(*key))
        drawing = self._drawn[key]
        try:
            return await asyncio.shield(drawing)  # who goes away takes it from nobody who still waits
        except Exception:
            if self._drawn.get(key) is drawing:
                del self._drawn[key]
            raise

    async def _draw(self, chapter: str, name: str, language: str) -> bytes:
        pool = self._pool = self._pool or ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, draw, chapter, name, language)
        except BrokenExecutor:  # its process went away: the next figure gets a new one
            if self._pool is pool:
                self._pool = None
            raise

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            processes = list((getattr(self._pool, "_processes", None) or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:  # also in the middle of a figure: nobody waits for it any more
                process.terminate()


def draw(chapter: str, name: str, language: str) -> bytes:
    """One figure of a chapter as SVG, with its words in one language."""
    figure = chapters()[chapter].drawings()[name].draw(language)
    file = io.BytesIO()
    figure.savefig(file, format="svg", bbox_inches="tight")
    return file.getvalue()
