"""What a page shows, in its address: the language and every setting that is not at its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from trainclinic.lab.chapter import Chapter
from trainclinic.lab.controls import Values, read_all
from trainclinic.lab.experiment import values
from trainclinic.lab.settings import SETTINGS
from trainclinic.lab.words import LANGUAGES


def language_of(query: Mapping[str, str], otherwise: str) -> str:
    """The language that an address asks for."""
    asked = query.get("lang", otherwise)
    return asked if asked in LANGUAGES else otherwise


def beginning(chapter: type[Chapter]) -> Values:
    """The settings with which a chapter's experiment begins."""
    return read_all(SETTINGS.values(), chapter.experiment.settings)


def settings_of(chapter: type[Chapter], query: Mapping[str, str]) -> Values:
    """The settings that an address holds, over those of the chapter.

    Raises:
        LabError: one is outside its range, or they make too large a training.
    """
    return values({**beginning(chapter), **{name: query[name] for name in SETTINGS if name in query}})


def address(chapter: type[Chapter], language: str, settings: Values) -> str:
    """The path and query that show the same again."""
    begun = beginning(chapter)
    moved = {name: _text(value) for name, value in settings.items() if value != begun[name]}
    return f"/{chapter.id()}?{urlencode({'lang': language, **moved})}"


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
