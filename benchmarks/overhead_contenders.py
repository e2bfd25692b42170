"""What is timed against the bare loop: trainclinic by kind of step, as a whole, and two peers.

A contender is a training of its own with one tool attached. `on` and `off` frame each timed chunk: a watch that is
off has no hook on its model and none of PyTorch's functions is wrapped, so that its training is as bare as any.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overhead_workloads import Training

NEVER = 10**9  # as `every`: only step 0 is looked at


class Contender:
    """The bare loop; the others add to it.

    Attributes:
        detachable: after `off` its training is a bare one, so that it is its own control.
    """

    detachable = True

    def __init__(self, training: Training) -> None:
        self.training = training

    def on(self) -> None:
        """Before a timed chunk."""

    def off(self) -> None:
        """After a timed chunk: a training that is detachable is bare again."""

    def step(self) -> None:
        """One training step."""
        self.training.step()

    def close(self) -> None:
        """Detach the tool."""


class Trainclinic(Contender):
    """`tc.watch` as users call it; `windows` False or True forces the dead-unit windows shut or open for good."""

    def __init__(
        self,
        training: Training,
        path: Path,
        every: int | None,
        windows: bool | None = None,
        flush: bool = False,
    ) -> None:
        super().__init__(training)
        import trainclinic
        from trainclinic import clinic_file
        from trainclinic.measure import intercept

        self._intercept, self._clinic_file = intercept, clinic_file
        self._flush_every = 0.0 if flush else clinic_file.FLUSH_EVERY
        self.watch = trainclinic.watch(training.model, training.optimizer, training.loss_fn, path=path, every=every)
        if windows is not None:
            self.watch._windows = _Windows(windows)  # type: ignore[assignment]
            self.watch._in_window = windows
        model = training.model
        self._tables = (model._forward_pre_hooks, model._forward_pre_hooks_with_kwargs, model._forward_hooks)
        self._hooks = [dict(table) for table in self._tables]
        self._usual = clinic_file.FLUSH_EVERY
        self.off()

    def on(self) -> None:
        """Set the hooks on the model and listen, as after `tc.watch`; flush as often as asked."""
        self._clinic_file.FLUSH_EVERY = self._flush_every
        for table, hooks in zip(self._tables, self._hooks, strict=True):
            table.update(hooks)
        self._intercept.listen(self.watch)

    def off(self) -> None:
        """Stop listening, and take every hook off, on the layers too."""
        self._intercept.ignore(self.watch)
        self.watch._disarm()
        for table in self._tables:
            table.clear()
        self._clinic_file.FLUSH_EVERY = self._usual

    def close(self) -> None:
        """Complete the recording."""
        self.watch.close()


class _Windows:
    """A stand-in for `UnitWindows` that is always open or always shut."""

    def __init__(self, is_open: bool) -> None:
        self._open = is_open
        self.begin = 0 if is_open else NEVER

    def update(self, step: int) -> bool:
        """Whether a window is open."""
        return self._open

    def finish(self, step: int) -> None:
        """Nothing ends."""


class TorchAudit(Contender):
    """torch-audit 0.3.0 in its autopatch mode, which needs no change to the loop."""

    detachable = False

    def __init__(self, training: Training, every: int) -> None:
        super().__init__(training)
        from torch_audit import autopatch

        self._auditor = autopatch(training.model, optimizer=training.optimizer, every_n_steps=every)

    def close(self) -> None:
        """Restore what was patched."""
        self._auditor.unpatch()


class Torchmortem(Contender):
    """torchmortem 0.1.1 at its default preset; its presets do not change what its hooks do."""

    detachable = False

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        from torchmortem import Autopsy

        logging.getLogger("torchmortem").setLevel(logging.CRITICAL)
        self._autopsy = Autopsy(training.model, optimizer=training.optimizer)
        self._autopsy.attach()
        # Else an interrupted benchmark leaves torchmortem's crash report behind.
        atexit.unregister(self._autopsy._atexit_handler)

    def step(self) -> None:
        """One training step, and the call that torchmortem wants after it."""
        self._autopsy.step(loss=self.training.step())

    def close(self) -> None:
        """Detach, without the analysis, which is not what is measured."""
        for collector in self._autopsy._collectors:
            with suppress(Exception):
                collector.detach()


@dataclass(frozen=True)
class Kind:
    """A contender in the table.

    Attributes:
        title: in the table.
        make: from a training and a path for its recording.
        requires: the distribution that it needs.
        each: it is timed in every `each`-th round.
    """

    title: str
    make: Callable[[Training, Path], Contender]
    requires: str = ""
    each: int = 1

    @property
    def installed(self) -> bool:
        """Whether it can be timed here."""
        try:
            return not self.requires or bool(importlib.metadata.version(self.requires))
        except importlib.metadata.PackageNotFoundError:
            return False


def _watched(**how: Any) -> Callable[[Training, Path], Contender]:
    return lambda training, path: Trainclinic(training, path, **how)


KINDS = {
    "control": Kind("A/A control (bare)", lambda training, _: Contender(training)),
    "plain": Kind("  a step not looked at", _watched(every=NEVER, windows=False)),
    "look": Kind("  every 2nd step looked at", _watched(every=2, windows=False)),
    "window": Kind("  a step in a dead-unit window", _watched(every=NEVER, windows=True)),
    "flush": Kind("  the same, and a flush at every step", _watched(every=2, windows=False, flush=True)),
    "every": Kind("trainclinic, every signal on every step", _watched(every=1)),
    "audit": Kind("torch-audit, every step", lambda training, _: TorchAudit(training, 1), "torch-audit"),
    "audit1000": Kind(
        "torch-audit, default (1,000)", lambda training, _: TorchAudit(training, 1000), "torch-audit", each=2
    ),
    "mortem": Kind("torchmortem, default", lambda training, _: Torchmortem(training), "torchmortem", each=4),
}
WHOLE = {
    "bare": KINDS["control"],
    "default": Kind("trainclinic, default", _watched(every=None)),
    **{key: KINDS[key] for key in ("every", "audit", "mortem")},
}
