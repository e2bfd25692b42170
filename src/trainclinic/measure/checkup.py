"""checkup: before a training, look at its data, run its loop, fit a batch, try learning rates and rehearse it.

Everything happens on copies, and every generator is put back: what was examined is as it was. The findings' rules read
a recording, so a checkup is one, too: the series are those of fitting one batch, which a sound network can; the facts
(modes, gradients cleared, parameters moved, …) are those of the training's own loop; the data come from the loaders.

Under `checkup` the facts hold

    overfit         samples, steps, first and last loss of fitting one batch without dropout or weight decay
    ladder          factor of the learning rate → loss after 25 steps on the first batches; start: before them
    mixes_samples   change of a sample's output when another sample of the batch is exchanged, in eval mode, against the
                    deviation between samples; NaN where it was not tried
    same_order      whether two epochs begin with the same batch; None where it was not seen
    planned_steps   optimizer steps of the training as it is planned; None where it is not known
    rehearsal       what a copy came to that was trained for three seconds (`rehearsal.py`); its `answers` and
                    `classes` stand where those of a training do
    stopped         why the loop was not followed to its end, or ""

Fitting one batch: Karpathy 2019 (a recipe for training neural networks). Ladder: Smith 2017 (LR range test).
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from trainclinic.errors import SetupError
from trainclinic.measure.data_card import Rows, card
from trainclinic.measure.facts import InputFacts, TargetFacts
from trainclinic.measure.outputs import first_tensor
from trainclinic.measure.rehearsal import rehearse
from trainclinic.measure.run import Make, build
from trainclinic.measure.shadow import generators_kept, order_kept, seed_generators
from trainclinic.measure.snapshot import Snapshot
from trainclinic.measure.watch import Watch
from trainclinic.recording import Recording
from trainclinic.setup import Setup, pair, train, update

SAMPLES = 3000  # of training that the loop is to see: what dead units are told by
MOST_BATCHES = 60  # of an epoch
FEWEST_STEPS = 20  # of the loop, however slow they are
EPOCHS = 2  # of the loop: some mistakes show only after the first validation
ONE_BATCH = 32  # samples that are fitted
FIT_STEPS = 200
FITTED = 0.01  # of the first loss: then it is enough
RUNGS = (1 / 30, 1 / 10, 1 / 3, 1.0, 3.0, 10.0, 30.0)  # of the learning rate
RUNG_STEPS = 25
PATIENCE = 2.5  # seconds for the data, for the loop, for one batch and for the ladder; slow networks are seen in part
ALL = 8.0  # seconds after which nothing more is rehearsed
SLOW = 0.5  # seconds to build a Setup: then two have to do


class _EnoughError(Exception):
    """The loop has shown what it was to show."""


def checkup(source: Make | Setup, seed: int = 0) -> Recording:
    """Examine a training that has not begun.

    Args:
        source: builds a fresh Setup from a seed, or a Setup, which is left as it is.
        seed: of what is built.

    Raises:
        SetupError: there is no Setup, or it cannot be copied.
    """
    begun = time.perf_counter()
    with generators_kept(), contextlib.ExitStack() as kept:
        fresh = _sources(source, seed)
        untouched = next(fresh)
        for loader in (untouched.train_loader, untouched.val_loader):
            kept.enter_context(order_kept(loader))  # it may be one that all share
        facts, same_order = _data(untouched)
        planned, mixes = _planned(untouched), _mixes_samples(untouched)
        followed, stopped = _follow(next(fresh), facts.pop("size"))
        fitted, fit = _fit(next(fresh))
        more = {
            "overfit": fit,
            "ladder": _ladder(next(fresh)),
            "mixes_samples": mixes,
            "same_order": same_order,
            "planned_steps": planned,
            "stopped": stopped,
        }
        rehearsed = _rehearse(next(fresh), planned, begun + ALL)
        last = {"answers": rehearsed.pop("answers", {}), "classes": rehearsed.pop("classes", {})}
        facts["non_finite"] = rehearsed.pop("non_finite", None)
        more["rehearsal"] = rehearsed
    return _together(followed, fitted, {**facts, "checkup": more}, last)


def _sources(source: Make | Setup, seed: int) -> Iterator[Setup]:
    """Fresh Setups, all alike, each with seeded generators: built anew, or copied where what is built is shared.

    Of two that took long to build one is put back: all but the training's own loop, which comes second, can do with it.
    """
    if not isinstance(source, Setup):
        begun = time.perf_counter()
        first, second = build(source, seed), build(source, seed)
        slow = time.perf_counter() - begun > 2 * SLOW
        if not _share_weights(first, second):
            yield from _put_back(first, second, seed) if slow else _built(source, seed)
        source = first
    while True:
        seed_generators(seed)
        yield _copy(source)


def _share_weights(first: Setup, second: Setup) -> bool:
    weights = [{id(one) for one in setup.model.parameters()} for setup in (first, second)]
    return first.model is second.model or not weights[0].isdisjoint(weights[1])


def _built(make: Make, seed: int) -> Iterator[Setup]:
    while True:
        yield build(make, seed)


def _put_back(setup: Setup, for_the_loop: Setup, seed: int) -> Iterator[Setup]:
    kept = Snapshot(setup)
    for one in itertools.chain((setup, for_the_loop), itertools.repeat(setup)):
        kept.put_back()
        seed_generators(seed)
        yield one


def _copy(setup: Setup) -> Setup:
    loaders = [getattr(setup, name) for name in ("train_loader", "val_loader")]
    data = [getattr(loader, "dataset", None) for loader in loaders]
    try:
        return copy.deepcopy(setup, {id(held): held for held in data if held is not None})
    except Exception as error:  # whatever a user's object raises when it is copied
        raise SetupError(f"Setup: expected one that can be copied, so that it stays as it is, but "
                         f"{type(error).__name__}: {error}; pass a make(seed) that builds it") from error  # fmt: skip


# -- the data


def _data(setup: Setup) -> tuple[dict[str, Any], bool | None]:
    """The facts of the data, read from the loaders; and whether every epoch has the same order."""
    training, validation = Rows(), Rows()
    inputs, targets = InputFacts(), TargetFacts()
    first: Tensor | None = None
    for batch in _while_patient(setup.train_loader):
        x, y = _pair(setup, batch)
        first = x if first is None else first
        training.see_inputs(x)
        inputs.update(x)
        if y is not None:
            training.see_targets(y)
            targets.update(y)
        if not training.wants_more and inputs.enough:
            break
    for batch in _while_patient(setup.val_loader or ()):
        x, y = _pair(setup, batch)
        validation.see_inputs(x)
        if y is not None:
            validation.see_targets(y)
    again = next((_pair(setup, batch)[0] for batch in setup.train_loader), None)
    known = first is not None and again is not None and first.shape == again.shape and len(first) > 1
    facts: dict[str, Any] = {
        "inputs": inputs.to_dict(),
        "targets": targets.to_dict(),
        "data": card(training, validation)[0],
        "size": _length(setup),
    }
    return facts, bool(torch.equal(first, again)) if known and first is not None and again is not None else None


def _pair(setup: Setup, batch: Any) -> tuple[Tensor | None, Tensor | None]:
    """Input and target of a batch, where they can be told."""
    if setup.step is not None and not (isinstance(batch, list | tuple) and len(batch) == 2):
        return first_tensor(batch), None
    x, y = pair(batch)
    return first_tensor(x), y if isinstance(y, Tensor) else None


def _while_patient(loader: Iterable[Any]) -> Iterator[Any]:
    until = time.perf_counter() + PATIENCE
    for batch in loader:
        yield batch
        if time.perf_counter() > until:
            return


def _length(setup: Setup) -> int | None:
    try:
        return len(setup.train_loader.dataset)  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        return None


def _planned(setup: Setup) -> int | None:
    try:
        return setup.epochs * len(setup.train_loader)  # type: ignore[arg-type]
    except TypeError:
        return None


# -- the training's own loop


class _First:
    """The first batches of a loader, in every epoch."""

    def __init__(self, loader: Iterable[Any], count: int) -> None:
        self._loader, self._count = loader, count

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(iter(self._loader), self._count)

    def __len__(self) -> int:
        return min(self._count, len(self._loader))  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_loader", "_count"):
            raise AttributeError(name)
        return getattr(self._loader, name)


def _follow(setup: Setup, size: int | None) -> tuple[Recording, str]:
    """A few steps of the training as it will be, watched at each."""
    batch = first_tensor(_first_batch(setup))
    if batch is None:
        raise SetupError("train_loader: expected batches with a tensor, got none in the first; yield (input, target), "
                         "or a dict or tuple that your step takes apart")  # fmt: skip
    wanted = min(SAMPLES, size or SAMPLES) if batch.ndim else 1
    count = max(4, min(MOST_BATCHES, -(-wanted // max(1, len(batch) if batch.ndim else 1))))
    short = replace(
        setup,
        train_loader=_First(setup.train_loader, count),
        val_loader=_First(setup.val_loader, 4) if setup.val_loader is not None else None,
        epochs=EPOCHS,
        scheduler=None,
    )
    until, steps, stopped = time.perf_counter() + PATIENCE, itertools.count(1), ""

    def enough(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        step = next(steps)
        if step > EPOCHS * count or (step > FEWEST_STEPS and time.perf_counter() > until):
            raise _EnoughError

    with Watch(short.model, short.optimizer, short.loss_fn, every=1, training_samples=size) as watch:
        handle = register_optimizer_step_post_hook(enough)
        try:
            train(short, None if short.loop else watch.validate)
        except _EnoughError:
            stopped = "it was stopped after the first steps"
        finally:
            handle.remove()
    return watch.recording, stopped


# -- one batch


def _fit(setup: Setup) -> tuple[Recording, dict[str, Any]]:
    """Fit one batch, without dropout and weight decay, by the Setup's own optimizer; and how it went."""
    batch = _part(_first_batch(setup))
    for module in setup.model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
    for group in setup.optimizer.param_groups:
        group["lr"] = group.get("initial_lr", group["lr"])
        if "weight_decay" in group:
            group["weight_decay"] = 0.0
    setup.model.train()
    losses: list[float] = []
    until = time.perf_counter() + PATIENCE
    with Watch(setup.model, setup.optimizer, setup.loss_fn) as watch:
        for _ in range(FIT_STEPS):
            losses.append(float(update(setup, copy.copy(batch))))  # a step may take parts out of it
            if not math.isfinite(losses[-1]) or (len(losses) > FIT_STEPS // 4 and losses[-1] < FITTED * losses[0]):
                break
            if len(losses) >= FEWEST_STEPS and time.perf_counter() > until:
                break
    samples = first_tensor(batch)
    fit = {
        "samples": len(samples) if samples is not None and samples.ndim else 1,
        "steps": len(losses),
        "first": losses[0],
        "last": losses[-1],
    }
    return watch.recording, fit


def _first_batch(setup: Setup) -> Any:
    try:
        return next(iter(setup.train_loader))
    except StopIteration:
        raise SetupError("train_loader: expected batches each time it is read, got none; is the data set empty, "
                         "or an iterator that can be read only once?") from None  # fmt: skip


def _part(batch: Any) -> Any:
    """The first samples of it, where it is a pair of tensors."""
    if isinstance(batch, list | tuple) and len(batch) == 2 and all(isinstance(x, Tensor) and x.ndim for x in batch):
        return [x[:ONE_BATCH] for x in batch]
    return batch


def _ladder(setup: Setup) -> dict[str, Any]:
    """Loss after a few steps at each learning rate, all from the same start on the same batches."""
    batches = list(itertools.islice(setup.train_loader, RUNG_STEPS))
    setup.model.train()
    start = Snapshot(setup)
    until, rungs, before = time.perf_counter() + PATIENCE, {}, math.nan
    for factor in sorted(RUNGS, key=lambda rung: abs(math.log(rung))):  # the nearest first: the time may not last
        start.put_back()
        for group in setup.optimizer.param_groups:
            group["lr"] = factor * group.get("initial_lr", group["lr"])
        losses: list[float] = []
        while len(losses) < RUNG_STEPS and time.perf_counter() < until:
            losses.append(float(update(setup, copy.copy(batches[len(losses) % len(batches)]))))
        if len(losses) < RUNG_STEPS:
            break
        before = losses[0]
        rungs[f"{factor:.3g}"] = sum(losses[-5:]) / 5
    return {"start": before, "rungs": rungs}


def _rehearse(setup: Setup, planned: int | None, until: float) -> dict[str, Any]:
    try:
        return rehearse(setup, planned, until=until)
    except Exception:  # such as of a validation set that only the user's own loop can read
        return {}


def _mixes_samples(setup: Setup) -> float:
    """How much the output of one sample depends on another one."""
    batch = next(iter(setup.train_loader), None)
    if setup.step is not None or batch is None:
        return math.nan
    x = pair(_part(batch))[0]
    if not isinstance(x, Tensor) or x.ndim == 0 or len(x) < 3:
        return math.nan
    setup.model.eval()
    other = x.clone()
    other[0] = x[1]
    with torch.no_grad():
        outputs = [first_tensor(setup.model(value)) for value in (x, x, other)]
    first, repeated, changed = outputs
    if first is None or repeated is None or changed is None or not first.ndim or len(first) != len(x):
        return math.nan
    if not first.is_floating_point() or not torch.equal(first, repeated):
        return math.nan
    spread = float(first.double().std(0, correction=0).mean())
    return float((changed[1:] - first[1:]).abs().max()) / spread if spread > 0 else math.nan


def _together(followed: Recording, fitted: Recording, facts: dict[str, Any], last: dict[str, Any]) -> Recording:
    """One recording: series of fitting one batch, facts and what needs many samples of the loop.

    `last`: facts of the rehearsal's last evaluation, which stand even where they are empty: the loop was cut short.
    """
    kept = ("dead_unit_fraction", "validation_loss")
    series = {pair: found for pair, found in followed._series.items() if pair[0] in kept}
    seen = followed.facts.get("targets", {}).get("dtype")
    if seen and seen != facts["targets"].get("dtype"):  # what the loss compares is not what the loader gives
        facts = {**facts, "targets": followed.facts["targets"]}
    known = {**followed.facts, **{name: value for name, value in facts.items() if value}, **last}
    known["steps"] = fitted.steps
    known["loss"] = followed.facts["loss"] or fitted.facts["loss"]
    known["non_finite"] = followed.facts["non_finite"] or fitted.facts["non_finite"] or facts["non_finite"]
    return replace(fitted, facts=known, ended="completed", _series={**fitted._series, **series})
