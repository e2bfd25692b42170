"""run: build a Setup from a seed and train it, watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainclinic.errors import SetupError, TrainclinicError
from trainclinic.measure.shadow import seed_generators
from trainclinic.measure.watch import Watch
from trainclinic.recording import Recording
from trainclinic.setup import Setup, train

Make = Callable[[int], Setup]


def run(make: Make, seed: int = 0, *, path: str | Path | None = None, every: int | None = None) -> Recording:
    """Seed torch, NumPy and Python, call `make(seed)`, train what it returns with the plain loop, watched.

    Args:
        make: builds a fresh Setup from a seed.
        seed: of the run.
        path: where the recording is written (`.clinic`), or None.
        every: see `trainclinic.watch`.

    Raises:
        SetupError: `make` returned something else than a Setup, or its training made no step.
    """
    setup = build(make, seed)
    samples = _length(getattr(setup.train_loader, "dataset", None))
    loss_fn = setup.loss_fn
    with Watch(setup.model, setup.optimizer, loss_fn, path=path, every=every, training_samples=samples) as watch:
        train(setup, None if setup.loop else watch.validate)
    if not watch.recording.steps:
        raise SetupError("make: expected a training that makes optimizer steps, got none; is train_loader empty?")
    return watch.recording


def build(make: Make, seed: int) -> Setup:
    """Seed every global generator and call `make(seed)`."""
    seed_generators(seed)
    try:
        setup = make(seed)
    except TrainclinicError:
        raise
    except Exception as error:
        raise SetupError(f"make({seed}): expected a Setup, but it raised {type(error).__name__}: {error}; "
                         "call it on its own to see where") from error  # fmt: skip
    if not isinstance(setup, Setup):
        raise SetupError(f"make: expected a trainclinic.Setup, got {type(setup).__name__}; "
                         "return Setup(model, loss_fn, optimizer, train_loader, …)")  # fmt: skip
    return setup


def _length(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except TypeError:
        return None
