"""The generated pages are those of the code."""

from pathlib import Path

import pytest

from trainclinic import catalog
from trainclinic.report import catalogue

PAGES = Path(__file__).parents[2] / "docs" / "catalogue"


@pytest.mark.parametrize("name", catalog.entries(catalogue.PROBLEMS))
def test_a_page_of_the_catalogue_is_that_of_the_code(name: str) -> None:
    expected = catalogue.page(catalog.entry(catalogue.PROBLEMS, name))
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == expected, "run `make docs`"


def test_the_index_lists_every_page() -> None:
    assert (PAGES / "index.md").read_text(encoding="utf-8") == catalogue.index(), "run `make docs`"
    assert {path.stem for path in PAGES.glob("*.md")} == {"index", *catalog.entries(catalogue.PROBLEMS)}
