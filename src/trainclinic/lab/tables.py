"""A table of the lab as HTML, for the page and for notebooks."""

from __future__ import annotations

from html import escape

from trainclinic.lab.chapter import Table


def html(table: Table, language: str) -> str:
    """The table with its header in one language."""
    head = "".join(f"<th scope=col>{escape(words[language])}</th>" for words in table.header)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    return f'<table class="tc-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _cell(text: str) -> str:
    """A number is not broken at its minus."""
    return f"<td{'' if ' ' in text else ' class=tc-whole'}>{escape(text)}</td>"
