"""The page in a real browser: it opens from a file, asks the network for nothing, and draws its pictures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from look import CHROMIUM, DRIVER, script, see

from trainclinic import catalog
from trainclinic.report.report import report

sys.path.append(str(Path(__file__).parents[1] / "golden"))
import report_samples as samples

HOSTILE = ("<script>window.hacked = 1</script>", "<img src=x onerror='window.hacked = 1'>", "<b>bold</b>", "층.0")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "entries", lambda package: samples.CATALOGUE)
        names = [*HOSTILE, *samples.layer_names(12)]
        path = tmp_path_factory.mktemp("report") / "report.html"
        report(samples.sigmoid_diagnosis(samples.sigmoid_run(names)), path)
    return path.as_uri()


def test_it_opens_without_an_error_and_without_the_network(browser: Any, page: str) -> None:
    see(browser, page)
    assert browser.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    assert asked, "the log of requests is empty: the page itself should be in it"
    assert [url for url in asked if url != page and not url.startswith("data:")] == []


def test_every_chart_is_drawn(browser: Any, page: str) -> None:
    see(browser, page)
    places = script(browser, "document.querySelectorAll('.chart').length")
    assert places >= 10
    assert script(browser, "document.querySelectorAll('.chart .cartesianlayer > .subplot').length") >= places
    assert script(browser, "document.querySelectorAll('.chart .scatterlayer .trace').length") > 10
    assert script(browser, "document.querySelectorAll('.chart .heatmaplayer image').length") >= 6


def test_a_name_with_a_script_is_text(browser: Any, page: str) -> None:
    see(browser, page)
    assert script(browser, "window.hacked") is None
    assert script(browser, "document.querySelectorAll('main img, main b').length") == 0
    ticks = script(browser, "[...document.querySelectorAll('.ytick text')].map((text) => text.textContent)")
    assert "<b>bold</b>" in ticks
    assert "층.0" in ticks


@pytest.mark.parametrize("width", [320, 400, 768])
def test_it_fits_a_narrow_window(browser: Any, page: str, width: int) -> None:
    see(browser, page, width)
    assert script(browser, "document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(browser: Any, page: str, scheme: str) -> None:
    see(browser, page, scheme=scheme)
    colours = """(() => {
        const light = (text) => text.match(/\\d+/g).slice(0, 3).reduce((sum, value) => sum + Number(value), 0) / 3;
        const body = getComputedStyle(document.body);
        const tick = getComputedStyle(document.querySelector(".xtick text"));
        return [light(body.backgroundColor), light(body.color), light(tick.fill)];
    })()"""
    ground, text, tick = script(browser, colours)
    assert abs(ground - text) > 150
    assert abs(ground - tick) > 150
    assert (ground < 128) == (scheme == "dark")


def test_the_keyboard_reaches_the_findings_first(browser: Any, page: str) -> None:
    keys = pytest.importorskip("selenium.webdriver").Keys
    see(browser, page)
    browser.execute_script("window.scrollTo(0, 0); document.activeElement.blur();")
    browser.switch_to.active_element.send_keys(keys.TAB)
    assert browser.switch_to.active_element.get_attribute("href").endswith("#findings")


def test_printing_unfolds_and_draws_everything(browser: Any, page: str) -> None:
    browser.get(page)
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert script(browser, "document.querySelectorAll('details:not([open])').length") == 0
    assert script(browser, "document.querySelectorAll('.chart:not(.js-plotly-plot)').length") == 0
