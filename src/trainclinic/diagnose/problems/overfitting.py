"""overfitting."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainclinic.diagnose.outcome import chance_loss, outcome
from trainclinic.diagnose.problem import NotExaminedError, Problem, limit
from trainclinic.recording import Floats, Recording, Series, Steps
from trainclinic.records import Evidence, Finding

RANGE = "benchmarks/results/limits.json"
DEVELOPMENT = "benchmarks/diagnosis.py --development"  # what did harm there, and what did not


@dataclass(frozen=True)
class Overfitting(Problem):
    """The net gets better on what it has seen and worse on what it has not.

    What it is:
        After the general pattern the net learns the particular samples of the training set, noise included. The
        training loss goes on falling while the validation loss rises. A gap between the two alone is no fault.

    Why training suffers:
        Every further epoch makes the net worse where it matters, and its answers more confident than they deserve.

    How it is measured:
        The validation loss over the last fifth of the evaluations against its best (Prechelt's generalization loss),
        against the noise of the curve and against the loss of a guess, and the training loss over the same stretch.
        All must agree. Where the validation loss has risen by a little, well above that of training, it is an
        observation; and where it is five times that of training and far above it from the beginning, which is a problem
        where nearly half the loss of a guess lies between them.

    When it is harmless:
        A validation loss above the training loss that still falls; a rise within the noise of a small validation set;
        the second descent of very large nets.

    What to do:
        1. More data, or augmentation.
        2. Early stopping, with the best weights restored.
        3. Weight decay: AdamW 0.01 to 0.1, SGD 1e-4 to 5e-4.
        4. Dropout 0.1 to 0.5; label smoothing 0.1; mixup.
        5. A smaller net.

    References:
        Prechelt 1998 (early stopping); Srivastava et al. 2014 (dropout); Krogh & Hertz 1992 (weight decay).
    """

    loss: float = limit(0.2, "1", RANGE)
    noise: float = limit(3.0, "1", RANGE)
    of_chance: float = limit(0.1, "1", RANGE)
    training_fall: float = limit(0.1, "1", RANGE)
    mild: float = limit(0.02, "1", RANGE)
    gap: float = limit(0.1, "1", RANGE)
    apart: float = limit(0.15, "1", DEVELOPMENT)
    wide: float = limit(0.45, "1", DEVELOPMENT)
    ratio: float = limit(5.0, "1", DEVELOPMENT)
    evaluations: int = limit(5, "1", RANGE, "equal")

    reads: ClassVar[tuple[str, ...]] = ("validation_loss", "loss")
    beyond_answers: ClassVar[bool] = True
    measures: ClassVar[dict[str, str]] = {
        "generalization_loss": "rise of the validation loss since its best",
        "rise_in_noise": "that rise, in units of the curve's noise",
        "rise_of_chance": "that rise, against the loss of a guess",
        "training_fall": "fall of the training loss over the same stretch",
        "fit_gap": "the validation loss above that of training, against the loss of a guess",
        "fit_ratio": "the validation loss, in units of that of training",
        "best_step": "step of the best validation loss",
    }
    causes: ClassVar[dict[str, str]] = {
        "": "Since its best the validation loss has risen while the training loss went on falling: the net is learning "
        "the training samples by heart.",
        "by heart": "Of the training loss hardly anything is left, of the validation loss much: the net knows the "
        "training samples by heart, and tells little of others.",
    }

    def find(self, recording: Recording) -> Iterable[Finding]:
        """Judge the stretch from the best validation loss to the end."""
        series = recording.series("validation_loss")
        finite = np.isfinite(series.values)
        steps, values = series.steps[finite], series.values[finite]
        if len(values) < self.evaluations:
            seen = f"{len(values)} validation losses were seen, at least {self.evaluations} are needed"
            raise NotExaminedError(f"{seen}; tell them with watch.validate(loss=…)")
        best = int(np.argmin(values))
        last = float(np.median(values[-max(3, len(values) // 5) :]))
        rise = last / values[best] - 1 if values[best] > 0 else math.nan
        noise = _noise(values)
        in_noise = (last - values[best]) / noise if noise > 0 else math.inf
        fall = _training_fall(recording.series("loss"), steps, best)
        # A rise from almost nothing to almost nothing is large only as a ratio.
        of_chance = (last - values[best]) / chance_loss(recording)
        worse = rise > self.loss and in_noise > self.noise and fall > self.training_fall
        harm = worse and not of_chance <= self.of_chance  # of a loss whose guess is not known the rise alone tells
        trained = outcome(recording).last
        gap = (last - trained) / chance_loss(recording)
        mild = of_chance > self.mild and gap > self.gap and in_noise > self.noise and fall > 0
        # Or it never rose: the training rows are known by heart from early on.
        ratio = last / trained if trained > 0 else math.inf
        apart = ratio > self.ratio and gap > self.apart and last - trained > self.noise * noise
        wide = apart and gap > self.wide
        if not (harm or mild or apart):
            return
        yield Finding(
            problem=self.id(),
            level="problem" if harm or wide else "observation",
            severity=float(min(1.0, 0.3 + rise / 2)) if harm else float(min(1.0, gap)) if wide else 0.2,
            confidence=0.8,
            layers=(),
            steps=(int(steps[best]), int(steps[-1])),
            evidence=(
                Evidence("generalization_loss", "", rise, self.loss, "1"),
                Evidence("rise_in_noise", "", in_noise, self.noise, "1"),
                Evidence("rise_of_chance", "", of_chance, self.of_chance, "1"),
                Evidence("training_fall", "", fall, self.training_fall, "1"),
                Evidence("fit_gap", "", gap, self.gap if harm or mild else self.apart, "1"),
                Evidence("fit_ratio", "", ratio, self.ratio, "1"),
                Evidence("best_step", "", float(steps[best]), math.nan, "step"),
            ),
            cause="" if harm or mild else "by heart",
        )


def _noise(values: Floats) -> float:
    """Deviation of the curve around itself: robust, from second differences, which leave a trend out."""
    second = np.diff(values, 2)
    return float(1.4826 * np.median(np.abs(second - np.median(second))) / math.sqrt(6)) if len(second) else 0.0


def _training_fall(loss: Series, steps: Steps, best: int) -> float:
    """Share of the training loss that went away between the best validation and the end."""
    width = max(1, (int(steps[-1]) - int(steps[0])) // max(1, len(steps) - 1))

    def around(step: int) -> float:
        near = loss.values[(loss.steps >= step - width) & (loss.steps < step)]
        near = near[np.isfinite(near)]
        return float(near.mean()) if len(near) else math.nan

    then, now = around(int(steps[best])), around(int(steps[-1]))
    return 1 - now / then if then > 0 else math.nan
