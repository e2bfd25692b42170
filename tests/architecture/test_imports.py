"""Imports go one way; the plain records and the problems know nothing of torch."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "trainclinic"
BASE = {
    "records",
    "errors",
    "catalog",
    "setup",
    "recording",
    "clinic_format",
    "clinic_reader",
    "clinic_place",
    "clinic_claim",
    "clinic_file",
    "ranks",
    "rank_series",
}
ORDER = ["measure", "diagnose", "treat", "prove", "report"]  # each may import those before it
LAST = {"lab", "integrations", "cli", "watching", "__main__", "__init__"}
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
BARRED = {"diagnose": {"measure"}, "report": {"measure"}}  # they read recordings, and measure nothing


def imports(path):
    """Every imported module, also within functions; what only a notebook or a type checker asks for does not count."""
    nodes = [ast.parse((PACKAGE / path).read_text())]
    while nodes:
        node = nodes.pop()
        typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if typing or getattr(node, "name", "") == "_repr_html_":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_one_way(path):
    stage = path.parts[0].removesuffix(".py")
    if stage in LAST:
        allowed = None
    elif stage in BASE:
        allowed = BASE
    elif stage == "cases":
        allowed = {"cases", "setup"}
    else:
        allowed = BASE | set(ORDER[: ORDER.index(stage) + 1]) - BARRED.get(stage, set())
    for module in imports(path):
        if module.startswith("trainclinic"):
            target = f"{module}.".split(".")[1]
            assert allowed is None or target in allowed, f"{path} imports {module}"
        plain = stage in ("records", "errors", "report") or path.parts[:2] == ("diagnose", "problems")
        assert not (plain and module.split(".")[0] == "torch"), f"{path} imports torch"
