"""The pages of the catalogue: problems and remedies by name, and which treats which."""

from __future__ import annotations

from difflib import get_close_matches

from trainclinic import catalog
from trainclinic.diagnose.problem import Problem
from trainclinic.errors import CatalogError
from trainclinic.report.view import PROBLEMS
from trainclinic.treat import operation
from trainclinic.treat.remedy import Remedy


def problems() -> dict[str, type[Problem]]:
    """Every problem by its id."""
    return {name: kind for name, kind in catalog.entries(PROBLEMS).items() if issubclass(kind, Problem)}


def remedies_for(problem: str) -> list[tuple[int, type[Remedy]]]:
    """(rank, remedy) of every remedy that treats the problem, in the order in which a cure tries them."""
    return [(kind.treats[problem], kind) for kind in operation.remedies_for(problem)]


def entry(name: str) -> type[Problem] | type[Remedy]:
    """A problem or a remedy by its id; an unknown one is refused with the nearest ids of both."""
    found: dict[str, type[Problem] | type[Remedy]] = {**operation.remedies(), **problems()}
    if name not in found:
        near = get_close_matches(name, found, n=3, cutoff=0.4) or list(found)
        raise CatalogError(f"explain: no problem and no remedy named {name!r}; did you mean {', '.join(near)}?")
    return found[name]
