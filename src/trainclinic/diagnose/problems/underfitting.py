"""underfitting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from trainclinic.diagnose.outcome import Outcome, answers_well, closed_form, hurts, late_fall, outcome, scores, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Layer, Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not


@dataclass(frozen=True)
class Underfitting(Problem):
    """The network is too small, or of the wrong kind, for what the data hold.

    What it is:
        Training has come to rest, on the training set as on new data, and the answers are still worse than those of a
        simple method: to answer like the five most similar training samples.

    Why training suffers:
        It does not: the optimizer found what this network can represent. One line cannot part two spirals, and a layer
        of two units cannot pass on ten classes.

    How it is measured:
        Accuracy (or R²) in validation against that of nearest neighbours on the same samples; the loss, which must have
        come to rest; validation and training loss, which must be close together. What else is wrong with the training
        explains it and comes first. Or exactly: no hidden layer has more than a few units, or everything passes
        through one or two, and the loss did not fall as it should. A single layer of so few, or layers of a part of the
        network with no activation function between them, are an observation.

    When it is harmless:
        Where the labels are noisy neighbours are no better, and nothing is reported. A linear model may be meant; two
        linear layers with a narrow one between them are a factorization.

    What to do:
        1. More units, more layers (with residual connections), no bottleneck.
        2. Another kind of network: convolutions for pictures, attention or recurrence for sequences.
        3. Less regularization.
        4. Better features, or embeddings for categories.
        5. An activation function after every hidden layer.

    References:
        Goodfellow, Bengio & Courville 2016 (deep learning, 5.2 and 11.3); Cover & Hart 1967 (nearest neighbours).
    """

    shortfall: float = limit(0.08, "1", RANGE)
    errors: float = limit(3.0, "1", RANGE)
    fall: float = limit(0.15, "1", RANGE, "below")
    gap: float = limit(2.5, "1", RANGE, "below")
    steps: int = limit(200, "step", RANGE, "equal")
    in_line: int = limit(2, "layers", "exact")
    widest: float = limit(3.0, "units", RANGE, "below")
    bottleneck: float = limit(2.0, "units", RANGE, "below")
    learned: float = limit(0.95, "1", DEVELOPMENT, "below")
    beyond: float = limit(0.1, "1", DEVELOPMENT)

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss", "batch_accuracy")
    measures: ClassVar[dict[str, str]] = {
        "shortfall": "what nearest neighbours reach beyond the network, in validation",
        "of_neighbours": "accuracy or R² of nearest neighbours",
        "of_network": "accuracy or R² of the network",
        "errors": "that shortfall, in standard errors",
        "beyond": "what a fit in closed form to the same rows reaches beyond the network, in validation",
        "late_fall": "fall of the loss over the last two fifths of the run",
        "gap": "validation loss against the training loss",
        "linear_layers": "layers with weights that follow one another with nothing but linear operations between them",
        "learned": "share of the loss that training removed, in training and validation",
        "widest": "units of the widest hidden layer",
        "bottleneck": "units of the narrowest layer that everything passes through",
        "thinnest": "units, or channels, of the narrowest hidden layer that the next one takes",
        "narrowest": "units of the narrowest hidden layer",
    }
    causes: ClassVar[dict[str, str]] = {
        "no activation function": "There is no activation function between the layers: together they are one linear "
        "map, and no more than a single layer could learn is learned.",
        "part in line": "Layers of a part of the network follow one another with no activation function between them: "
        "together they are one linear map.",
        "thin layer": "A layer has no more than two units, so that hardly anything passes through it.",
        "a fit knows more": "Training has come to rest, and a fit in closed form to the same rows still answers "
        "better.",
        "few units": "There are hardly any units, or everything has to pass through one or two of them: too few for "
        "what the data hold.",
        "narrow layer": "Training has come to rest, and a look at similar samples still answers better: one layer has "
        "fewer units than there are outputs, and lets too little of the input through.",
        "": "Training has come to rest, and a look at similar samples still answers better: the network cannot "
        "represent what the data hold.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Look for what makes the layers one, then compare the network with its samples' nearest neighbours."""
        linear, whole = self._in_line(recording)
        if linear:
            yield self._one_map(recording, linear, whole)
            return
        result = outcome(recording)
        units = (
            Evidence("widest", "", widest(recording), self.widest, "units", "below"),
            Evidence("bottleneck", "", bottleneck(recording), self.bottleneck, "units", "below"),
        )
        few = [evidence for evidence in units if evidence.observed <= evidence.limit]
        if few and hurts(result, self.learned, neighbours=False) and not self._serves(recording):
            yield self._few_units(result, recording, few, "few units")
            return
        thin = thinnest(recording)
        try:
            below = self._below_neighbours(recording, result)
        except NotExaminedError:
            if not thin <= self.bottleneck:
                raise
            below = ()
        if not below and thin <= self.bottleneck:
            told = Evidence("thinnest", "", thin, self.bottleneck, "units", "below")
            below = (self._few_units(result, recording, [told], "thin layer"),)
        yield from below or self._below_a_fit(recording, result)

    def _below_a_fit(self, recording: Recording, result: Outcome) -> Iterator[Finding]:
        """What a fit in closed form knows beyond the network is no more than observed: some data suit it better."""
        network, _, error = scores(recording)
        fit = closed_form(recording)
        beyond = Evidence("beyond", "", fit - network, self.beyond, "1")
        if not (fit - network > max(self.beyond, self.errors * error) and late_fall(recording) < self.fall):
            return
        yield self._few_units(result, recording, [beyond], "a fit knows more")

    def _below_neighbours(self, recording: Recording, result: Outcome) -> tuple[Finding, ...]:
        """Compare the network with its samples' nearest neighbours."""
        if recording.steps < self.steps:
            raise NotExaminedError(f"at least {self.steps} steps are needed to tell rest from a slow start")
        network, neighbours, error = scores(recording)
        if math.isnan(network) or math.isnan(neighbours):
            raise NotExaminedError(
                "neither accuracy nor R² in validation, or no neighbours to compare it with, were seen"
            )
        shortfall = neighbours - network
        fall = late_fall(recording)
        gap = recording.series("validation_loss").late() / result.last if result.last > 0 else math.nan
        rests = fall < self.fall and not result.diverged
        if not (shortfall > self.shortfall and shortfall > self.errors * error and rests and gap < self.gap):
            return ()
        narrowest = _narrowest(recording)
        found = Finding(
            problem=self.id(),
            level="problem",
            severity=float(min(1.0, 0.3 + shortfall)),
            confidence=0.7,
            layers=(narrowest.name,) if narrowest else (),
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence("shortfall", "", shortfall, self.shortfall, "1"),
                Evidence("of_neighbours", "", neighbours, math.nan, "1"),
                Evidence("of_network", "", network, math.nan, "1", "below"),
                Evidence("errors", "", shortfall / error if error > 0 else math.inf, self.errors, "1"),
                Evidence("late_fall", "", fall, self.fall, "1", "below"),
                Evidence("gap", "", gap, self.gap, "1", "below"),
                *_width(narrowest),
            ),
            cause="narrow layer" if narrowest else "",
        )
        return (found,)

    def examine(self, recording: Recording) -> Iterable[Finding]:
        """The layers alone."""
        if "linear" not in recording.facts.get("loss", {}):
            raise NotExaminedError("the loss is none of PyTorch's own, so that its graph tells nothing of the network")
        linear, whole = self._in_line(recording)
        if linear:
            yield self._one_map(recording, linear, whole)

    def _in_line(self, recording: Recording) -> tuple[int, bool]:
        """Layers that are one linear map, and whether it is the whole network or a part of one that bends nowhere."""
        loss = recording.facts.get("loss", {})
        whole = loss.get("linear", 0)
        longest = whole or (loss.get("stacked", 0) if _plain(recording) else 0)
        many = longest > self.in_line or (longest == self.in_line and not _factorizes(recording))
        return (longest if many else 0), whole > 0

    def _serves(self, recording: Recording) -> bool:
        """Whether so few units answer nearly all, and neighbours do not better."""
        network, neighbours, _ = scores(recording)
        return answers_well(recording, neighbours=False) and not neighbours - network > self.shortfall

    def _few_units(self, result: Outcome, recording: Recording, few: list[Evidence], cause: str) -> Finding:
        harm = cause == "few units"
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=max(0.4, severity(result)) if harm else 0.2,
            confidence=0.8,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=(
                *few,
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
            cause=cause,
        )

    def _one_map(self, recording: Recording, linear: int, whole: bool) -> Finding:
        result = outcome(recording)
        harm = whole and (hurts(result, self.learned) or "checkup" in recording.facts)
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=max(0.4, severity(result)) if harm else 0.2,
            confidence=0.9,
            layers=(),
            steps=(0, max(0, recording.steps - 1)),
            evidence=(
                Evidence("linear_layers", "", float(linear), float(self.in_line), "layers"),
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
            cause="no activation function" if whole else "part in line",
        )


_ROWS_ARE_UNITS = ("Linear", "Conv", "RNN", "LSTM", "GRU")  # of a weight in a module of somebody's own, columns may be


def _executed(recording: Recording) -> list[Layer]:
    """The layers with weights in the order in which they ran; none where one is of a kind that is not known."""
    ran = [one for one in recording.measured("activation_rms") if one.role == "weight" and len(one.shape) > 1]
    return ran if all(map(_of_units, ran)) else []


def _of_units(layer: Layer) -> bool:
    """Whether it is of a kind whose rows are known to be units, or tokens."""
    return (layer.kind.startswith(_ROWS_ARE_UNITS) and "Transpose" not in layer.kind) or "Embedding" in layer.kind


def widest(recording: Recording) -> float:
    """Units of the widest hidden layer, four gates of a recurrent one counted as one unit each; inf without any."""
    weights = _executed(recording)
    hidden = [layer.shape[0] for layer in weights[:-1] if "Embedding" not in layer.kind]
    return float(max(hidden, default=math.inf))


_GATES = {"LSTM": 4, "GRU": 3}  # rows of a weight for each unit


def bottleneck(recording: Recording) -> float:
    """Units of the narrowest hidden layer that takes more than it gives and feeds the next one; inf where none is.

    What the next layer makes as wide again as it was is none: a gate, an adapter; nor is an autoencoder's code.
    """
    weights = _executed(recording)
    if len(weights) < 2 or _encodes(recording, weights):
        return math.inf
    units = [layer.shape[0] // _GATES.get(layer.kind, 1) for layer in weights]
    narrow = [
        width
        for width, layer, after, later in zip(units, weights, weights[1:], [*weights[2:], None], strict=False)
        if after.shape[1] in (width, _ways(layer) * width)
        and width < layer.shape[1] != after.shape[0]
        and "Embedding" not in layer.kind
        and not after.kind.endswith("Cell")
        and (later is None or _feeds(after, later))  # else one of several branches, as of an inception
    ]
    return float(min(narrow, default=math.inf))


def _encodes(recording: Recording, weights: list[Layer]) -> bool:
    """Whether what comes out has the shape of what goes in: the narrow layer of an autoencoder is its code."""
    loss, inputs = recording.facts.get("loss", {}), recording.facts.get("inputs", {}).get("shape", [])
    again = len(inputs) > 1 and loss.get("output_shape", [])[1:] == inputs[1:]
    return bool(again or weights[-1].shape[0] == weights[0].shape[1] > 1)


def thinnest(recording: Recording) -> float:
    """Units of the narrowest hidden layer that the next one takes, wherever it stands; inf where none is known."""
    weights = _executed(recording)
    if len(weights) < 2 or _encodes(recording, weights):
        return math.inf
    units = [layer.shape[0] // _GATES.get(layer.kind, 1) for layer, after in pairwise(weights)
             if _feeds(layer, after) and "Embedding" not in layer.kind
             and layer.shape[1] != after.shape[0]]  # fmt: skip
    return float(min(units, default=math.inf))


def _plain(recording: Recording) -> bool:
    """Whether no layer has an activation function within, where no graph shows it."""
    weights = [layer for layer in recording.layers if layer.role == "weight"]
    return not any(layer.kind.startswith(("RNN", *_GATES)) for layer in weights)


def _factorizes(recording: Recording) -> bool:
    """Whether the hidden layer is narrower than what comes in and what goes out, which is what it may be for."""
    weights = [layer for layer in recording.layers if layer.role == "weight" and len(layer.shape) == 2]
    return len(weights) > 1 and _narrowest(recording, feeding=False) is not None


def _narrowest(recording: Recording, *, feeding: bool = True) -> Layer | None:
    """The narrowest hidden layer, where it is narrower than both the input and the output; None where none is.

    `feeding`: of those that the next layer takes.
    """
    weights = [layer for layer in recording.layers if layer.role == "weight" and layer.shape and _of_units(layer)]
    passed_on = [layer for layer, after in pairwise(weights) if not feeding or _feeds(layer, after)]
    hidden = min(passed_on, key=lambda layer: layer.shape[0], default=None)
    return hidden if hidden and hidden.shape[0] < min(weights[-1].shape[0], weights[0].shape[-1]) else None


def _feeds(layer: Layer, after: Layer) -> bool:
    """Whether the next layer takes what this one gives: weights of an attention, or of a gate, go elsewhere."""
    if after.kind.endswith("Cell"):  # which may well take its own answers
        return False
    width, taken = layer.shape[0] // _GATES.get(layer.kind, 1), after.shape[1] if len(after.shape) > 1 else 0
    flattened = len(layer.shape) > 2 == len(after.shape) and taken % width == 0 and taken > 0
    return taken in (width, _ways(layer) * width) or flattened


def _ways(layer: Layer) -> int:
    """In how many directions it may go through a sequence."""
    return 2 if layer.kind in ("RNN", *_GATES) else 1


def _width(layer: Layer | None) -> tuple[Evidence, ...]:
    return (Evidence("narrowest", layer.name, float(layer.shape[0]), math.nan, "1", "below"),) if layer else ()
