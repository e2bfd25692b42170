"""wrong-mode."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from trainclinic.diagnose.outcome import fits, hurts, outcome, serves, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not


@dataclass(frozen=True)
class WrongMode(Problem):
    """The model trains in eval mode, or is evaluated in train mode.

    What it is:
        Dropout and BatchNorm do one thing in train mode and another in eval mode. model.eval() for validation without
        model.train() afterwards leaves the training in eval mode; a validation without model.eval() runs in train
        mode.

    Why training suffers:
        In eval mode Dropout is off and BatchNorm uses running statistics that no longer follow the data: the net
        loses its regularization or its normalization. In train mode a validation is random, depends on the other
        samples of the batch, and changes BatchNorm's statistics.

    How it is measured:
        Exactly: the mode of the model at every pass, and of every module that behaves differently. An evaluation in
        train mode is a problem where there is more than dropout, and validation lacks 0.04 of what training learned.

    When it is harmless:
        Without Dropout and BatchNorm both modes are the same. BatchNorm kept in eval mode in a model that otherwise
        trains is meant, as is Monte-Carlo dropout. Where the loss falls as it should it is only mentioned.

    What to do:
        1. model.train() at the start of every epoch, model.eval() before every validation.
        2. Validate under torch.no_grad().

    References:
        PyTorch documentation of torch.nn.Module.train and eval.
    """

    training: float = limit(0.1, "1", "exact")
    evaluation: float = limit(0.5, "1", "exact")
    learned: float = limit(0.97, "1", DEVELOPMENT, "below")
    lag: float = limit(0.04, "1", DEVELOPMENT)

    reads: ClassVar[tuple[str, ...]] = ("loss", "validation_loss")
    in_checkup: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    beyond_answers: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "eval_training": "share of the training passes that ran in eval mode",
        "train_evaluation": "share of the evaluations that ran in train mode",
        "lag": "what validation lacks of the share of the loss that training removed",
        "learned": "share of the loss that training removed, in training and validation",
    }
    causes: ClassVar[dict[str, str]] = {
        "trained in eval mode": "The model was in eval mode while it trained.",
        "evaluated in train mode": "The model was in train mode while it was evaluated.",
        "part in eval mode": "Some modules were kept in eval mode while the model trained: frozen BatchNorm, as it "
        "seems.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Compare the modes with what was done in them."""
        modes = recording.facts.get("modes", {})
        passes = modes.get("passes", {"train": 0, "eval": 0})
        if not sum(passes.values()):
            raise NotExaminedError("no pass of the model with a gradient was seen")
        sensitive = modes["sensitive"]
        if not sensitive:
            return
        names = tuple(module["name"] for module in sensitive)
        share = passes["eval"] / sum(passes.values())
        evaluations = modes["evaluations"]
        wrong = evaluations["train"] / max(1, sum(evaluations.values()))
        if share > self.training:
            yield self._finding(recording, "trained in eval mode", names, ("eval_training", share, self.training))
        elif wrong > self.evaluation and recording.series("validation_loss"):
            found = ("train_evaluation", wrong, self.evaluation)
            yield self._finding(recording, "evaluated in train mode", names, found)
        else:
            kept = _kept_in_eval(modes)
            if kept:
                yield self._finding(recording, "part in eval mode", kept, ("eval_training", share, self.training))

    def _finding(
        self, recording: Recording, cause: str, layers: tuple[str, ...], found: tuple[str, float, float]
    ) -> Finding:
        result = outcome(recording)
        lag = result.learned - result.reached if math.isfinite(result.chance) else math.nan
        if "checkup" in recording.facts:
            harm = cause != "part in eval mode"
        elif cause == "evaluated in train mode":  # the figure is what suffers, and Dropout costs it little
            lags = hurts(result, self.learned) if math.isnan(lag) else lag > self.lag
            harm = lags and _normalizes(recording) and not fits(recording)
        else:
            good = serves(recording, surely=True, fit=False)  # a fit has no dropout to miss
            harm = cause != "part in eval mode" and hurts(result, self.learned) and not good
        return Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=max(0.5, severity(result)) if harm else 0.1,
            confidence=1.0,
            layers=layers,
            steps=(0, recording.steps - 1),
            evidence=(
                Evidence(found[0], "", found[1], found[2], "1"),
                Evidence("lag", "", lag, self.lag, "1"),
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
            cause=cause,
        )


def _normalizes(recording: Recording) -> bool:
    """Whether a module that behaves differently is more than a dropout."""
    return any(not module.get("dropout") for module in recording.facts["modes"]["sensitive"])


def _kept_in_eval(modes: dict[str, Any]) -> tuple[str, ...]:
    looks = modes.get("looks", 0)
    return tuple(module["name"] for module in modes["sensitive"] if looks and module["eval_looks"] == looks)
