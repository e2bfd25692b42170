"""Writes docs/guide/robustness.md from the two results: our own tests', and that of the other tools."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "guide" / "robustness.md"
OURS, OTHERS = HERE / "results" / "robustness-trainclinic.json", HERE / "results" / "robustness.json"
LONGEST = 90  # characters of another tool's error

INTRODUCTION = """# What watching survives

A monitor goes onto runs that nobody can afford to lose. So each row below is a training that a monitor may disturb, or
misunderstand, and a test in `tests/robustness` that trains it twice, bare and watched. Each asserts

- that every parameter, every buffer and the generators of torch, NumPy and Python are the same to the bit;
- that every recorded number is that of a computation by hand, to 1e-5, and that no other was recorded ("every value":
  of every layer, every parameter and the loss; not the learning rate and the statistics of outputs and targets);
- that nothing is diagnosed as a problem where the training is healthy;
- and what stands in the second column.

The other tools ran through the same trainings (`benchmarks/robustness.py`, each in a process of its own, at every step,
with their defaults otherwise). For them **ok** says only that the training went through, to the same bits: whether what
they show is right was not looked at.
"""


def page(ours: dict[str, Any], others: dict[str, Any]) -> str:
    """The page as Markdown."""
    tools = others["tools"]
    names = ["trainclinic", *(f"{tool} {version}".strip() for tool, version in tools.items())]
    parts = [INTRODUCTION, _summary(ours, others, names)]
    for family, rows in itertools.groupby(ours["rows"], key=lambda entry: entry["family"]):
        lines = [_line("", "asserted", *names), _line(*["---"] * (2 + len(names)))]
        for entry in rows:
            notes = others["rows"].get(entry["row"], {})
            lines.append(
                _line(entry["row"], entry["asserts"], _own(entry), *(_note(notes.get(tool)) for tool in tools))
            )
        parts.append(f"## {family.rstrip('.')}\n\n" + "\n".join(lines) + "\n")
    parts.append(
        f"torch {ours['torch']}; the other tools with torch {others['torch']}. `make robustness` writes this page.\n"
    )
    return "\n".join(parts)


def _summary(ours: dict[str, Any], others: dict[str, Any], names: list[str]) -> str:
    own = [entry["outcome"] == "ok" for entry in ours["rows"]]
    lines = [_line("", "rows that went through, to the same bits"), _line("---", "---")]
    lines.append(_line(names[0], f"{sum(own)} of {len(own)}, with every value asserted"))
    for name, tool in zip(names[1:], others["tools"], strict=True):
        notes = [row[tool] for row in others["rows"].values() if tool in row]
        lines.append(_line(name, f"{notes.count('ok')} of {len(notes)}"))
    return "\n".join(lines) + "\n"


def _own(entry: dict[str, Any]) -> str:
    return "; ".join(filter(None, (entry["outcome"], entry["limit"])))


def _note(note: str | None) -> str:
    if note is None:
        return "–"
    return note if len(note) <= LONGEST else f"{note[:LONGEST].rstrip()} …"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(*(json.loads(path.read_text()) for path in (OURS, OTHERS))), encoding="utf-8")
