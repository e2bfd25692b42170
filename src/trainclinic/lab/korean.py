"""The clinic's own sentences in Korean: what it says with names and numbers filled in is found by its pattern."""

from __future__ import annotations

import re
from functools import cache

from trainclinic.lab.clinic_words import REMEDIES
from trainclinic.lab.reason_words import PLACES, UNSEEN
from trainclinic.lab.refusal_words import REFUSALS


def korean(said: str) -> str:
    """What the clinic said in English, in Korean; what has no words here stays as it is."""
    remedy, colon, rest = said.partition(": ")
    if colon and remedy in REMEDIES:
        return f"{REMEDIES[remedy].ko}: {korean(rest)}"
    for pattern, words in _patterns():
        found = pattern.fullmatch(said)
        if found:
            return words.format(*map(korean, found.groups()))
    return said


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Those with nothing to fill in first, then those with the most words of their own."""
    known = sorted((REFUSALS | UNSEEN | PLACES).items(), key=lambda pair: (pair[0].count("{}") > 0, -_own(pair[0])))
    return tuple(
        (re.compile("(.+?)".join(map(re.escape, said.split("{}"))), re.DOTALL), words) for said, words in known
    )


def _own(said: str) -> int:
    return len(said.replace("{}", ""))
