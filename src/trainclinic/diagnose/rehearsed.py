"""What the rehearsal of a checkup came to: whether the network learned something in so short a time."""

from __future__ import annotations

import math
from typing import Any

from trainclinic.diagnose.card import GUESS
from trainclinic.diagnose.outcome import chance_loss
from trainclinic.recording import Recording

_STILL = 0.05  # of the validation loss: a rehearsal that still gains more since the half of its time is not at its end
_COPIES = 0.005  # of the validation rows; as in data-leak


def rehearsal(recording: Recording) -> dict[str, Any]:
    """Its facts; empty where there was none."""
    found: dict[str, Any] = recording.facts.get("checkup", {}).get("rehearsal", {})
    return found


def complete(recording: Recording) -> bool:
    """Whether it was the whole training."""
    return bool(rehearsal(recording).get("share", 0.0) >= 1)


def settled(recording: Recording) -> bool:
    """Whether it was the whole training, or has come to where validation gains little more."""
    losses = rehearsal(recording).get("validation", [])
    if complete(recording) or len(losses) < 3:
        return complete(recording)
    return bool(losses[-1] > (1 - _STILL) * losses[len(losses) // 2 - 1])


def learned(recording: Recording) -> bool:
    """Whether validation came out better than a guess: the answers fit, or the loss is below that of a guess."""
    answers = recording.facts.get("answers", {})
    fits = answers.get("own", -math.inf) > answers.get("luck", math.inf)
    return bool(fits or _gained(recording, min(rehearsal(recording).get("validation", []), default=math.nan)) > GUESS)


def learned_by_heart(recording: Recording, share: float) -> bool:
    """Whether the training rows were learned to that share of the loss of a guess."""
    return _gained(recording, rehearsal(recording).get("training", math.nan)) > share


def _gained(recording: Recording, loss: float) -> float:
    """Share of the loss of a guess that is gone; NaN where it is not known."""
    chance = chance_loss(recording)
    return 1 - loss / chance if chance > 0 else math.nan


def guessed(recording: Recording) -> bool:
    """Whether validation is known to be no better than a guess, by the answers and by the loss."""
    return bool(rehearsal(recording).get("validation") and chance_loss(recording) > 0 and not learned(recording))


def holds_copies(recording: Recording) -> bool:
    """Whether validation rows are training rows, whose neighbours then are themselves."""
    held = recording.facts.get("data", {}).get("validation", {})
    return bool(held.get("copies", 0.0) > _COPIES or held.get("training_batches", 0.0) > 0)
