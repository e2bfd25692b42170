"""What the rehearsal of a checkup came to: whether the network learned something in so short a time."""

from __future__ import annotations

import math
from typing import Any

from trainclinic.diagnose.card import GUESS
from trainclinic.diagnose.outcome import chance_loss
from trainclinic.recording import Recording

_HALVES = 3  # evaluations; of fewer it is not known how the later ones went on


def rehearsal(recording: Recording) -> dict[str, Any]:
    """Its facts; empty where there was none."""
    found: dict[str, Any] = recording.facts.get("checkup", {}).get("rehearsal", {})
    return found


def complete(recording: Recording) -> bool:
    """Whether it was the whole training."""
    return bool(rehearsal(recording).get("share", 0.0) >= 1)


def settled(recording: Recording, still: float) -> bool:
    """Whether it was the whole training, or validation gained no more than `still` of its loss in the later half."""
    losses = rehearsal(recording).get("validation", [])
    if complete(recording) or len(losses) < _HALVES:
        return complete(recording)
    return bool(losses[-1] > (1 - still) * losses[len(losses) // 2 - 1])


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
