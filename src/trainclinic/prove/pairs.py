"""One run of a trial, in whichever process: built, treated, trained, evaluated on the way, diagnosed."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import cloudpickle
import torch
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic.diagnose.diagnose import diagnose
from trainclinic.diagnose.outcome import outcome
from trainclinic.errors import RecordingError, SetupError, TrainclinicError
from trainclinic.measure.run import Make, build
from trainclinic.measure.shadow import generators_kept, order_kept
from trainclinic.measure.watch import Watch
from trainclinic.prove.streams import Batches, Stream, seed_all
from trainclinic.records import Curve, Diagnosis, Dose, Treatment
from trainclinic.setup import Setup, evaluate, train
from trainclinic.treat.operation import operate, remedy_of
from trainclinic.treat.remedy import RefusedError

EVALUATED = (0.125, 0.25, 0.5, 0.75)  # shares of a run after which it is evaluated, besides at its end
EARLY = (0.25, 0.5)  # shares of an untreated run at which it is diagnosed too, for shorter runs to be compared with
FIXED_BATCHES = 8  # training batches on which a Setup without validation data is judged
_ALONE = threading.Lock()  # random numbers and hooks are the process's: one run at a time in each
WORST = 1e9  # a loss that is not finite counts as this one


@dataclass(frozen=True)
class Job:
    """A run to be made.

    Attributes:
        make: builds the Setup.
        seed: of the run.
        remedies: of the treated arm; none for the control.
        length: steps of a whole untreated run [optimizer steps]; 0 where that is not known yet.
        share: of the run that is made, from its beginning [0..1].
        hopeless: stop after an eighth of the run unless the measure is above this score by then; NaN: never stop.
        measure: what is compared; "" for the Setup's metric.
    """

    make: Make
    seed: int
    remedies: tuple[Dose, ...] = ()
    length: int = 0
    share: float = 1.0
    hopeless: float = math.nan
    measure: str = ""


@dataclass(frozen=True)
class Run:
    """What came of a job.

    Attributes:
        curve: of the measure, in its own unit.
        measure: what it is.
        steps: that were made [optimizer steps].
        diagnosis: of the run; without its recording unless it was the untreated whole one.
        treatment: that was applied.
        batches: fingerprints of the training batches, 8 bytes each.
        refused: why the treatment does not fit, or "".
        stopped: whether it was given up as hopeless.
        half_at: the step that is half of the run [optimizer steps].
        shapes: of the parameters as `make` built them.
        losses: the validation loss.
        on_training_batches: whether it was judged on those, for want of validation data.
        learned: share of a guess's loss that is gone at best, in training and in validation; NaN: not known.
        early: of an untreated whole run: share of it → the diagnosis at that time, and what was learned by then.
    """

    curve: Curve
    measure: str
    steps: int
    diagnosis: Diagnosis = field(default_factory=lambda: Diagnosis(()))
    treatment: Treatment = field(default_factory=lambda: Treatment((), (), ""))
    batches: bytes = b""
    refused: str = ""
    stopped: bool = False
    half_at: int = 0
    shapes: tuple[tuple[int, ...], ...] = ()
    losses: Curve = field(default_factory=lambda: Curve(0, (), ()))
    on_training_batches: bool = False
    learned: float = math.nan
    early: dict[float, tuple[Diagnosis, float]] = field(default_factory=dict)

    def at(self, step: int) -> float:
        """The measure at a step, or the last one before it; of a run that ended before, at its end."""
        reached = [value for at, value in zip(self.curve.steps, self.curve.values, strict=True) if at <= step]
        return reached[-1] if reached else math.nan

    @property
    def half(self) -> float:
        """The measure at half of the run."""
        return self.at(self.half_at)

    @property
    def start(self) -> float:
        """The measure of the untrained network."""
        return self.at(0)

    def until(self, share: float) -> Run:
        """Its beginning, as a run of that share would be: the same seed makes the same steps."""
        if share not in self.early:
            return self
        end = max(1, round(share * self.steps))
        diagnosis, learned = self.early[share]
        curve, losses = (_cut(one, end) for one in (self.curve, self.losses))
        return replace(self, curve=curve, losses=losses, steps=end, diagnosis=diagnosis, learned=learned, early={})

    def by_loss(self) -> Run:
        """The same run, judged by its validation loss."""
        return replace(self, curve=self.losses, measure="loss")

    @property
    def end(self) -> float:
        """The measure at the end; of a run that broke off, NaN."""
        return math.nan if self.curve.error or not self.curve.values else self.curve.values[-1]

    @property
    def problems(self) -> tuple[str, ...]:
        """Every problem that hurts in it, roots first."""
        return tuple(finding.problem for finding in self.diagnosis.findings if finding.level == "problem")


def _cut(curve: Curve, end: int) -> Curve:
    kept = sum(step <= end for step in curve.steps)
    return replace(curve, steps=curve.steps[:kept], values=curve.values[:kept], error="")


def score(measure: str, value: float) -> float:
    """The value on the scale on which differences are taken: more is better, and never infinite.

    A loss counts by its negative logarithm, so that differences are ln(control / treated) [Sharma 2025 pairs seeds in
    the same way]; a metric as it is, but not below -1, where an R² that diverged would outweigh all other seeds.
    """
    if measure == "loss":
        return -math.log(min(max(value, 1e-12), WORST)) if math.isfinite(value) else -math.log(WORST)
    return max(value, -1.0) if math.isfinite(value) else -1.0


def run(job: Job) -> Run:
    """Make one run, on one thread, and leave the process's random numbers as they were.

    An error of the user's own training is part of the result; one of `make` is not.

    Raises:
        SetupError: `make` gives something that is no Setup, or one that cannot be evaluated.
    """
    with _ALONE, _one_thread(), generators_kept():
        setup = build(job.make, job.seed)
        _check(setup)
        shapes = tuple(tuple(parameter.shape) for parameter in setup.model.parameters())
        seed_all(job.seed, "surgery")
        try:
            setup, treatment = operate(setup, [remedy_of(dose) for dose in job.remedies])
        except RefusedError as reason:
            return Run(Curve(job.seed, (), (), str(reason)), _measure(job, setup), 0, refused=str(reason))
        batches = Batches(setup.train_loader, Stream(job.seed, "batches"))
        judged = replace(setup, val_loader=_validation(setup, Stream(job.seed, "validation")))
        observed = _Observed(job, judged, _measure(job, setup))
        seed_all(job.seed, "noise")
        setup = replace(setup, train_loader=batches)
        diagnosis = observed.train(setup)
        steps, error = tuple(observed.steps), observed.error
        return Run(
            Curve(job.seed, steps, tuple(observed.values), error),
            observed.measure,
            observed.done,
            diagnosis if not job.remedies and job.share == 1.0 else replace(diagnosis, recording=None),
            treatment,
            bytes(batches.fingerprints),
            stopped=observed.stopped,
            half_at=observed.half_at,
            shapes=shapes,
            losses=Curve(job.seed, steps, tuple(observed.losses), error),
            on_training_batches=setup.val_loader is None,
            learned=learned_of(diagnosis),
            early=observed.early,
        )


def run_packed(job: bytes) -> bytes:
    """`run` for another process: what goes in and out travels by cloudpickle."""
    packed: bytes = cloudpickle.dumps(run(cloudpickle.loads(job)))
    return packed


def learned_of(diagnosis: Diagnosis) -> float:
    """Share of a guess's loss that the run is rid of, where its loss has a known value for a guess; else NaN."""
    recording = diagnosis.recording
    if recording is None:
        return math.nan
    result = outcome(recording)
    return result.reached if math.isfinite(result.chance) else math.nan


class _EnoughError(BaseException):
    """Ends a training from within its optimizer's step; no `except Exception` of a user's loop holds it up."""


class _Observed:
    """A training that is evaluated on its way, whatever its loop looks like."""

    def __init__(self, job: Job, judged: Setup, measure: str) -> None:
        self.measure = measure
        self.steps: list[int] = []
        self.values: list[float] = []
        self.losses: list[float] = []
        self.done = 0
        self.error = ""
        self.stopped = False
        self.early: dict[float, tuple[Diagnosis, float]] = {}
        self._job, self._judged = job, judged
        planned = judged.epochs * _batch_count(judged.train_loader)
        length = self._whole = job.length or planned
        if job.remedies and judged.loop is None and job.share == 1.0:
            self._whole = max(length, planned)  # a longer treatment is seen to its end
        self._last = round(job.share * length) if job.share < 1.0 else 0
        self._marks = {max(1, round(share * self._whole)) for share in EVALUATED}
        self._eighth, self.half_at = (max(1, round(share * self._whole)) for share in (EVALUATED[0], 0.5))
        untreated = not job.remedies and job.share == 1.0 and not job.length
        self._early = {max(1, round(share * self._whole)): share for share in EARLY} if untreated else {}

    def train(self, setup: Setup) -> Diagnosis:
        try:
            self._evaluate()
        except TrainclinicError:
            raise
        except Exception as error:
            raise SetupError(f"make: expected a model that can be evaluated, but that raised {type(error).__name__}: "
                             f"{error}; try trainclinic.setup.evaluate(make({self._job.seed}))") from error  # fmt: skip
        with Watch(setup.model, setup.optimizer, setup.loss_fn) as watch:
            self._watch = watch
            handle = register_optimizer_step_post_hook(self._after_step)  # after the watch's own: its step is done
            try:
                train(setup, None if setup.loop else watch.validate)
            except _EnoughError:
                pass
            except TrainclinicError:
                raise
            except Exception as error:
                self.error = f"{type(error).__name__}: {error}"
            finally:
                handle.remove()
        if not self.done and not self.error:
            raise SetupError("make: expected a training that makes optimizer steps, got none; is train_loader empty?")
        restored = setup.loop is not None  # a loop may restore better weights at its end
        if not self.error and (restored or self.steps[-1] != self.done):
            self._evaluate()
        try:
            return diagnose(watch)
        except RecordingError:
            return Diagnosis(())

    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        if optimizer is not self._judged.optimizer:
            return
        self.done += 1
        last = self.done == self._last
        if self.done in self._marks or last:
            self._evaluate()
        if self.done in self._early:
            diagnosis = diagnose(self._watch)
            self.early[self._early[self.done]] = replace(diagnosis, recording=None), learned_of(diagnosis)
        if last:
            raise _EnoughError
        if self.done == self._eighth and not score(self.measure, self.values[-1]) > self._job.hopeless:
            self.stopped = not math.isnan(self._job.hopeless)
            if self.stopped:
                raise _EnoughError

    def _evaluate(self) -> None:
        with generators_kept():
            figures = evaluate(self._judged)
        if self.done in self.steps:
            for figure in (self.steps, self.values, self.losses):
                figure.pop()
        self.steps.append(self.done)
        self.values.append(figures[self.measure])
        self.losses.append(figures["loss"])


def _check(setup: Setup) -> None:
    for name in ("train_loader", "val_loader"):
        loader = getattr(setup, name)
        if hasattr(loader, "__next__"):
            raise SetupError(f"Setup.{name}: expected batches that can be iterated in every epoch, got "
                             f"{type(loader).__name__}, which can be once; use a list or a DataLoader")  # fmt: skip


def _measure(job: Job, setup: Setup) -> str:
    return job.measure or ("loss" if setup.step is not None else setup.metric_name)


def _validation(setup: Setup, stream: Stream) -> Any:
    """Batches that do not change between two evaluations, nor draw from the training's random numbers."""
    if setup.val_loader is not None:
        return Batches(setup.val_loader, stream)
    with order_kept(setup.train_loader):
        return list(islice(setup.train_loader, FIXED_BATCHES))


def _batch_count(loader: Any) -> int:
    try:
        return max(1, len(loader))
    except TypeError:
        with order_kept(loader):
            return max(1, sum(1 for _ in loader))


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Sums depend on how many threads add them up: every run of a trial has one, wherever it is made."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
