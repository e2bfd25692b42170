"""Words: what a person reads in the lab, in both languages, from one source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ko"]
LANGUAGES: dict[Language, str] = {"en": "English", "ko": "한국어"}


@dataclass(frozen=True)
class Words:
    """The same said in English and in Korean; a longer text is Markdown, with formulas between `$`.

    Attributes:
        en: English.
        ko: Korean, with the lecture's terms.
    """

    en: str
    ko: str

    def __getitem__(self, language: str) -> str:
        return self.ko if language == "ko" else self.en

    def format(self, **values: object) -> Words:
        """Both with the same values filled in."""
        return Words(self.en.format(**values), self.ko.format(**values))


def same(text: str) -> Words:
    """A name that is written alike in both, such as "ReLU"."""
    return Words(text, text)
