"""A cure's reports: what is saved is read back, nothing read is run, and no name breaks a page."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from small_cures import healthy, vanishing

import trainclinic as tc
from trainclinic.errors import RecordingError, SetupError
from trainclinic.prove.saved import cure_of
from trainclinic.records import (
    Attempt,
    Cure,
    Curve,
    Diagnosis,
    Difference,
    Dose,
    Evidence,
    Finding,
    NotExamined,
    Part,
    Treatment,
    Trial,
)
from trainclinic.report.cure_files import write
from trainclinic.report.cure_html import fragment, page
from trainclinic.report.cure_text import render_cure
from trainclinic.report.json import cure_dumps
from trainclinic.report.report import plain, report

sys.path.append(str(Path(__file__).parents[1] / "golden"))
import cure_samples

HOSTILE = "</code><script>alert(1)</script>"

# -- round trip

numbers = st.floats(allow_nan=True, allow_infinity=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.one_of(st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), texts)
doses = st.builds(Dose, texts, st.dictionaries(texts, values, max_size=2))


def tuples(of, **size):
    return st.lists(of, max_size=3, **size).map(tuple)


differences = st.builds(Difference, tuples(numbers), numbers, numbers, numbers, numbers)
curves = st.builds(Curve, st.integers(0, 99), tuples(st.integers(0, 9)), tuples(numbers), texts)
evidence = st.builds(Evidence, texts, texts, numbers, numbers, texts, st.sampled_from(["above", "below", "equal"]))
findings = st.builds(
    Finding, texts, st.sampled_from(["problem", "observation"]), numbers, numbers, tuples(texts),
    st.tuples(st.integers(0, 9), st.integers(0, 9)), tuples(evidence), texts, texts,
)  # fmt: skip
diagnoses = st.builds(Diagnosis, tuples(findings), tuples(st.builds(NotExamined, texts, texts)), st.none())
trials = st.builds(
    Trial, st.builds(Treatment, tuples(doses), tuples(texts), texts), texts, tuples(curves), tuples(curves),
    differences, differences, numbers, texts, numbers, tuples(texts), st.booleans(), st.integers(0, 9999),
    st.sampled_from(["cured", "helped", "no effect", "harmed", "undecided"]), texts,
)  # fmt: skip
attempts = st.builds(Attempt, tuples(doses), numbers, st.booleans(), st.integers(0, 99), texts)
parts = st.builds(Part, doses, differences, st.booleans())
cures = st.builds(
    Cure, diagnoses, texts, tuples(attempts), st.none() | trials, tuples(parts), st.integers(0, 9999),
    st.integers(0, 9999), st.booleans(),
)  # fmt: skip


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


@given(cures)
def test_a_cure_is_read_back_as_it_was_written(cure):
    found = cure_of(json.loads(cure_dumps(cure), parse_constant=refuse))
    assert repr(found) == repr(cure)  # NaN equals nothing, but is written alike


@given(cures)
@settings(max_examples=30)
def test_every_cure_can_be_shown(cure):
    cure = dataclasses.replace(cure, trial=None) if not paired(cure) else cure
    assert plain(render_cure(cure))
    assert fragment(cure)


def paired(cure):
    """Whether both arms and all differences are of the same seeds, which is so of every trial that was made."""
    trial = cure.trial
    sizes = {len(x) for x in (trial.control, trial.treated, trial.full.values, trial.half.values)} if trial else {1}
    steps = all(len(curve.steps) == len(curve.values) for curve in (*trial.control, *trial.treated)) if trial else True
    return len(sizes) == 1 and sizes != {0} and steps


# -- load


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("cure") / "cure.json"
    treatment = Treatment((Dose("replace-activation", {"activation": "GELU"}),), ("",), "raise SystemExit('was run')")
    cure = cure_samples.cured()
    cure = dataclasses.replace(cure, trial=dataclasses.replace(cure.trial, treatment=treatment))
    tc.report(cure, path)
    return path


def test_a_loaded_cure_treats_by_its_remedies_and_never_by_the_code_in_the_file(saved):
    setup = tc.load(saved, vanishing).make(3)
    assert [type(module).__name__ for module in setup.model][1::2] == ["GELU"] * 8


def test_without_make_it_is_read_all_the_same_and_says_what_it_lacks(saved):
    cure = tc.load(saved)
    assert cure.verdict == "cured"
    with pytest.raises(SetupError, match=r"tc\.load\(path, make\)"):
        cure.make(0)


def changed(**values):
    return json.dumps({**json.loads(cure_dumps(cure_samples.cured())), **values})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected a Cure"),
        ("[1]", "format is not"),
        ('{"format": "trainclinic-report"}', "format is not 'trainclinic-cure'"),
        (changed(schema=99), "newer trainclinic"),
        (changed(cost="much"), "'much' stands where int is expected"),
        (changed(trial={"verdict": "cured"}), "missing"),
        (changed(tried=7), "expected a Cure"),
    ],
)
def test_a_file_that_holds_no_cure_is_refused_in_words(tmp_path, text, said):
    path = tmp_path / "cure.json"
    path.write_text(text)
    with pytest.raises(RecordingError, match=re.escape(said)):
        tc.load(path)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read"):
        tc.load(tmp_path / "cure.json")


# -- terminal, page, folder


def test_the_code_is_printed_as_it_is_whatever_the_width():
    out = io.StringIO()
    report(cure_samples.cured(), console=Console(file=out, width=40))
    assert out.getvalue().endswith(cure_samples.CODE)


def test_a_terminal_that_knows_only_ascii_gets_the_report_too():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "ascii", write_through=True)
    report(cure_samples.cured(), console=Console(file=out, width=80))
    assert b"Cured: vanishing-gradient" in raw.getvalue()


@pytest.fixture
def _small_page(monkeypatch):
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "/* plotly.js */")


@pytest.mark.usefixtures("_small_page")
def test_the_page_has_the_proof_before_what_was_wrong():
    document = page(cure_samples.cured())
    marks = ('<h1>Cured: vanishing-gradient</h1>', 'id="treatment"', 'data-copies="code"', 'id="proof"', "+0.840",
             'id="worth"', "hardly", 'id="tried"', 'id="cost"', 'id="findings"', 'id="loss"')  # fmt: skip
    at = 0
    for mark in marks:
        at = document.index(mark, at) + len(mark)
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', document, re.DOTALL).group(1))
    arms = [trace for trace in charts["chart-0"]["data"]]
    assert len(arms) == 12
    assert [trace["showlegend"] for trace in arms].count(True) == 2
    half, full, median = charts["chart-1"]["data"]
    assert (half["x"], len(full["y"])) == (list("123456"), 6)
    assert median["error_y"]["array"] == [pytest.approx(0.87 - 0.8515)]


@pytest.mark.usefixtures("_small_page")
@pytest.mark.parametrize("name", cure_samples.CURES)
def test_every_outcome_has_a_page_and_only_a_proven_treatment_is_to_be_pasted(name):
    cure = cure_samples.CURES[name]()
    document = page(cure)
    assert ("paste it once" in document) == (name == "cured")
    assert ('id="treatment"' in document) == bool(cure.treatment.code)
    assert "NaN" not in re.search(r'id="charts">(.*?)</script>', document, re.DOTALL).group(1)


@pytest.mark.usefixtures("_small_page")
def test_what_the_user_named_is_text_in_the_page():
    cure = cure_samples.cured()
    treatment = Treatment((Dose(HOSTILE, {HOSTILE: HOSTILE}),), (HOSTILE,), HOSTILE)
    trial = dataclasses.replace(cure.trial, treatment=treatment, measure=HOSTILE, problem=HOSTILE, new=(HOSTILE,))
    tried = (Attempt(treatment.remedies, math.nan, False, 0, HOSTILE),)
    cure = dataclasses.replace(cure, said=HOSTILE, trial=trial, tried=tried, parts=())
    for document in (page(cure), fragment(cure)):
        assert "<script>alert" not in document
        assert "&lt;script&gt;alert(1)" in document


def test_a_notebook_gets_a_few_kilobytes():
    html = cure_samples.cured()._repr_html_()
    assert len(html) < 40_000
    assert html.count("<svg") == 1
    assert "<script" not in html


def test_the_folder_never_keeps_the_treatment_of_an_earlier_cure(tmp_path):
    write(cure_samples.cured(), tmp_path / "out", html=False)
    first = (tmp_path / "out" / "treatment.py").read_text()
    assert first.endswith(cure_samples.CODE)
    compile(first, "treatment.py", "exec")
    write(cure_samples.undecided(), tmp_path / "out", html=False)
    assert "import" not in (tmp_path / "out" / "treatment.py").read_text()


def test_a_real_cure_is_the_same_after_a_round_trip(tmp_path):
    cure = tc.cure(healthy)
    tc.report(cure, tmp_path / "cure.json")
    assert repr(tc.load(tmp_path / "cure.json")) == repr(cure)
