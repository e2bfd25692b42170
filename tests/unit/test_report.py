"""The report: where it is written, what JSON holds, and what is left when something was not measured."""

from __future__ import annotations

import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from trainclinic import catalog
from trainclinic.errors import CatalogError, ReportError, TrainclinicError
from trainclinic.recording import Recording, Series
from trainclinic.records import Diagnosis, Evidence, Finding
from trainclinic.report import charts, spark, thin, words
from trainclinic.report.chain_chart import chain_chart
from trainclinic.report.explain import explain
from trainclinic.report.html import fragment, page
from trainclinic.report.json import dumps
from trainclinic.report.prose import blocks, sources, spans
from trainclinic.report.report import plain, report
from trainclinic.report.text import render
from trainclinic.report.view import verdict, views

sys.path.append(str(Path(__file__).parents[1] / "golden"))
import report_samples as samples

NAN, INF = math.nan, math.inf


@pytest.fixture
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "entries", lambda package: samples.CATALOGUE)


def finding(problem: str, explained_by: str = "", **settings: object) -> Finding:
    return Finding(problem, "problem", 0.5, 0.5, (), (0, 1), (), explained_by=explained_by, **settings)  # type: ignore[arg-type]


# --- where it goes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "begins"), [(".html", "<!DOCTYPE html>"), (".json", "{"), (".txt", "─")])
def test_the_suffix_says_what_is_written(tmp_path: Path, suffix: str, begins: str) -> None:
    path = report(samples.sigmoid_diagnosis(), tmp_path / f"report{suffix.upper()}")
    assert path is not None
    assert path.read_text(encoding="utf-8").startswith(begins)


def test_another_suffix_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"expected a path that ends in \.html, \.json, \.txt, got .*report\.pdf"):
        report(Diagnosis(()), tmp_path / "report.pdf")
    assert issubclass(ReportError, TrainclinicError)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="cannot"):
        report(Diagnosis(()), tmp_path / "none" / "report.json")


def test_without_a_path_it_is_printed() -> None:
    out = io.StringIO()
    assert report(samples.sigmoid_diagnosis(), console=Console(file=out, width=80)) is None
    assert "1 problem: vanishing-gradient" in out.getvalue()


def test_a_terminal_that_knows_only_ascii_gets_a_report_too() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    report(samples.sigmoid_diagnosis(), console=Console(file=out, width=80))
    assert b"1 problem: vanishing-gradient" in raw.getvalue()


# --- JSON ------------------------------------------------------------------------------------------------------


def strictly(text: str) -> dict:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.usefixtures("_catalogue")
def test_json_holds_the_verdict_the_run_and_the_chain() -> None:
    found = strictly(dumps(samples.sigmoid_diagnosis()))
    assert found["schema"] == 1
    assert found["verdict"] == "1 problem: vanishing-gradient"
    assert found["run"]["steps"] == 60
    assert found["run"]["ended"] == "completed"
    assert found["run"]["environment"]["torch"] == "2.13.0"
    assert len(found["run"]["layers"]) == 31
    assert len(found["chain"]["early"]) == 16
    assert found["chain"]["early"][-1]["factor"] is None
    assert found["findings"][0]["because"].startswith("every sigmoid")
    assert found["run"]["validation"] == {"loss": pytest.approx(2.305), "accuracy": pytest.approx(0.1)}


def test_json_writes_nan_as_null_and_infinity_as_a_word() -> None:
    found = strictly(dumps(samples.diverged_diagnosis()))
    first, second = found["findings"][0]["evidence"]
    assert (first["observed"], second["observed"], second["limit"]) == ("Infinity", None, None)
    assert found["run"]["loss"]["final"] == "NaN"
    assert found["run"]["loss"]["first_non_finite_step"] == 31


@given(st.floats(), st.floats(), st.text())
def test_json_is_strict_whatever_was_measured(observed: float, limit: float, layer: str) -> None:
    entry = Evidence("loss", layer, observed, limit, "1")
    sick = Finding("x", "problem", 1.0, 1.0, (layer,), (0, 0), (entry,))
    text = dumps(Diagnosis((sick,)))
    text.encode("utf-8")
    strictly(text)


# --- no finding is lost ----------------------------------------------------------------------------------------


def test_two_roots_of_one_problem_do_not_show_what_they_explain_twice() -> None:
    roots = finding("a"), finding("a", cause="other")
    below = finding("b", explained_by="a")
    found = views(Diagnosis((*roots, below)))
    assert [len(view.explains) for view in found] == [1, 0]


def test_a_finding_whose_explanation_is_missing_is_shown_all_the_same() -> None:
    diagnosis = Diagnosis((finding("a"), finding("b", explained_by="gone"), finding("c", explained_by="c")))
    assert [view.finding.problem for view in views(diagnosis)] == ["a", "b", "c"]
    assert "explained by gone" in plain(render(diagnosis))


def test_a_problem_explained_by_an_observation_is_still_in_the_verdict() -> None:
    root = Finding("a", "observation", 0.1, 0.5, (), (0, 1), ())
    diagnosis = Diagnosis((root, finding("b", explained_by="a")))
    assert verdict(diagnosis) == "1 problem: b"
    assert "✗" in plain(render(diagnosis)) or "!" in plain(render(diagnosis))


def test_the_short_form_names_the_number_that_is_beyond_its_limit() -> None:
    numbers = (
        Evidence("a", "", 1.0, 2.0, "1"),
        Evidence("b", "", NAN, 0.0, "1"),
        Evidence("c", "", 1.0, 2.0, "1", "below"),
    )
    sick = Finding("x", "observation", 0.1, 0.5, (), (0, 1), numbers)
    assert views(Diagnosis((sick,)))[0].telling.quantity == "C"


def test_a_problem_that_is_not_installed_is_shown_without_its_page() -> None:
    text = plain(render(Diagnosis((finding("from-elsewhere"),))))
    assert "From elsewhere" in text
    assert "not in the catalogue" in text


@pytest.mark.usefixtures("_catalogue")
def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(CatalogError, match="did you mean vanishing-gradient"):
        explain("vanishing-gradent")


# --- what is left when something is missing --------------------------------------------------------------------


def emptied(**settings: object) -> Recording:
    return Recording(**{"layers": (), "units": {}, "facts": {}, "environment": {}, "ended": "unknown", **settings})  # type: ignore[arg-type]


def series(*values: float) -> Series:
    return Series(np.arange(len(values), dtype=np.int64), np.array(values))


POOR = {
    "no recording": Diagnosis((finding("a"),)),
    "an empty recording": Diagnosis((finding("a"),), (), emptied()),
    "one layer, one step": samples.sigmoid_diagnosis(samples.sigmoid_run(["only"], 1)),
    "three steps": samples.sigmoid_diagnosis(samples.sigmoid_run(steps=3)),
    "no layers": samples.sigmoid_diagnosis(samples.sigmoid_run([])),
    "a diverged run": samples.diverged_diagnosis(),
    "nothing finite": Diagnosis(
        (finding("a"),), (), emptied(_series={("loss", ""): series(NAN, INF, NAN), ("gradient_norm", ""): series(INF)})
    ),
    "a loss of zero": Diagnosis((), (), emptied(_series={("loss", ""): series(1.0, 0.0, 0.0)})),
    "a negative loss": Diagnosis((), (), emptied(_series={("loss", ""): series(1.0, -400.0, 3.0)})),
}


@pytest.mark.parametrize("diagnosis", POOR.values(), ids=POOR)
def test_every_face_is_drawn_from_what_there_is(diagnosis: Diagnosis) -> None:
    assert plain(render(diagnosis)).strip()
    assert "</html>" in page(diagnosis)
    assert "</div>" in fragment(diagnosis)
    strictly(dumps(diagnosis))


@pytest.mark.parametrize("diagnosis", POOR.values(), ids=POOR)
def test_every_chart_is_a_valid_plotly_figure(diagnosis: Diagnosis) -> None:
    recording = diagnosis.recording or emptied()
    drawn = [charts.loss_chart(recording), chain_chart(recording)]
    drawn += [charts.heatmap(recording, signal) for signal in charts.layer_signals(recording)]
    drawn += [charts.run_chart(recording, signal) for signal in charts.run_signals(recording)]
    for view in views(diagnosis):
        drawn += charts.finding_charts(recording, view.finding, samples.VanishingGradient)
    for chart in filter(None, drawn):
        go.Figure(chart)
        json.dumps(chart, allow_nan=False)


# --- the pictures ----------------------------------------------------------------------------------------------


def test_the_chain_falls_with_the_bound() -> None:
    chart = chain_chart(samples.sigmoid_run())
    assert chart is not None
    lines = {trace["name"].split(":")[0]: trace["y"] for trace in chart["data"]}
    assert lines["0.25ⁿ"][-1] == pytest.approx(0.25**15, rel=1e-3)
    assert lines["product of |φ′|"][-1] == pytest.approx(0.24**15, rel=1e-3)
    assert lines["product of weight gain × |φ′|"][-1] == pytest.approx((0.58 * 0.24) ** 15, rel=1e-3)
    assert lines["measured, first steps"][0] == 1
    assert chart["data"][0]["x"][0] == "body.15"


def test_the_bound_is_drawn_only_where_there_are_activations() -> None:
    recording = samples.sigmoid_run()
    bare = {key: found for key, found in recording._series.items() if key[0] != "activation_derivative"}
    chart = chain_chart(emptied(layers=recording.layers, _series=bare))
    assert chart is not None
    assert [trace["name"] for trace in chart["data"]] == ["measured, first steps", "measured, end of the run"]


def test_a_limit_is_drawn_where_the_units_agree() -> None:
    sick = samples.sigmoid_diagnosis()
    found = charts.finding_charts(sick.recording, sick.findings[0], samples.VanishingGradient)
    titles = [chart["layout"]["yaxis"]["title"]["text"] for chart in found]
    assert titles == ["Backward signal", "Update ÷ weight"]
    assert [shape["y0"] for shape in found[1]["layout"]["shapes"]] == [1e-5]
    assert "shapes" not in found[0]["layout"]


def test_a_long_run_stays_small_and_keeps_its_spikes() -> None:
    values = np.ones(100_000)
    values[54_321] = 9.0
    steps, kept = thin.line(Series(np.arange(100_000, dtype=np.int64), values))
    assert len(steps) <= thin.POINTS + 2
    assert (steps[0], steps[-1], kept.max()) == (0, 99_999, 9.0)


def test_samples_that_are_dense_at_first_get_a_column_each() -> None:
    steps = np.array([0, 1, 2, 3, 4, 8, 40, 200, 1000])
    layer = samples.sigmoid_run(["a"], 1).layers[0]
    held = {("backward_rms", "a"): Series(steps, np.full(9, 0.5))}
    chart = charts.heatmap(emptied(layers=(layer,), _series=held), "backward_rms")
    assert chart is not None
    assert chart["layout"]["xaxis"]["type"] == "category"


def test_zero_and_infinity_are_seen_in_a_heatmap() -> None:
    layer = samples.sigmoid_run(["a"], 1).layers[0]
    chart = charts.heatmap(
        emptied(layers=(layer,), _series={("backward_rms", "a"): series(1.0, 0.0, INF)}), "backward_rms"
    )
    assert chart is not None
    assert [trace.get("name") for trace in chart["data"]] == [None, "exactly 0", "not finite"]


# --- words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (NAN, "1", "not measured"), (INF, "1", "∞"), (-INF, "decades", "−∞ decades"), (0.0, "1", "0"),
        (3.0, "layers", "3 layers"), (-12.81, "decades", "-12.8 decades"), (3.1e-15, "loss/1", "3.1e-15"),
        (1234.5, "1", "1234"), (1.13e6, "1", "1.13e6"), (2.5e7, "1", "2.5e7"), (0.01, "1/step", "0.01 per step"),
        (334, "step", "step 334"), (1e-5, "1", "1e-5"),
    ],
)  # fmt: skip
def test_numbers_are_written_short(value: float, unit: str, said: str) -> None:
    assert words.number(value, unit) == said


@given(st.floats())
def test_any_number_can_be_written(value: float) -> None:
    assert words.number(value)


@given(st.text())
def test_clean_text_drives_no_terminal(text: str) -> None:
    assert not any(char < " " or char in "\x7f\u202e\u2028" for char in words.clean(text))


def test_many_layers_are_abbreviated() -> None:
    assert words.names(["a", "b", "c", "d"]) == "a, b, c, d"
    assert words.names(["a", "b", "c", "d", "e"]) == "a, b … e (5 layers)"


def test_every_recorded_signal_has_words() -> None:
    recorded = {path.stem for path in Path(words.__file__).parents[1].glob("measure/signals/[a-z]*.py")}
    assert recorded <= {*words.LAYER_SIGNALS, *words.RUN_SIGNALS}


def test_a_list_in_a_docstring_keeps_its_items() -> None:
    found = blocks("Do:\n1. one\n   and more\n2. two\nAfter all.\n\n    code()")
    assert [(block.kind, block.text) for block in found] == [
        ("text", "Do:"), ("item", "one and more"), ("item", "two"), ("text", "After all."), ("code", "code()"),
    ]  # fmt: skip


def test_references_become_a_list() -> None:
    assert [block.text for block in sources("A 1991; B & C\n2010; D 2015.")] == ["A 1991", "B & C 2010", "D 2015"]


def test_addresses_and_code_are_found() -> None:
    assert [span.kind for span in spans("see `x` at https://a.org/b.")] == ["plain", "code", "plain", "link", "plain"]


def test_stressed_words_are_found_and_products_are_not() -> None:
    assert [(span.kind, span.text) for span in spans("the *values*, not a * b * c or 2*x*y")] == [
        ("plain", "the "), ("stress", "values"), ("plain", ", not a * b * c or 2*x*y"),
    ]  # fmt: skip


def test_a_flat_series_looks_flat() -> None:
    assert len(set(spark.spark([2.30, 2.31, 2.30, 2.32], least=0.3))) == 1
    assert spark.spark([1, 10, NAN, 100]) == "▁▅·█"
    assert spark.spark([NAN, 0.0]) == ""
