"""Plain words for what was measured: one row per recorded signal, and how a number is written.

The words stand here and not in `measure`, so that a report is rendered without importing torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from unicodedata import category

from trainclinic.diagnose.problem import Problem
from trainclinic.records import Evidence


@dataclass(frozen=True)
class Word:
    """How a signal is called.

    Attributes:
        title: two to five words.
        meaning: one sentence.
        log: whether it lives on a logarithmic scale.
    """

    title: str
    meaning: str
    log: bool = False


LAYER_SIGNALS = MappingProxyType(
    {
        "backward_rms": Word(
            "Backward signal",
            "Size (RMS) of the loss's gradient at the layer's output: what comes back from the loss.",
            log=True,
        ),
        "gradient_rms": Word(
            "Gradient of the weights",
            "Size (RMS) of the gradient of the layer's weights: what the optimizer is given.",
            log=True,
        ),
        "update_ratio": Word(
            "Update ÷ weight",
            "How far one step moves the weights, against their size; often near 1e-3.",
            log=True,
        ),
        "activation_rms": Word(
            "Activation size", "Size (RMS) of the layer's output: how large the forward signal is.", log=True
        ),
        "activation_mean": Word("Activation mean", "Mean of the layer's output."),
        "activation_derivative": Word(
            "Activation slope |φ′|",
            "Mean slope of the activation where it is used: each one multiplies the signal on its way back.",
        ),
        "saturated_share": Word(
            "Saturated share",
            "Share of activations on the flat ends of the curve, where little gradient passes.",
        ),
        "dead_unit_fraction": Word(
            "Dead units", "Share of units that were zero for every sample seen: they cannot learn."
        ),
        "weight_rms": Word("Weight size", "Size (RMS) of the layer's weights.", log=True),
        "weight_gain": Word(
            "Weight gain",
            "Factor by which the layer's weights stretch a random signal on its way back.",
            log=True,
        ),
        "gradient_cosine": Word(
            "Agreement of gradients",
            "Cosine between the gradients of successive steps: 1 = same way, −1 = bouncing back.",
        ),
        "backward_call_span": Word(
            "Backward signal through time",
            "How much the backward signal grows (+) or shrinks (−) through all calls of a recurrent layer.",
        ),
    }
)

RUN_SIGNALS = MappingProxyType(
    {
        "loss": Word("Training loss", "The value that backward was called on, at every step.", log=True),
        "validation_loss": Word("Validation loss", "The same loss on data that are not trained on.", log=True),
        "learning_rate": Word("Learning rate", "Of every parameter group of the optimizer.", log=True),
        "gradient_norm": Word("Gradient norm", "Length of the gradient over all parameters together.", log=True),
        "replica_fingerprint": Word(
            "Fingerprint of a replica", "Checksum of the values that a rank holds: replicas have the same."
        ),
        "output_mean": Word("Mean output", "Mean of what the network puts out."),
        "output_spread": Word(
            "Spread between samples",
            "How far the answers to the samples of a batch lie apart.",
        ),
        "batch_accuracy": Word("Accuracy in training", "Share of right answers in one training batch."),
        "output_std": Word("Spread of the outputs", "Standard deviation of what the network puts out."),
        "target_mean": Word("Mean target", "Mean of what the network is asked for."),
        "target_std": Word("Spread of the targets", "Standard deviation of what the network is asked for."),
    }
)


def word(signal: str) -> Word:
    """The words for a recorded signal; a readable name where the table has none."""
    known = LAYER_SIGNALS.get(signal) or RUN_SIGNALS.get(signal)
    if known:
        return known
    name = readable(signal)
    if signal.startswith("validation_"):
        return Word(name, "Measured on data that are not trained on.")
    return Word(name, "")


def quantity(signal: str, problem: type[Problem] | None) -> str:
    """The words for a number in a finding's evidence: a signal's, or those its problem gives it."""
    if problem is not None and signal in problem.measures:
        said = clean(problem.measures[signal])
        return said[:1].upper() + said[1:]
    return word(signal).title


def readable(name: str) -> str:
    """`dead-relu` → "Dead ReLU"."""
    text = clean(name).replace("_", " ").replace("-", " ").strip()
    for plain, proper in (("relu", "ReLU"), ("batchnorm", "BatchNorm"), ("non ", "non-")):
        text = re.sub(rf"\b{plain}", proper, text)
    return text[:1].upper() + text[1:]


def number(value: float, unit: str = "1") -> str:
    """Three significant digits with the unit, where it has one worth a word; NaN is "not measured"."""
    if math.isnan(value):
        return "not measured"
    if unit == "step" and math.isfinite(value):
        return f"step {value:.0f}"
    tail = f" {unit_words(unit)}" if unit not in ("", "1", "loss/1") else ""
    if math.isinf(value):
        return ("∞" if value > 0 else "−∞") + tail
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}{tail}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:.3g}{tail}" if abs(value) < 1000 else f"{value:.0f}{tail}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}{tail}"


def unit_words(unit: str) -> str:
    """A unit as it is said: "loss/1" is "loss per unit", and "1" is nothing."""
    said = {"1": "", "loss/1": "loss per unit"}
    return said.get(unit, re.sub(r"^1? ?/ ?| ?/ ?", " per ", clean(unit)).strip())


def abnormal_if(entry: Evidence) -> str:
    """The limit with its side, as in "below -3 decades"; a dash where the number only informs."""
    if math.isnan(entry.limit):
        return "–"
    side = {"above": "above", "below": "below", "equal": "exactly"}[entry.side]
    return f"{side} {number(entry.limit, entry.unit)}"


def names(layers: Sequence[str], most: int = 4) -> str:
    """The names of layers, abbreviated when there are many: "a, b … z (16 layers)"."""
    shown = [clean(name) or "the model itself" for name in layers]
    if len(shown) <= most:
        return ", ".join(shown)
    return f"{', '.join(shown[: most - 2])} … {shown[-1]} ({len(shown)} layers)"


def short(name: str, length: int = 28) -> str:
    """A name that fits beside a picture: the middle of a long one is left out."""
    name = clean(name)
    if len(name) <= length:
        return name
    tail = length * 2 // 3
    return name[: length - tail - 1] + "…" + name[-tail:]


def clean(text: str) -> str:
    """Text without control characters, which could drive a terminal or break a document."""
    hidden = ("Cc", "Cs", "Cf", "Zl", "Zp")
    return "".join("�" if category(char) in hidden else char for char in re.sub(r"[\n\r\t]+", " ", text))


def count(amount: int, noun: str) -> str:
    """`count(2, "problem")` → "2 problems"."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
