"""watch and checkup: attach to a training loop, or look before there is one. Here what is measured meets the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS, diagnose
from trainclinic.diagnose.problem import Problem
from trainclinic.errors import SetupError
from trainclinic.measure.arguments import Optimizers
from trainclinic.measure.checkup import checkup as examine
from trainclinic.measure.live import Live
from trainclinic.measure.run import Make
from trainclinic.measure.watch import Watch
from trainclinic.recording import Recording
from trainclinic.records import Diagnosis, Finding
from trainclinic.setup import Setup


def watch(
    model: nn.Module,
    optimizer: Optimizers,
    loss_fn: Callable[..., Any] | None = None,
    *,
    path: str | Path | None = None,
    every: int | None = None,
    on_finding: Callable[[Finding], None] | None = None,
    stop_on: Sequence[str] = (),
) -> Watch:
    """Watch a training loop, as it is.

    Args:
        model: the network that is trained.
        optimizer: the optimizer that steps, or a sequence of them.
        loss_fn: the loss, module or function; optional: PyTorch's own losses are recognised without it.
        path: where the recording is written (`.clinic`); without it the recording lives as long as the Watch.
        every: look at each `every`-th step [optimizer steps]; None samples densely at first and sparsely later.
        on_finding: called with the Finding at the step at which it is decided, before that step's update. Only what
            is decided exactly within a step can be told: "non-finite". What it raises reaches the training.
        stop_on: problems that stop the training at that step, before the update: `("non-finite",)`. With this or
            `on_finding`, every step waits for a GPU.

    Returns:
        A Watch: use it as a context manager, or call `close()`.

    Raises:
        SetupError: `model` is no module or has no parameters, `optimizer` holds none of them, or `stop_on` names what
            is not decided in a step.
        RecordingError: `path` cannot be written or is another kind of file.
        TrainingStoppedError: later, out of the optimizer's step: `stop_on` names what was found.
    """
    return Watch(model, optimizer, loss_fn, path=path, every=every, live=live(on_finding, stop_on))


def checkup(source: Make | Setup, seed: int = 0) -> Diagnosis:
    """Look at a training before it begins: data, loop, one batch, other learning rates, and a short rehearsal.

    Nothing that is examined changes: weights, buffers, random numbers and the loaders' order stay as they were.

    Args:
        source: `make(seed)` that builds a fresh Setup, or a Setup, of which copies are made.
        seed: of what is built.

    Returns:
        A Diagnosis: findings of the same kind as after a run. What only a training can show is "not examined".

    Raises:
        SetupError: there is no Setup, it has no batches, or it cannot be copied.
    """
    return diagnose(examine(source, seed))


def live(on_finding: Callable[[Finding], None] | None = None, stop_on: Sequence[str] = ()) -> Live | None:
    """The rules that can speak while a training runs, for who wants to hear them; None for who does not.

    Raises:
        SetupError: `on_finding` cannot be called, or `stop_on` names what is not decided in a step.
    """
    if on_finding is not None and not callable(on_finding):
        raise SetupError(f"on_finding: expected a function of a Finding, got {type(on_finding).__name__}; pass one "
                         "that takes the finding")  # fmt: skip
    stop = frozenset((stop_on,) if isinstance(stop_on, str) else stop_on)
    rules = {name: problem() for name, problem in catalog.entries(PROBLEMS).items() if problem.live}
    unknown = sorted(str(name) for name in stop - rules.keys())
    if unknown:
        raise SetupError(f"stop_on: expected problems that are decided within a step ({', '.join(rules)}), got "
                         f"{', '.join(unknown)}; diagnose the recording for the others")  # fmt: skip
    if on_finding is None and not stop:
        return None
    return Live(lambda recording: _found(rules.values(), recording), on_finding, stop)


def _found(rules: Iterable[Problem], recording: Recording) -> Iterable[tuple[Finding, str]]:
    for rule in rules:
        for finding in rule.find(recording):
            yield finding, rule.because(finding, recording)
