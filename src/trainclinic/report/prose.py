"""The docstring of a problem as paragraphs and lists, for the terminal and the page alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_LINK = re.compile(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:)\]])")
_STRESS = re.compile(r"(?<![\w*])\*(\w[^*]*\w|\w)\*(?![\w*])")
_CODE = re.compile(r"`+([^`]+)`+")


@dataclass(frozen=True)
class Block:
    """One paragraph, one list item, or lines to keep as they are (code)."""

    kind: Literal["text", "item", "code"]
    text: str
    mark: str = ""


@dataclass(frozen=True)
class Span:
    """A piece of a line: plain, `code`, *stressed*, or an address."""

    kind: Literal["plain", "code", "stress", "link"]
    text: str


def blocks(text: str) -> tuple[Block, ...]:
    """Paragraphs, list items and indented code of a docstring section, in order."""
    found: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = [line for line in paragraph.splitlines() if line.strip()]
        if lines and all(line.startswith("    ") for line in lines) and not _BULLET.match(lines[0]):
            found.append(Block("code", "\n".join(line[4:].rstrip() for line in lines)))
        else:
            found.extend(_paragraph(lines))
    return tuple(found)


def _paragraph(lines: list[str]) -> list[Block]:
    found: list[Block] = []
    inset = -1  # of the list item that is open
    for line in lines:
        bullet = _BULLET.match(line)
        indent = len(line) - len(line.lstrip())
        if bullet:
            mark, inset = bullet.group().strip(), indent
            found.append(Block("item", line[bullet.end() :].strip(), mark if mark[0].isdigit() else "•"))
        elif found and (found[-1].kind == "text" or indent > inset):
            found[-1] = Block(found[-1].kind, f"{found[-1].text} {line.strip()}", found[-1].mark)
        else:
            found.append(Block("text", line.strip()))
    return found


def sources(text: str) -> tuple[Block, ...]:
    """References as a list: one item for each that is set off by a semicolon or a line of its own."""
    if any(block.kind == "item" for block in blocks(text)):
        return blocks(text)
    entries = re.split(r";\s+|\.\n|\n\s*\n", text.strip())
    return tuple(Block("item", " ".join(entry.split()).rstrip("."), "•") for entry in entries if entry.strip())


def spans(text: str) -> tuple[Span, ...]:
    """A line cut into plain text, `code` and addresses."""
    found: list[Span] = []
    for index, piece in enumerate(_CODE.split(text)):
        if index % 2:
            found.append(Span("code", piece))
            continue
        for at, part in enumerate(_LINK.split(piece)):
            if at % 2:
                found.append(Span("link", part))
                continue
            words = enumerate(_STRESS.split(part))
            found += [Span("stress" if odd % 2 else "plain", word) for odd, word in words if word]
    return tuple(found)
