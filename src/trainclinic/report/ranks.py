"""The ranks of a distributed run beside each other, in words, in numbers and as a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainclinic.recording import Recording, Series
from trainclinic.report import thin
from trainclinic.report.drawing import Chart, axis_title, line, mode, picture, ramp, spans_decades
from trainclinic.report.view import ending, last_validation, written
from trainclinic.report.words import clean, number

MOST_RANKS = 16  # in one table or picture
LONGEST = 36  # characters of how a rank ended


@dataclass(frozen=True)
class Rank:
    """One rank in words; a dash where nothing was measured.

    Attributes:
        rank: its number.
        steps: optimizer steps it took.
        ended: how its training ended, or why there is nothing of it.
        loss: its first and last loss.
        gradient_norm: at its last look, of what the rank holds.
        validation: its last figures.
        not_finite: what was first not finite, and when.
    """

    rank: int
    steps: str = "–"
    ended: str = ""
    loss: str = "–"
    gradient_norm: str = "–"
    validation: str = "–"
    not_finite: str = "–"


#: title → the attribute of a Rank, in the order of the table
RANK_COLUMNS = {
    "rank": "rank",
    "steps": "steps",
    "ended": "ended",
    "loss": "loss",
    "gradient norm": "gradient_norm",
    "validation": "validation",
    "not finite": "not_finite",
}


def rank_columns(found: tuple[Rank, ...]) -> dict[str, str]:
    """The columns in which any rank has something to show."""
    return {title: key for title, key in RANK_COLUMNS.items() if any(getattr(one, key) != "–" for one in found)}


def ranks(recording: Recording) -> tuple[Rank, ...]:
    """All ranks of a run, or some evenly chosen ones of very many; none for a run of one process."""
    found = {_number(one): one for one in recording.ranks}
    missing = _missing(recording)
    numbers = sorted([*found, *missing])
    shown = [numbers[index] for index in thin.rows(len(numbers), MOST_RANKS)]
    return tuple(
        _in_words(rank, found[rank]) if rank in found else Rank(rank, ended=clean(missing[rank])) for rank in shown
    )


def rank_numbers(recording: Recording) -> list[dict[str, Any]]:
    """The same as plain data, for every rank."""
    missing = [{"rank": rank, "steps": 0, "ended": None, "missing": why} for rank, why in _missing(recording).items()]
    found = [
        {
            "rank": _number(one),
            "steps": one.steps,
            "ended": one.ended,
            "missing": None,
            "loss": _ends(one.series("loss")),
            "gradient_norm": _last(one.series("gradient_norm")),
            "validation": {
                signal.removeprefix("validation_"): _last(one.series(signal))
                for signal in one.signals
                if signal.startswith("validation_")
            },
            "non_finite": one.facts.get("non_finite"),
        }
        for one in recording.ranks
    ]
    return sorted(found + missing, key=lambda entry: entry["rank"])


def loss_of_ranks(recording: Recording) -> Chart | None:
    """The loss of every rank over the steps, in one picture; smoothed where the run is long."""
    found = [(one, one.series("loss")) for one in recording.ranks if one.series("loss")]
    found = [found[index] for index in thin.rows(len(found), MOST_RANKS)]
    if not found:
        return None
    data = []
    for (one, series), colour in zip(found, ramp(len(found)), strict=True):
        steps, values = thin.smooth(series)
        if not len(steps):
            steps, values = thin.line(series)
        data.append(line(f"rank {_number(one)}", steps, values, colour, mode=mode(len(steps))))
    log = spans_decades(np.concatenate([series.values for _, series in found]))
    return picture(data, "step", axis_title("loss", found[0][1].unit, "Loss"), log)


def _number(one: Recording) -> int:
    return int(one.facts["distributed"]["rank"])


def _missing(recording: Recording) -> dict[int, str]:
    missing = recording.facts.get("distributed", {}).get("missing", {}) if recording.ranks else {}
    return {int(rank): str(why) for rank, why in missing.items()}


def _in_words(rank: int, one: Recording) -> Rank:
    loss, norm, failed = one.series("loss"), one.series("gradient_norm"), one.facts.get("non_finite")
    return Rank(
        rank,
        steps=str(one.steps),
        ended=_ending(one),
        loss=f"{written(loss.values[0])} → {written(loss.values[-1])}" if loss else "–",
        gradient_norm=number(float(norm.values[-1])) if norm else "–",
        validation=last_validation(one) or "–",
        not_finite=f"{clean(failed['what'])} at step {failed['step']}" if failed else "–",
    )


def _ending(one: Recording) -> str:
    """In a few words; an error says the rest in the file of its rank."""
    said = "broken off" if one.ended == "unknown" else ending(one)
    return said if len(said) <= LONGEST else said[: LONGEST - 1].rstrip() + "…"


def _ends(series: Series) -> dict[str, float | str] | None:
    if not series:
        return None
    first, last = series.values[0], series.values[-1]
    return {key: "NaN" if math.isnan(value) else float(value) for key, value in (("first", first), ("final", last))}


def _last(series: Series) -> float | None:
    return float(series.values[-1]) if series else None
