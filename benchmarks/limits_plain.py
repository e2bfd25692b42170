"""Statistics that no finding shows where its problem is absent: (problem, limit) → read off a recording."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trainclinic.diagnose.card import at_least
from trainclinic.diagnose.chain import chain, forward_gain, hidden
from trainclinic.diagnose.outcome import late_fall, outcome
from trainclinic.diagnose.problems import noisy_labels, poor_initialization, underfitting, undertrained
from trainclinic.diagnose.problems.learning_rate_too_high import largest_update_ratio
from trainclinic.recording import Recording

#: statistics that no finding shows where the problem is absent
PLAIN: dict[tuple[str, str], Callable[[Recording], float]] = {
    ("vanishing-gradient", "layers"): lambda recording: len(hidden(chain(recording))),
    ("overfitting", "evaluations"): lambda recording: len(recording.series("validation_loss")),
    ("overfitting", "mild"): lambda recording: _risen(recording),
    ("oscillating-loss", "momentum"): lambda recording: max(recording.facts.get("momentum") or [math.nan]),
    ("oscillating-loss", "batch"): lambda recording: float(recording.facts.get("batch_size") or math.nan),
    ("oscillating-loss", "evaluations"): lambda recording: len(recording.series("validation_loss")),
    ("constant-prediction", "steps"): lambda recording: recording.steps,
    ("underfitting", "steps"): lambda recording: recording.steps,
    ("undertrained", "steps"): lambda recording: recording.steps,
    ("dead-relu", "severed"): lambda recording: _most_dead(recording),
    ("non-finite", "growth"): lambda recording: _growth(recording),
    ("class-imbalance", "severe"): lambda recording: _class_ratio(recording),
    ("unshuffled-data", "strongly"): lambda recording: _order_excess(recording),
    ("learning-rate-too-high", "renewed"): lambda recording: largest_update_ratio(recording),
    ("unscaled-inputs", "seen"): lambda recording: recording.facts.get("first_spread", math.nan),
    ("undertrained", "few"): lambda recording: recording.steps,
    ("learning-rate-too-low", "hardly"): lambda recording: outcome(recording).learned,
    ("undertrained", "fall"): lambda recording: late_fall(recording),
    ("undertrained", "learned"): lambda recording: outcome(recording).reached,
    ("undertrained", "brief"): lambda recording: recording.steps,
    ("undertrained", "brief_passes"): lambda recording: undertrained.passes(recording),
    ("undertrained", "moving"): lambda recording: undertrained.held_fall(recording),
    ("constant-feature", "most"): lambda recording: (
        recording.facts.get("data", {}).get("training", {}).get("constant", math.nan)
    ),
    ("misaligned-data", "agreement"): lambda recording: _link(recording, "agreement") - _link(recording, "null"),
    ("misaligned-data", "commonest"): lambda recording: _link(recording, "guess"),
    ("misaligned-data", "rows"): lambda recording: _link(recording, "rows"),
    ("misaligned-data", "gap"): lambda recording: _link(recording, "agreement") - _held(recording, "agreement"),
    ("misaligned-data", "learned"): lambda recording: outcome(recording).learned,
    ("noisy-labels", "surest"): lambda recording: _surest(recording),
    ("noisy-labels", "surer"): lambda recording: _answers(recording, "surest") - _answers(recording, "own"),
    ("noisy-labels", "perhaps"): lambda recording: _answers(recording, "surest"),
    ("noisy-labels", "perhaps_surer"): lambda recording: _answers(recording, "surest") - _answers(recording, "own"),
    ("noisy-labels", "perhaps_gain"): lambda recording: _answers(recording, "mixture_gain"),
    ("noisy-labels", "gaining"): lambda recording: noisy_labels.gain(recording),
    ("noisy-labels", "mixture"): lambda recording: _answers(recording, "mixture"),
    ("noisy-labels", "mixture_gain"): lambda recording: _answers(recording, "mixture_gain"),
    ("data-leak", "near"): lambda recording: _held(recording, "near"),
    ("frozen-parameters", "most"): lambda recording: _frozen(recording),
    ("frozen-parameters", "reached"): lambda recording: outcome(recording).reached,
    ("over-regularized", "dropout"): lambda recording: _dropped(recording),
    ("over-regularized", "mode_gap"): lambda recording: (
        outcome(recording).last / recording.series("validation_loss").late()
        if recording.series("validation_loss").late() > 0
        else math.nan
    ),
    ("over-regularized", "outweighed"): lambda recording: outcome(recording).reached,
    ("poor-initialization", "tiny_gain"): lambda recording: _gain(recording),
    ("poor-initialization", "recurrent_gain"): lambda recording: poor_initialization.recurrent(recording)[1],
    ("underfitting", "widest"): lambda recording: _finite(underfitting.widest(recording)),
    ("underfitting", "bottleneck"): lambda recording: _finite(underfitting.bottleneck(recording)),
    ("undertrained", "still"): lambda recording: undertrained.held_fall(recording),
    ("unscaled-inputs", "far"): lambda recording: _usual_deviation(recording),
    ("batchnorm-small-batch", "samples"): lambda recording: _normed_batch(recording),
}


def _risen(recording: Recording) -> float:
    """The last validation losses above the best, against the loss of a guess."""
    values = recording.series("validation_loss").values
    finite = values[np.isfinite(values)]
    late = finite[-max(3, len(finite) // 5) :]
    return float(np.median(late) - finite.min()) / outcome(recording).chance if len(finite) else math.nan


def _answers(recording: Recording, name: str) -> float:
    return float(recording.facts.get("answers", {}).get(name, math.nan))


def _surest(recording: Recording) -> float:
    """The upper end of its interval, as the rule has it."""
    rows = recording.facts.get("answers", {}).get("surest_rows", 0)
    return 1 - at_least(1 - _answers(recording, "surest"), rows) if rows else math.nan


def _dropped(recording: Recording) -> float:
    """The largest share that a dropout layer drops; NaN where none does."""
    modules = recording.facts.get("modes", {}).get("sensitive", [])
    return max((module["dropout"] for module in modules if module.get("dropout")), default=math.nan)


def _frozen(recording: Recording) -> float:
    """Share of the weights that were declared frozen."""
    sizes = [(math.prod(entry["shape"]), entry["requires_grad"]) for entry in recording.facts["parameters"]]
    return sum(size for size, learns in sizes if not learns) / max(1, sum(size for size, _ in sizes))


def _gain(recording: Recording) -> float:
    """Of the middle one of the hidden weights, where there are no norms."""
    gains = sorted(forward_gain(recording, name) for name in poor_initialization.before_output(recording))
    return gains[len(gains) // 2] if gains and not poor_initialization.normed(recording) else math.nan


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def _usual_deviation(recording: Recording) -> float:
    deviations = [one for one in recording.facts.get("inputs", {}).get("features", {}).get("std", []) if one > 0]
    return float(np.median(deviations)) if deviations else math.nan


def _normed_batch(recording: Recording) -> float:
    """Samples of a batch, where there are batch norms."""
    return float(recording.facts["batch_size"]) if recording.facts.get("batch_norm") else math.nan


def _link(recording: Recording, name: str) -> float:
    return float(recording.facts.get("data", {}).get("link", {}).get(name, math.nan))


def _held(recording: Recording, name: str) -> float:
    return float(recording.facts.get("data", {}).get("validation", {}).get(name, math.nan))


def _order_excess(recording: Recording) -> float:
    order = recording.facts.get("data", {}).get("order", {})
    return (order["alike"] - order["expected"]) / max(1e-9, 1 - order["expected"]) if order else math.nan


def _class_ratio(recording: Recording) -> float:
    counts = [count for count in recording.facts.get("targets", {}).get("classes", {}).values() if count]
    return max(counts) / (min(counts) + 1) if len(counts) > 1 else math.nan


def _most_dead(recording: Recording) -> float:
    series = [recording.series("dead_unit_fraction", layer.name) for layer in recording.measured("dead_unit_fraction")]
    return max((float(one.values[-1]) for one in series), default=math.nan)


def _growth(recording: Recording) -> float:
    """As if the last step had failed."""
    from trainclinic.diagnose.problems.non_finite import loss_growth

    return loss_growth(recording, int((recording.facts.get("non_finite") or {"step": recording.steps})["step"]))
