"""Rehearsal: a copy is trained for a few seconds, and what it answers to the validation rows is looked at.

A network that has learned something tells of the targets what no look at the rows does: whether they go with the
inputs at all, and whether some of them are wrong. Small data are learned to the end in so long. Its facts:

    steps, share        optimizer steps, and which part of the planned training they are; NaN where it is not known, or
                        the user trains by a loop of their own, which may do other things
    training            mean loss of the last tenth of the steps
    validation          losses of the evaluations, after a quarter, a half, … of the time, and at the end
    answers, classes    what those of the last evaluation tell of the targets (`answers.py`), and class by class, as of
                        a whole training
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sized
from dataclasses import replace
from itertools import islice
from typing import Any

from trainclinic.measure.answers import ROWS
from trainclinic.measure.outputs import first_tensor
from trainclinic.measure.watch import Watch
from trainclinic.setup import Setup, evaluate, update

SECONDS = 3.0  # of training; the evaluations come on top
_PARTS = 4  # of the time, with an evaluation after each
_LATE = 0.1  # of the steps
_COUNTED = 30  # batches
_RARELY = 1_000_000  # steps from one look to the next: only whether all is finite is watched at each


def rehearse(setup: Setup, planned: int | None, seconds: float = SECONDS, until: float = math.inf) -> dict[str, Any]:
    """Train it by the plain loop for so long, or to the end of what is planned.

    Args:
        setup: is changed.
        planned: optimizer steps of the whole training; None where it is not known.
        seconds: of training.
        until: when it ends at the latest, the last evaluation with it [s, of `time.perf_counter`].

    Returns:
        The facts; only `non_finite` where a loss or a gradient was not, and nothing without validation rows or time.
    """
    seconds = min(seconds, until - time.perf_counter())
    if setup.val_loader is None or seconds <= 0:
        return {}
    short = replace(setup, val_loader=_FirstRows(setup.val_loader, until), metric="loss")
    losses: list[float] = []
    validation: list[float] = []
    spent, evaluated = 0.0, 0
    with Watch(setup.model, setup.optimizer, setup.loss_fn, every=_RARELY) as watch:
        evaluation = _count(setup, seconds / _PARTS)
        for batch in _epochs(setup):
            begun = time.perf_counter()
            if begun + evaluation > until:
                break
            losses.append(float(update(setup, batch)))
            spent += time.perf_counter() - begun
            if spent > seconds or not math.isfinite(losses[-1]):
                break
            if spent > seconds * (len(validation) + 1) / _PARTS:
                begun, evaluated = time.perf_counter(), len(losses)
                validation.append(evaluate(short)["loss"])
                evaluation = time.perf_counter() - begun
        if len(losses) > evaluated:
            validation.append(evaluate(short)["loss"])
    facts = watch.recording.facts
    if not losses or facts["non_finite"]:
        return {"non_finite": facts["non_finite"]}
    late = losses[-max(1, int(_LATE * len(losses))) :]
    return {
        "steps": len(losses),
        "share": len(losses) / planned if planned and setup.loop is None else math.nan,
        "training": sum(late) / len(late),
        "validation": validation,
        "answers": facts.get("answers", {}),
        "classes": facts.get("classes", {}),
    }


def _count(setup: Setup, seconds: float) -> float:
    """Let the classes of some batches be counted, since of the steps only the first one is looked at.

    Returns:
        Seconds that an evaluation will take, by how long these took.
    """
    setup.model.train()
    begun, rows = time.perf_counter(), 0
    for batch in islice(setup.train_loader, _COUNTED):
        setup.loss(batch)
        rows += _rows(batch)
        if time.perf_counter() > begun + seconds:
            break
    data = getattr(setup.val_loader, "dataset", None)
    held = len(data) if isinstance(data, Sized) else ROWS
    return (time.perf_counter() - begun) * min(ROWS, held) / max(1, rows)


def _rows(batch: Any) -> int:
    first = first_tensor(batch)
    return len(first) if first is not None and first.ndim else 1


def _epochs(setup: Setup) -> Iterator[Any]:
    """The batches of every epoch, with what `train` does between the epochs."""
    for _ in range(setup.epochs):
        setup.model.train()
        yield from setup.train_loader
        if setup.scheduler is not None:
            setup.scheduler.step()


class _FirstRows:
    """The first batches of a loader, until there are as many rows as are looked at, or it is time to end."""

    def __init__(self, loader: Iterable[Any], until: float) -> None:
        self._loader, self._until = loader, until

    def __iter__(self) -> Iterator[Any]:
        rows = 0
        for batch in self._loader:
            yield batch
            rows += _rows(batch)
            if rows >= ROWS or time.perf_counter() > self._until:
                return
