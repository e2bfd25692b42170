"""What a cure leaves in a folder: the page, the records, and the code to paste."""

from __future__ import annotations

from pathlib import Path

from trainclinic.errors import ReportError
from trainclinic.records import Cure
from trainclinic.report.cure_view import pasted
from trainclinic.report.report import report


def write(cure: Cure, folder: Path, html: bool = True) -> tuple[Path, ...]:
    """Write cure.html, cure.json and treatment.py; what an earlier cure left under these names is replaced.

    Raises:
        ReportError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        treatment = folder / "treatment.py"
        treatment.write_text(pasted(cure), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{folder}: expected a folder that can be written, but it cannot ({error.strerror}); "
                          "choose another --output folder") from error  # fmt: skip
    names = ["cure.html", "cure.json"] if html else ["cure.json"]
    for name in names:
        report(cure, folder / name)
    return (*(folder / name for name in names), treatment)
