"""frozen-parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainclinic.diagnose.chain import forward_gain
from trainclinic.diagnose.outcome import hurts, outcome, severity
from trainclinic.diagnose.problem import Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
_COUNTED, _ERRORS = 64, 3.0  # weights of a layer; standard errors of their size


@dataclass(frozen=True)
class FrozenParameters(Problem):
    """Parameters that should learn do not: some link between gradient, optimizer and weight is missing.

    What it is:
        A layer that was never given to the optimizer, kept in a plain Python list where PyTorch does not find it, cut
        off by detach(), or stepped with a learning rate of 0.

    Why training suffers:
        That part of the net stays as it was drawn at random, and the rest has to make do with it. Nothing fails and
        nothing warns.

    How it is measured:
        Exactly, without statistics: for every parameter the first link that is broken: forgotten by model and
        optimizer, not in the optimizer, learning rate 0, no gradient although its layer ran, an update that rounds to
        nothing. What was declared frozen is a problem only where it is most of the net, has the very size in which
        PyTorch draws weights, and the loss did not fall as it should.

    When it is harmless:
        Backbones frozen on purpose (requires_grad=False), adapters, unused heads: what was declared frozen is only
        mentioned.

    What to do:
        1. Give the optimizer every parameter: torch.optim.Adam(model.parameters()), after the model is complete.
        2. Keep modules in nn.ModuleList or nn.Sequential, never in a plain list or dict.
        3. Remove detach(), .data, .item() and torch.no_grad() from the way between output and loss.
        4. In bfloat16 or float16: keep the optimizer's copy of the weights in float32.

    References:
        PyTorch documentation of torch.optim and nn.ModuleList; Jiang et al. 2025 (TrainCheck).
    """

    share: float = limit(0.0, "1", "exact")
    most: float = limit(0.5, "1", RANGE)
    reached: float = limit(0.9, "1", RANGE, "below")

    reads: ClassVar[tuple[str, ...]] = ("weight_rms",)
    in_checkup: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "frozen_share": "share of the parameters that cannot learn",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "not in the optimizer": "The layers get a gradient, but no optimizer holds their parameters.",
        "forgotten": "The loss depends on weights that neither the model lists nor an optimizer holds: a module that "
        "was forgotten, or modules in a plain Python list or dict, where PyTorch does not find them.",
        "learning rate 0": "The optimizer holds the parameters, with a learning rate of 0.",
        "no gradient": "The layers run, but no gradient reaches them: something between them and the loss cuts the "
        "graph.",
        "rounds to nothing": "The updates are smaller than the precision of the weights, so that nothing changes.",
        "never trained": "requires_grad is False, and the weights are still as PyTorch draws them: nothing was ever "
        "learned there.",
        "declared frozen": "requires_grad is False: frozen on purpose, as it seems.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """The first broken link of each parameter, one finding for the cause that concerns most of them."""
        total = sum(math.prod(entry["shape"]) for entry in recording.facts.get("parameters", []))
        broken: dict[str, list[tuple[str, int]]] = {}
        for entry in recording.facts.get("parameters", []):
            cause = _first_broken_link(recording, entry)
            if cause:
                broken.setdefault(cause, []).append((entry["name"], math.prod(entry["shape"])))
        for weight in recording.facts.get("foreign", []):
            # A module in eval mode that nobody trains is a teacher or a fixed feature extractor.
            if not weight["moved"] and weight["training"] and recording.steps > 1:
                size = math.prod(weight["shape"])
                broken.setdefault("forgotten", []).append((weight["name"], size))
                total += size
        ranked = sorted(broken, key=lambda cause: (cause == "declared frozen", -sum(n for _, n in broken[cause])))
        if ranked:
            yield self._finding(recording, ranked[0], broken[ranked[0]], total)

    def _finding(self, recording: Recording, cause: str, broken: list[tuple[str, int]], total: int) -> Finding:
        result = outcome(recording)
        share = sum(size for _, size in broken) / max(1, total)
        names = dict.fromkeys(name.rpartition(".")[0] or name for name, _ in broken)
        harm = "checkup" in recording.facts or hurts(result, self.reached, neighbours=False)
        if (
            cause == "declared frozen"
            and share > self.most
            and harm
            and _as_drawn(recording, broken, recurrent="checkup" in recording.facts)
        ):
            cause = "never trained"
        meant = cause == "declared frozen"
        return Finding(
            problem=self.id(),
            level="observation" if meant else "problem",
            severity=0.1 if meant else max(share, severity(result)),
            confidence=0.7 if cause == "never trained" else 1.0,  # random features may be meant
            layers=tuple(names),
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence("frozen_share", "", share, self.share, "1"),
                Evidence("learned", "", result.reached, self.reached, "1", "below"),
            ),
            cause=cause,
        )


def _as_drawn(recording: Recording, broken: list[tuple[str, int]], *, recurrent: bool) -> bool:
    """Whether the weights have the size that PyTorch gives to layers at first, 1 / √(3 fan_in), all of several.

    `recurrent`: look at those of recurrent layers, too, which go from one time step to the next.
    """
    sizes = []
    for name, count in broken:
        layer = recording.layer(_layer(name)) if recording.series("weight_rms", _layer(name)) else None
        drawn_so = name.endswith(".weight") or (recurrent and "weight_hh" in name)
        if drawn_so and layer is not None and len(layer.shape) > 1 and count >= _COUNTED:
            gain = forward_gain(recording, layer.name)
            # The error of an RMS of so many uniform numbers is 0.45 / √count.
            sizes += [abs(gain * math.sqrt(3) - 1) * math.sqrt(count)] if math.isfinite(gain) else []
    several = len(sizes) > 1 or any("weight_hh" in name for name, _ in broken)  # a single one may be random features
    return several and max(sizes, default=math.inf) <= _ERRORS


def _first_broken_link(recording: Recording, entry: dict[str, Any]) -> str:
    if not entry["requires_grad"]:
        return "declared frozen"
    looks, missing = entry["looks"], entry["gradient_missing"]
    if not looks:
        return ""
    with_gradient = looks - missing - entry["gradient_zero"]
    if not entry["in_optimizer"]:
        return "not in the optimizer" if with_gradient and not _moves(recording, entry["name"]) else ""
    if entry["learning_rate_zero"] == looks:
        return "learning rate 0"
    if missing == looks:
        return "no gradient" if _ran(recording, entry["name"]) else ""
    low_precision = entry["dtype"] in ("bfloat16", "float16")
    return "rounds to nothing" if low_precision and with_gradient == looks and not entry["moved"] else ""


def _layer(parameter: str) -> str:
    return parameter.removesuffix(".weight").removesuffix(".bias")


def _moves(recording: Recording, parameter: str) -> bool:
    """Whether something else moves it: an optimizer that is not watched."""
    for name in (_layer(parameter), parameter):
        values = recording.series("weight_rms", name).values
        if len(values):
            return bool(np.ptp(values) > 0)
    return False


def _ran(recording: Recording, parameter: str) -> bool:
    return bool(recording.series("activation_rms", _layer(parameter)))
