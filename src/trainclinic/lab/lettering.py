"""A figure's words in the language asked for, in a font that has its letters: matplotlib's own has no Hangul."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HANGUL = ("NanumGothic", "Malgun Gothic", "AppleGothic")  # of Debian's fonts-nanum, of Windows, of macOS


def hangul() -> str | None:
    """Name of a font with the Korean letters; None where there is none."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return next((name for name in HANGUL if name in there), None)


def lettered(make: Callable[[str], Figure], language: str) -> Figure:
    """The figure with its words in one language; in English where no font can write the other.

    Args:
        make: draws it, with its words in the language that it is given.
        language: "en" or "ko".
    """
    from matplotlib.text import Text

    font = hangul() if language == "ko" else None
    if font is None:
        return make("en")
    figure = make("ko")
    for text in figure.findobj(Text):
        text.set_fontfamily(["DejaVu Sans", font])  # matplotlib's own first: a Korean font may lack a minus or an ∂
    return figure
