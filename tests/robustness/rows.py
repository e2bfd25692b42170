"""The rows of the robustness table, read off the tests: `@pytest.mark.row(name, limit="what does not work")`.

A test's docstring says in a few words what it asserts; that of its file is the family.
"""

from __future__ import annotations

import importlib
import inspect

FAMILIES = ("compiled", "precision", "layers", "outputs", "parameters", "steps", "gradients", "hooks", "copies",
            "contexts", "processes", "failing")  # fmt: skip


def listed():
    """[{"row", "family", "asserts", "limit"}, …] in the order of the table."""
    found = []
    for family in FAMILIES:
        module = importlib.import_module(f"test_{family}")
        for test in vars(module).values():
            if inspect.isfunction(test) and test.__name__.startswith("test_") and test.__module__ == module.__name__:
                for mark in _rows(test):
                    entry = {"row": mark.args[0], "family": inspect.getdoc(module), "asserts": inspect.getdoc(test)}
                    found.append(entry | {"limit": mark.kwargs.get("limit", "")})
    return found


def _rows(test):
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "row":
            yield mark
        elif mark.name == "parametrize":
            for case in mark.args[1]:
                yield from (one for one in getattr(case, "marks", ()) if one.name == "row")
