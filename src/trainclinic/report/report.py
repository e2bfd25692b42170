"""report: one diagnosis or one cure, to the terminal or into a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from trainclinic.errors import ReportError
from trainclinic.records import Cure, Diagnosis
from trainclinic.report import json
from trainclinic.report.cure_text import render_cure
from trainclinic.report.text import render

TEXT_WIDTH = 80


def report(subject: Diagnosis | Cure, path: str | Path | None = None, *, console: Console | None = None) -> Path | None:
    """Print a diagnosis or a cure, or write it into a file.

    Args:
        subject: what `diagnose` or `cure` returned.
        path: where to write; the suffix says what: `.html` (one file that opens offline), `.json` or `.txt`.
            Without it the report is printed.
        console: the rich console to print on; a new one on standard output by default.

    Returns:
        The path that was written, or None after printing.

    Raises:
        ReportError: the suffix is none of these, or the file cannot be written.
    """
    if path is None:
        console = console or Console()
        if isinstance(subject, Cure):
            show(render_cure(subject), console)
            if subject.treatment.code:
                show(Text(subject.treatment.code.rstrip("\n")), console, wrapped=False)
        else:
            show(render(subject), console)
        return None
    path = writable(path)
    document = _FORMATS[path.suffix.lower()](subject)
    try:
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        said = f"report: expected a path that can be written, but {path} cannot ({error.strerror})"
        raise ReportError(f"{said}; choose a folder that exists and is yours") from error
    return path


def writable(path: str | Path) -> Path:
    """The path, if a report may be written there: so that long work is not done in vain.

    Raises:
        ReportError: its suffix is none of ours, or there is no such folder.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise ReportError(f"report: expected a path that ends in {', '.join(_FORMATS)}, got {str(path)!r}; "
                          "choose one of these suffixes, or leave the path out to print")  # fmt: skip
    if not path.absolute().parent.is_dir():
        said = f"report: expected a path that can be written, but {path} cannot (No such file or directory)"
        raise ReportError(f"{said}; choose a folder that exists and is yours")
    return path


def show(part: RenderableType, console: Console, wrapped: bool = True) -> None:
    """Print, also on a terminal whose encoding lacks some of the characters; code keeps its lines unwrapped."""
    if console.encoding.lower().startswith("utf"):
        console.print(part, soft_wrap=not wrapped)
        return
    with console.capture() as captured:
        console.print(part, soft_wrap=not wrapped)
    console.file.write(captured.get().encode(console.encoding, "replace").decode(console.encoding))


def plain(part: RenderableType, width: int = TEXT_WIDTH) -> str:
    """What `part` says, as text without colour."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as captured:
        console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _text(subject: Diagnosis | Cure) -> str:
    if isinstance(subject, Cure):
        return plain(render_cure(subject)) + subject.treatment.code
    return plain(render(subject))


def _json(subject: Diagnosis | Cure) -> str:
    return json.cure_dumps(subject) if isinstance(subject, Cure) else json.dumps(subject)


def _html(subject: Diagnosis | Cure) -> str:
    from trainclinic.report import cure_html, html  # bring jinja2 and plotly.js; a terminal report needs neither

    return cure_html.page(subject) if isinstance(subject, Cure) else html.page(subject)


_FORMATS: dict[str, Callable[[Diagnosis | Cure], str]] = {".html": _html, ".json": _json, ".txt": _text}
