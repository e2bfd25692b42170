"""What `trainclinic lab` does: the page, a figure, a notebook, or the list of what there is."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

from rich.console import Console
from rich.table import Table

from trainclinic import catalog
from trainclinic.errors import LabError
from trainclinic.lab.chapter import CHAPTERS, Chapter, Drawing, chapters
from trainclinic.lab.words import LANGUAGES

INSTALL = 'pip install "trainclinic[lab]"'


def check(language: str) -> None:
    """Refuse a language that the lab does not speak.

    Raises:
        LabError: it does not.
    """
    if language not in LANGUAGES:
        raise LabError(f"--lang: expected {' or '.join(LANGUAGES)}, got {language!r}")


def show_list(language: str) -> None:
    """Print the chapters with their figures."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("", "chapter", "title", "figures"):
        table.add_column(title, overflow="fold")
    for name, chapter in chapters().items():
        table.add_row(str(chapter.number), name, chapter.title[language], " ".join(chapter.drawings()))
    Console().print(table)


def draw(wanted: str, path: Path, language: str = "en") -> Path:
    """Draw one figure of a chapter, "chapter" or "chapter:figure", into a file, with its words in one language.

    Raises:
        CatalogError: there is no such chapter.
        LabError: there is no such figure, or the file cannot be written.
    """
    _needed("matplotlib", "sklearn")
    drawing = _drawing(wanted)
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise LabError(f"--figure: expected a .png, .svg or .pdf, got {str(path)!r}")
    figure = drawing.draw(language)
    try:
        figure.savefig(path, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise LabError(f"--figure: {path} cannot be written ({error.strerror}); choose another path") from error
    return path


def write_notebook(wanted: str, path: Path, language: str) -> Path:
    """Write a chapter as a Jupyter notebook.

    Raises:
        CatalogError: there is no such chapter.
        LabError: the file cannot be written.
    """
    from trainclinic.lab.notebook import notebook

    text = notebook(_chapter(wanted), language)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LabError(f"--notebook: {path} cannot be written ({error.strerror}); choose another path") from error
    return path


def serve(
    wanted: str, language: str, recording: Path | None, *, workers: int, host: str, port: int, show: bool
) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        CatalogError: there is no such chapter.
        LabError: NiceGUI is not installed, there is no such file, or the port is taken.
    """
    _needed("nicegui", "matplotlib", "sklearn")
    if wanted:
        _chapter(wanted)
    if recording is not None and not recording.is_file():
        raise LabError(f"--open: expected a .clinic file, got {str(recording)!r}, which is not there")
    port = _free(host, port)
    from trainclinic.lab.page import app

    print(f"trainclinic lab: http://{host}:{port}/{wanted}   Ctrl-C ends it.", flush=True)
    app.serve(host=host, port=port, workers=workers, language=language, show=show, begin=wanted, recording=recording)


def _chapter(wanted: str) -> type[Chapter]:
    found: type[Chapter] = catalog.entry(CHAPTERS, wanted or next(iter(chapters())))
    return found


def _drawing(wanted: str) -> Drawing:
    name, _, figure = wanted.partition(":")
    drawings = _chapter(name).drawings()
    figure = figure or next(iter(drawings), "")
    if figure not in drawings:
        there = ", ".join(drawings) or "none"
        raise LabError(f"--figure: expected one of {name}'s figures ({there}), got {figure!r}")
    return drawings[figure]


def _needed(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise LabError(f"lab: expected {', '.join(missing)} to be installed; {INSTALL}")


def _free(host: str, port: int) -> int:
    """The port, where it is free; for 0, one that is."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((host, port))
        except OSError as error:
            raise LabError(f"--port: expected a free port, but {host}:{port} cannot be had ({error.strerror}); "
                           "--port 0 takes a free one") from error  # fmt: skip
        return int(asked.getsockname()[1])
