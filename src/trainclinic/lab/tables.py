"""A table of the lab as HTML, for the page and for notebooks."""

from __future__ import annotations

from html import escape

from trainclinic.lab.chapter import Table


def html(table: Table, language: str) -> str:
    """The table with its header in one language."""
    head = "".join(f"<th scope=col>{escape(words[language])}</th>" for words in table.header)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f'<table class="tc-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
