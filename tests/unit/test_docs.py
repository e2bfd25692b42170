"""The generated pages are those of the code."""

from pathlib import Path

import pytest

from trainclinic.report import catalogue

PAGES = Path(__file__).parents[2] / "docs" / "catalogue"


@pytest.mark.parametrize("name", catalogue.pages())
def test_a_page_of_the_catalogue_is_that_of_the_code(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == catalogue.pages()[name], "run `make docs`"


def test_the_folder_holds_no_other_page() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(catalogue.pages()), "run `make docs`"


def test_no_remedy_is_called_like_a_problem() -> None:
    assert not set(catalogue.problems()) & set(catalogue.remedies())
