"""unequal-replicas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording, Steps
from trainclinic.records import Evidence, Finding

PRINT = "replica_fingerprint"


@dataclass(frozen=True)
class UnequalReplicas(Problem):
    """Processes that should train one and the same network train different ones.

    What it is:
        In data-parallel training every process holds a copy of the weights. The copies start equal, get the same
        averaged gradient and take the same step, so they stay equal to the last bit. Here they do not.

    Why training suffers:
        Each process fits a network of its own to its own part of the data, and an average of their gradients belongs to
        none of them. What is saved is the network of one process, which has seen a fraction of the data.

    How it is measured:
        Exactly: at every step that was looked at, each process takes a checksum of each parameter that it holds whole,
        and the checksums of all processes are compared. How far the weights are apart is read off their sizes, which is
        less than their distance. Buffers, such as the running statistics of BatchNorm, may differ and are not compared.

    When it is harmless:
        Where processes are meant to hold different weights: experts, stages of a pipeline, parts of a split layer, an
        ensemble; and between two rounds of a training that averages weights now and then. What differs in rounding
        alone, on machines of different kinds, is only mentioned.

    What to do:
        1. Wrap the model: `DistributedDataParallel(model)`, and call the wrapper, not `model.module`, in training.
        2. Without it: the same seed or `torch.distributed.broadcast` of every parameter before the first step, and the
           average of every gradient before each step.
        3. Let every process take every step: decide on skipping one from a number that all of them share.

    References:
        Li et al. 2020, "PyTorch Distributed"; PyTorch documentation of DistributedDataParallel.
    """

    unequal: float = limit(0.0, "parameters", "exact")
    rounding: float = limit(1e-6, "1", "rounding of float32")

    reads: ClassVar[tuple[str, ...]] = (PRINT, "weight_rms", "gradient_norm")
    exact: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "unequal_parameters": "parameters that are not the same in all processes",
        "size_difference": "largest difference in the size of a weight, relative",
        "gradient_difference": "difference of the gradient norms, relative",
        "step_difference": "steps that one process took and another did not",
    }
    causes: ClassVar[dict[str, str]] = {
        "gradients not averaged": "Each process steps with a gradient of its own: these parameters are not in "
        "DistributedDataParallel, or the network was called past it.",
        "different start": "The copies differed before the first step, and nothing made them equal; since then all "
        "follow the same gradient.",
        "different steps": "The processes did not take the same number of steps: one skipped a step that others took.",
        "": "The copies were equal at first and drifted apart, although their gradients are the same.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Compare the checksums of every parameter over the ranks, at the steps they share."""
        facts = recording.facts.get("distributed")
        if not facts:
            raise NotExaminedError("the run had one process")
        ranks = recording.ranks
        first = {name: step for name in _parameters(ranks) if (step := _first_difference(ranks, name)) is not None}
        if first:
            yield self._finding(recording, first)
        elif not ranks:
            raise NotExaminedError(f"one rank of {facts['world_size']} was read alone")
        elif facts["missing"]:
            why = [f"rank {rank} of {facts['world_size']}: {said}" for rank, said in facts["missing"].items()]
            raise NotExaminedError(", ".join(why[:3]) + (", …" if len(why) > 3 else ""))
        elif not _parameters(ranks):
            raise NotExaminedError("no parameter is held whole by more than one process")

    def _finding(self, recording: Recording, first: dict[str, int]) -> Finding:
        ranks = recording.ranks
        size = _largest(float(_apart(ranks, "weight_rms", _layer(recording, name)).max()) for name in first)
        gradient = _gradients_apart(recording, first)
        steps = [one.steps for one in ranks]
        hurts = not size <= self.rounding
        return Finding(
            problem=self.id(),
            level="problem" if hurts else "observation",
            severity=max(0.5, severity(outcome(recording))) if hurts else 0.1,
            confidence=1.0,
            layers=tuple(dict.fromkeys(_owner(recording, name) for name in first)),
            steps=(min(first.values()), recording.steps - 1),
            evidence=(
                Evidence("unequal_parameters", "", len(first), self.unequal, "parameters"),
                Evidence("size_difference", "", size, self.rounding, "1"),
                Evidence("gradient_difference", "", float(gradient.max()), math.nan, "1"),
                Evidence("step_difference", "", max(steps) - min(steps), math.nan, "steps"),
            ),
            cause=self._cause(ranks, min(first.values()), gradient),
        )

    def _cause(self, ranks: Sequence[Recording], first: int, gradient: Floats) -> str:
        if gradient[0] > self.rounding:
            return "gradients not averaged"
        if len({one.steps for one in ranks}) > 1 and all(one.ended == "completed" for one in ranks):
            return "different steps"
        if gradient.max() > self.rounding:
            return "gradients not averaged"
        return "different start" if first == 0 else ""


def _parameters(ranks: Sequence[Recording]) -> list[str]:
    """Those of which at least two ranks took a checksum."""
    places = [place for one in ranks for signal, place in one._series if signal == PRINT]
    return [name for name in dict.fromkeys(places) if places.count(name) > 1]


def _shared_steps(ranks: Sequence[Recording], signal: str, place: str) -> Steps:
    return reduce(np.intersect1d, [one.series(signal, place).steps for one in ranks])


def _first_difference(ranks: Sequence[Recording], parameter: str) -> int | None:
    holders = [one for one in ranks if one.series(PRINT, parameter)]
    steps = _shared_steps(holders, PRINT, parameter)
    found = np.array([_at(one, PRINT, parameter, steps) for one in holders])
    differ = steps[(found != found[0]).any(0)]
    return int(differ[0]) if len(differ) else None


def _gradients_apart(recording: Recording, parameters: Iterable[str]) -> Floats:
    """The relative difference of the gradients of these parameters over the run; of all where they are vectors."""
    found = [_apart(recording.ranks, "gradient_rms", _layer(recording, name)) for name in parameters]
    known = [part for part in found if not np.isnan(part).all()]
    if known:
        return max(known, key=lambda part: float(part.max()))
    sharded = any(one.facts["distributed"]["sharded"] for one in recording.ranks)
    return np.array([math.nan]) if sharded else _apart(recording.ranks, "gradient_norm", "")


def _apart(ranks: Sequence[Recording], signal: str, place: str) -> Floats:
    """How far the ranks are apart at each step, against the largest of them; one NaN where none was measured."""
    holders = [one for one in ranks if one.series(signal, place)]
    if len(holders) < 2:
        return np.array([math.nan])
    steps = _shared_steps(holders, signal, place)
    found = np.array([_at(one, signal, place, steps) for one in holders])
    found = found[:, np.isfinite(found).all(0)]
    if not found.size:
        return np.array([math.nan])
    largest: Floats = np.maximum(np.abs(found).max(0), np.finfo(float).tiny)
    apart: Floats = (found.max(0) - found.min(0)) / largest
    return apart


def _largest(values: Iterable[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _layer(recording: Recording, parameter: str) -> str:
    """The layer under which its signals stand, if any do."""
    return _owner(recording, parameter) if parameter.rpartition(".")[2] == "weight" else parameter


def _at(one: Recording, signal: str, place: str, steps: Steps) -> Floats:
    series = one.series(signal, place)
    return series.values[np.searchsorted(series.steps, steps)]


def _owner(recording: Recording, parameter: str) -> str:
    return parameter.rpartition(".")[0] or str(recording.environment.get("model", parameter))
