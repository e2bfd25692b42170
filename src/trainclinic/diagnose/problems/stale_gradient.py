"""stale-gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import answers_well, hurts, outcome, severity
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Recording
from trainclinic.records import Evidence, Finding

DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not


@dataclass(frozen=True)
class StaleGradient(Problem):
    """The gradients of earlier batches are still there: zero_grad is missing or misplaced.

    What it is:
        backward() adds to .grad. Without optimizer.zero_grad() each step uses the sum of the gradients of all batches
        so far.

    Why training suffers:
        The sum grows with every step and points where the loss fell long ago. It acts like a momentum that never
        forgets, with a learning rate that grows without bound.

    How it is measured:
        Exactly: whether the gradients were empty or zero before the first backward call after an optimizer step.
        Gradient accumulation over several batches is fine, as long as they are cleared after the step.

    When it is harmless:
        Where the loss falls all the same: with small steps the sum acts like a strong momentum. Mend it even so.

    What to do:
        1. optimizer.zero_grad() once per optimizer step, before backward().
        2. With gradient accumulation: divide the loss by the number of batches, and clear after the step.

    References:
        PyTorch documentation of torch.optim.Optimizer.zero_grad.
    """

    share: float = limit(0.5, "1", "exact")
    learned: float = limit(0.95, "1", DEVELOPMENT, "below")

    reads: ClassVar[tuple[str, ...]] = ("gradient_cosine", "gradient_norm")
    in_checkup: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "stale_share": "share of the steps that began with the gradients of the step before",
        "cosine": "cosine of the gradient with that of the step before, median over layers",
        "learned": "share of the loss that training removed, in training and validation",
        "norm_growth": "global gradient norm at the end against the start",
    }
    causes: ClassVar[dict[str, str]] = {
        "": "The gradients are not cleared between optimizer steps, so that every step uses the sum of all before."
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Count the steps whose gradients were never cleared since the step before."""
        seen = recording.facts.get("gradient_cleared", {})
        if not seen.get("looks"):
            raise NotExaminedError("fewer than two steps were looked at")
        share = seen["stale"] / seen["looks"]
        if share <= self.share:
            return
        cosines = [recording.series("gradient_cosine", layer.name).late(1.0) for layer in recording.layers]
        known = [value for value in cosines if math.isfinite(value)]
        norm = recording.series("gradient_norm")
        result = outcome(recording)
        harm = hurts(result, self.learned) and not answers_well(recording)
        harm = harm or "checkup" in recording.facts  # of which nothing has come yet
        yield Finding(
            problem=self.id(),
            level="problem" if harm else "observation",
            severity=max(0.5, severity(result)) if harm else 0.3,
            confidence=1.0,
            layers=(),
            steps=(1, recording.steps - 1),
            evidence=(
                Evidence("stale_share", "", share, self.share, "1"),
                Evidence("cosine", "", float(np.median(known)) if known else math.nan, math.nan, "1"),
                Evidence("norm_growth", "", norm.late() / norm.early(1) if norm.early(1) else math.nan, math.nan, "1"),
                Evidence("learned", "", result.reached, self.learned, "1", "below"),
            ),
        )
