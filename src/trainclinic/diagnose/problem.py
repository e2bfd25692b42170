"""Problem: what every file under `problems/` holds. Reading a recording and returning findings is all it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

from trainclinic.catalog import Entry
from trainclinic.recording import Recording
from trainclinic.records import Finding, Side

SECTIONS = (
    "What it is",
    "Why training suffers",
    "How it is measured",
    "When it is harmless",
    "What to do",
    "References",
)


class NotExaminedError(Exception):
    """Raised by `find`: this recording can neither show the problem nor rule it out. The message says why."""


class Limit(NamedTuple):
    """A limit as it stands in a problem's page."""

    name: str
    value: float
    unit: str
    side: Side
    source: str


def limit(value: float, unit: str, source: str, side: Side = "above") -> Any:
    """A limit as a dataclass field: its default, its unit, where it comes from, and on which side lies the abnormal.

    Args:
        value: the default [unit].
        unit: "1" for a pure number.
        side: "above" or "below"; "equal" for a condition that is neither, such as the fewest layers needed.
        source: a file under benchmarks/results, a paper (author year), or "exact" for a count of zero.
    """
    return field(default=value, metadata={"unit": unit, "source": source, "side": side})


@dataclass(frozen=True)
class Problem(Entry):
    """Base class of the catalogue's entries.

    Class attributes:
        reads: the signals `find` looks at.
        measures: quantity derived by `find` and named in its evidence → plain words.
        causes: key of `Finding.cause` → the sentence that tells a person why.
        exact: whether the check is decided without statistics.
        in_checkup: whether `find` can judge a checkup, too, which follows the training's loop for a few steps and fits
            one batch.
        beyond_answers: whether it can do harm that good answers in validation do not rule out.
        in_the_rows: whether it is in the rows themselves: what is fitted to them suffers as well, and excuses nothing.
        live: whether it is decided within one step, from the facts alone: it can be told while the training runs.
    """

    sections: ClassVar[tuple[str, ...]] = SECTIONS
    reads: ClassVar[tuple[str, ...]] = ()
    measures: ClassVar[dict[str, str]] = {}
    causes: ClassVar[dict[str, str]] = {}
    exact: ClassVar[bool] = False
    in_checkup: ClassVar[bool] = False
    beyond_answers: ClassVar[bool] = False
    in_the_rows: ClassVar[bool] = False
    live: ClassVar[bool] = False

    def find(self, recording: Recording) -> Iterable[Finding]:
        """The findings of this problem in `recording`; nothing when there are none.

        Raises:
            NotExaminedError: the recording lacks what the rule needs.
        """
        raise NotImplementedError

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """The findings of a checkup, before any training: there is no outcome yet to tell harm by.

        Raises:
            NotExaminedError: only a training can show this problem, or the checkup lacks what the rule needs.
        """
        if not self.in_checkup:
            raise NotExaminedError("only a training can show it")
        return self.find(recording)

    def because(self, finding: Finding, recording: Recording | None) -> str:
        """The sentence that tells a person why; it may say more than the cause's, where the recording knows more."""
        return self.causes.get(finding.cause, "")

    @classmethod
    def limits(cls) -> tuple[Limit, ...]:
        """Every limit, in the order of the fields."""
        return tuple(
            Limit(item.name, item.default, item.metadata["unit"], item.metadata["side"], item.metadata["source"])
            for item in fields(cls)
            if "unit" in item.metadata and isinstance(item.default, int | float)
        )
