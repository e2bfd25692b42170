"""Chapter: one topic of the lecture: text in both languages, figures, things to play with, an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from trainclinic import catalog
from trainclinic.lab.controls import Control, Value, Values
from trainclinic.lab.lettering import lettered
from trainclinic.lab.words import Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHAPTERS = "trainclinic.lab.chapters"


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; numbers are written out by whoever makes it.

    Attributes:
        header: one title a column.
        rows: one text a cell.
    """

    header: tuple[Words, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Drawing:
    """A static figure, drawn by matplotlib as the lecture draws it.

    Attributes:
        name: of the figure, within its chapter.
        caption: what it shows, in a line.
        make: makes it, with its words in the language it is given; without pyplot, so that no window opens and
            nothing is left behind.
    """

    name: str
    caption: Words
    make: Callable[[str], Figure]

    def draw(self, language: str = "en") -> Figure:
        """The figure in one language; in English where no font is installed that has the other's letters."""
        return lettered(self.make, language)


@dataclass(frozen=True)
class Play:
    """Something that answers at once when a control moves: a calculator, a curve, a path.

    Attributes:
        name: within its chapter.
        title: what it is.
        controls: what moves.
        show: the values → what is seen: tables, and Plotly figures as plain dicts {"data": …, "layout": …}; within a
            tenth of a second. Its second argument is the language.
    """

    name: str
    title: Words
    controls: tuple[Control, ...]
    show: Callable[[Values, str], list[Table | dict[str, Any]]]


@dataclass(frozen=True)
class Section:
    """A stretch of the chapter's text with what belongs to it.

    Attributes:
        title: its heading.
        text: Markdown; formulas between `$`.
        drawing: the figure beside it, or None.
        play: what can be played with under it, or None.
        code: lines that run as they stand, shown and executed in the notebook; "" for none.
    """

    title: Words
    text: Words
    drawing: Drawing | None = None
    play: Play | None = None
    code: str = ""


@dataclass(frozen=True)
class Try:
    """Something to try in the experiment, with the answer.

    Attributes:
        question: what to do, and what to look for.
        settings: what the experiment is set to for it; the rest is as the experiment begins.
        answer: what is seen, and why; shown when it is asked for.
        then: what a second run beside the first has otherwise than it; {} where one run is enough.
    """

    question: Words
    settings: Mapping[str, Value]
    answer: Words
    then: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A training that runs before one's eyes.

    Attributes:
        settings: where it differs from the defaults of `experiment.SETTINGS`.
        shown: names of the settings that the chapter puts beside it, in their order; the others are folded away.
        signals: signals of the layers that can be looked at as a heatmap and a profile, the first one at first.
    """

    settings: Mapping[str, Value]
    shown: tuple[str, ...]
    signals: tuple[str, ...] = ("gradient_rms", "activation_derivative", "activation_rms", "update_ratio")


class Chapter(catalog.Entry):
    """Base class of the chapters; one file each, in the lecture's order by `number`.

    Class attributes:
        number: of the chapter.
        title: of the chapter.
        lead: what one will see, in one or two sentences.
        text: its sections; the drawings and plays stand in them.
        experiment: what is trained.
        tries: what to try in it.
    """

    number: ClassVar[int]
    title: ClassVar[Words]
    lead: ClassVar[Words]
    text: ClassVar[tuple[Section, ...]] = ()
    experiment: ClassVar[Experiment]
    tries: ClassVar[tuple[Try, ...]] = ()

    @classmethod
    def drawings(cls) -> dict[str, Drawing]:
        """Name → figure, in the order of the text."""
        return {one.drawing.name: one.drawing for one in cls.text if one.drawing is not None}

    @classmethod
    def plays(cls) -> dict[str, Play]:
        """Name → play, in the order of the text."""
        return {one.play.name: one.play for one in cls.text if one.play is not None}


def chapters() -> dict[str, type[Chapter]]:
    """Id → chapter, in the lecture's order."""
    found: dict[str, type[Chapter]] = catalog.entries(CHAPTERS)
    return dict(sorted(found.items(), key=lambda pair: pair[1].number))
