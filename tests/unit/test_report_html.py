"""The HTML report: whatever a layer is called, the document stays the same; nothing in it points outside."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainclinic import catalog
from trainclinic.records import Diagnosis, Evidence, Finding, NotExamined
from trainclinic.report.html import fragment, page, prose
from trainclinic.report.words import clean

sys.path.append(str(Path(__file__).parents[1] / "golden"))
import report_samples as samples

HOSTILE = "<script>alert(1)</script>"
OTHERS = (
    "</script><img src=x onerror=alert(1)>",
    '\'" onmouseover="alert(1)',
    "{{ 7 * 7 }}",
    "&lt;b&gt;",
    "가중치.0",
    "\x00\x1b[31m",
)


@pytest.fixture(autouse=True, scope="module")
def _catalogue() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "entries", lambda package: samples.CATALOGUE)
        patch.setattr("plotly.offline.get_plotlyjs", lambda: "/* plotly.js */")  # five megabytes less to parse
        yield


class Skeleton(HTMLParser):
    """The elements of a document with the names of their attributes, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text: list[str] = []
        self.data: str = ""
        self._inside = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self._inside = "charts" if ("id", "charts") in attrs else tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "charts":
            self.data += data
        elif self._inside not in ("script", "style"):
            self.text.append(data)


def named(name: str) -> Diagnosis:
    """A diagnosis in which everything a run can name is called `name`."""
    recording = samples.sigmoid_run([name + "0", name + "1", name + "2"], 3)
    findings = (
        Finding("vanishing-gradient", "problem", 1, 1, (name + "0", name + "1"), (0, 2),
                (Evidence("update_ratio", name + "0", 1e-9, 1e-5, "1"),
                 Evidence("my " + name, name, 1.0, 2.0, "u" + name)),
                cause="squashing"),
        Finding("third-" + name, "observation", 0, 0, (name,), (0, 0), ()),
    )  # fmt: skip
    return Diagnosis(findings, (NotExamined("x" + name, "because of " + name),), recording)


@settings(deadline=None, max_examples=40)
@example(HOSTILE)
@example("*0*")
@example(OTHERS[0])
@example(OTHERS[1])
@example(OTHERS[2])
@example(OTHERS[3])
@example(OTHERS[4])
@example(OTHERS[5])
@given(st.text(alphabet=st.characters(), max_size=30))
def test_a_name_changes_no_element_of_the_page(name: str) -> None:
    found, plain = Skeleton(page(named(name))), Skeleton(page(named("layer")))
    assert found.elements == plain.elements
    assert len(json.loads(found.data)) == len(json.loads(plain.data))
    found, plain = Skeleton(fragment(named(name))), Skeleton(fragment(named("layer")))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]


@pytest.mark.parametrize("name", [HOSTILE, *OTHERS])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    text = "".join(Skeleton(page(named(name))).text)
    assert clean(name) + "0" in text
    assert clean(name) + "0" in "".join(Skeleton(fragment(named(name))).text)


def test_a_script_in_a_name_is_nowhere_in_the_source() -> None:
    for document in (page(named(HOSTILE)), fragment(named(HOSTILE))):
        assert "<script>alert" not in document
        assert "</script>alert" not in document


def test_the_words_of_a_problem_are_escaped_too() -> None:
    html = prose("See `<b>` & https://a.org/?x=1&y=2\n\n- <i>item</i>\n\n    a < b")
    assert "<b>" not in html
    assert "<i>" not in html
    assert '<a href="https://a.org/?x=1&amp;y=2"' in html
    assert "<pre><code>a &lt; b</code></pre>" in html


def test_the_page_points_nowhere() -> None:
    document = page(samples.sigmoid_diagnosis())
    loaded = re.findall(r"""<(?:script|img|iframe|link)[^>]*(?:src|href)=["']?([^"'> ]+)""", document)
    assert loaded == ["data:,"]
    assert "@import" not in document
    assert "url(" not in document
    assert "default-src 'none'" in document


def test_the_page_says_what_a_reader_needs_in_order() -> None:
    text = "".join(Skeleton(page(samples.sigmoid_diagnosis())).text)
    order = (
        "1 problem: vanishing-gradient", "60 steps, completed", "Vanishing gradient", "Because", "every sigmoid",
        "-12.8 decades", "What to do", "What it is", "When this is harmless", "Sources", "It explains", "The loss",
        "The chain of factors", "Layers × steps", "Not examined", "Environment",
    )  # fmt: skip
    at = 0
    for words in order:
        at = text.index(words, at) + len(words)


def test_headings_go_down_one_level_at_a_time() -> None:
    elements = Skeleton(page(samples.sigmoid_diagnosis())).elements
    found = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert found[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(found))


def test_the_same_diagnosis_gives_the_same_page() -> None:
    assert page(samples.sigmoid_diagnosis()) == page(samples.sigmoid_diagnosis())


def test_a_notebook_gets_kilobytes_with_pictures() -> None:
    html = samples.sigmoid_diagnosis()._repr_html_()
    assert len(html) < 60_000
    assert html.count("<svg") == 2
    assert "<script" not in html


def test_a_page_of_a_large_run_stays_small() -> None:
    names = [f"blocks.{index}.attention.output_projection" for index in range(200)]
    document = page(samples.sigmoid_diagnosis(samples.sigmoid_run(names, 300)))
    assert len(document) < 4_000_000
