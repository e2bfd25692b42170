"""The tools whose robustness is looked at, each attached as its own documentation says."""

from __future__ import annotations

import atexit
import importlib.metadata
import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import torch
from scenarios import Tool
from torch import nn


def _first(optimizer: Any) -> Any:
    return optimizer[0] if isinstance(optimizer, list) else optimizer


class Torchmortem(Tool):
    """torchmortem 0.1.1 at its default preset."""

    package = "torchmortem"

    def __init__(self, model: nn.Module, optimizer: Any, loss_fn: Any) -> None:
        from torchmortem import Autopsy

        logging.getLogger("torchmortem").setLevel(logging.CRITICAL)
        self._autopsy = Autopsy(model, optimizer=_first(optimizer))
        self._autopsy.attach()
        atexit.unregister(self._autopsy._atexit_handler)  # it writes a report where the process ends

    def step(self, loss: Any) -> None:
        """The call that it wants after each step."""
        self._autopsy.step(loss=float(loss.detach()))

    def seen(self) -> int:
        """How many finite numbers its collectors hold."""
        states = [collector.state() for collector in self._autopsy._collectors]
        return sum(int(np.isfinite(values).sum()) for state in states for values in state.series.values())

    def close(self) -> None:
        """Detach and analyse."""
        self._autopsy.detach()


class TorchAudit(Tool):
    """torch-audit 0.3.0 in its autopatch mode, at every step."""

    package = "torch_audit"

    def __init__(self, model: nn.Module, optimizer: Any, loss_fn: Any) -> None:
        from torch_audit import autopatch

        logging.disable(logging.CRITICAL)
        self._auditor = autopatch(model, optimizer=_first(optimizer), every_n_steps=1, reporters=[])

    def close(self) -> None:
        """Restore what was patched."""
        self._auditor.unpatch()


class Wandb(Tool):
    """wandb 0.31 `watch(log="all")` at every step, offline."""

    package = "wandb"

    def __init__(self, model: nn.Module, optimizer: Any, loss_fn: Any) -> None:
        os.environ["WANDB_SILENT"] = "true"
        import wandb

        self._wandb, self._model = wandb, model
        if wandb.run is None:
            wandb.init(mode="offline", dir=tempfile.mkdtemp())
        wandb.watch(model, log="all", log_freq=1)

    def step(self, loss: Any) -> None:
        """Log, which is when the histograms are written."""
        self._wandb.log({"loss": float(loss.detach())})

    def seen(self) -> int:
        """How many histograms it shows."""
        names = self._wandb.run.summary.keys()
        return sum(name.startswith(("gradients/", "parameters/")) for name in names)

    def close(self) -> None:
        """Unwatch."""
        self._wandb.unwatch(self._model)


class Naive(Tool):
    """What one writes by hand: `.item()` in a forward hook of every leaf, and the norm of every gradient."""

    package = "benchmarks"

    def __init__(self, model: nn.Module, optimizer: Any, loss_fn: Any) -> None:
        self._values: dict[str, list[float]] = {}
        self._model = model
        leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
        self._handles = [module.register_forward_hook(partial(self._see, name)) for name, module in leaves]

    def _see(self, name: str, module: nn.Module, args: Any, output: Any) -> None:
        output = output[0] if isinstance(output, tuple) else output
        if isinstance(output, torch.Tensor):
            self._values.setdefault(name, []).append(output.detach().float().norm().item())
            self._values.setdefault(f"{name} zeros", []).append((output == 0).float().mean().item())

    def step(self, loss: Any) -> None:
        """The gradients."""
        for name, parameter in self._model.named_parameters():
            if parameter.grad is not None:
                self._values.setdefault(f"{name} gradient", []).append(parameter.grad.norm().item())

    def seen(self) -> int:
        """How many numbers."""
        return sum(map(len, self._values.values()))

    def close(self) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()


TOOLS: dict[str, Callable[..., Tool]] = {
    "torchmortem": Torchmortem,
    "torch-audit": TorchAudit,
    "wandb.watch": Wandb,
    "hooks by hand": Naive,
}


def versions() -> dict[str, str]:
    """Tool → version; "" for the one that is written here."""
    found = {}
    for tool in TOOLS:
        found[tool] = ""
        with suppress(importlib.metadata.PackageNotFoundError):
            found[tool] = importlib.metadata.version(tool.removesuffix(".watch"))
    return found
