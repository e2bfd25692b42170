"""operate: remedies onto a freshly built Setup, in the order in which they do not undo each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from trainclinic import catalog
from trainclinic.records import Dose, Treatment
from trainclinic.setup import Setup
from trainclinic.treat.remedy import STAGES, RefusedError, Remedy

REMEDIES = "trainclinic.treat.remedies"
HEAD = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
#: what prescribed code may use and set, by the name that scripts mostly give it
NAMES = ("model", "loss_fn", "optimizer", "train_loader", "val_loader", "epochs", "scheduler")
LOOKED_AT = ("step",)  # may be used, not set


def operate(setup: Setup, remedies: Sequence[Remedy]) -> tuple[Setup, Treatment]:
    """Apply remedies to a Setup that nothing else holds: its model is changed in place.

    Returns:
        The treated Setup, and the Treatment: a line per change and the code that made them.

    Raises:
        RefusedError: a remedy does not fit, or its code fails on this Setup, which is then of no more use.
    """
    changes: list[str] = []
    code: list[str] = []
    for remedy in in_order(remedies):
        prescription = remedy.prescribe(setup)
        setup = carried_out(setup, remedy.id(), prescription.code)
        changes.append(prescription.change)
        code.append(f"# {prescription.change}\n{prescription.code.strip()}\n")
    doses = tuple(Dose(remedy.id(), remedy.to_dict()) for remedy in in_order(remedies))
    return setup, Treatment(doses, tuple(changes), "\n".join([HEAD, *code]) if code else "")


def in_order(remedies: Sequence[Remedy]) -> list[Remedy]:
    """Data first, the loop last; those of one stage as they were given."""
    return sorted(remedies, key=lambda remedy: STAGES.index(remedy.stage))


def remedies() -> dict[str, type[Remedy]]:
    """Every remedy by its id."""
    return {name: kind for name, kind in catalog.entries(REMEDIES).items() if issubclass(kind, Remedy)}


def remedies_for(problem: str) -> list[type[Remedy]]:
    """The remedies that treat a problem (id), in the order of their rank."""
    found = [kind for kind in remedies().values() if problem in kind.treats]
    return sorted(found, key=lambda kind: (kind.treats[problem], kind.id()))


def remedy_of(dose: Dose) -> Remedy:
    """The remedy that a dose names, with its settings.

    Raises:
        CatalogError: there is no such remedy.
        RefusedError: a setting is outside its range, or no setting of it.
    """
    kind: type[Remedy] = catalog.entry(REMEDIES, dose.remedy)
    try:
        return kind(**dose.settings)
    except TypeError as error:
        raise RefusedError(f"{dose.remedy}: expected the settings {', '.join(s.name for s in kind.settings())}, got "
                           f"{', '.join(dose.settings)}; leave the others out") from error  # fmt: skip


def carried_out(setup: Setup, name: str, code: str) -> Setup:
    """The Setup after prescribed code was run on it.

    Raises:
        RefusedError: the code fails on it.
    """
    found: dict[str, Any] = {"torch": torch, "nn": nn, "F": F}
    found |= {key: getattr(setup, key) for key in (*NAMES, *LOOKED_AT)}
    try:
        exec(compile(code, f"<remedy {name}>", "exec"), found)  # our own text: what it names is written with repr()
        changed: dict[str, Any] = {key: found[key] for key in NAMES}
        if "train" in found:
            changed["loop"] = _Loop(found["train"])
        return replace(setup, **changed)
    except Exception as error:
        raise RefusedError(f"{name}: expected code that runs on this setup, got {type(error).__name__}: {error}; "
                           "it is not applied") from error  # fmt: skip


class _Loop:
    """A prescribed training function, which takes plain objects, as the loop of a Setup."""

    def __init__(self, train: Any) -> None:
        self._train = train

    def __call__(self, setup: Setup) -> None:
        self._train(setup.model, setup.loss_fn, setup.optimizer, setup.train_loader, setup.val_loader, setup.epochs)
