"""The page of a cure in a real browser: the proof is drawn, it fits, and its code can be copied offline."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from look import CHROMIUM, DRIVER, script, see

from trainclinic import catalog
from trainclinic.report.report import report

sys.path.append(str(Path(__file__).parents[1] / "golden"))
import cure_samples
import report_samples as samples

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("cure")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "entries", lambda package: samples.CATALOGUE)
        written = {name: report(make(), folder / f"{name}.html") for name, make in cure_samples.CURES.items()}
    return {name: path.as_uri() for name, path in written.items() if path}


@pytest.mark.parametrize("name", cure_samples.CURES)
def test_it_opens_without_an_error_without_the_network_and_draws_everything(
    browser: Any, pages: dict[str, str], name: str
) -> None:
    see(browser, pages[name])
    assert browser.get_log("browser") == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    assert asked, "the log of requests is empty: the page itself should be in it"
    assert [url for url in asked if url != pages[name] and not url.startswith("data:")] == []
    assert script(browser, "document.querySelectorAll('.chart:not(.js-plotly-plot)').length") == 0


def test_the_proof_shows_every_run_and_every_pair(browser: Any, pages: dict[str, str]) -> None:
    see(browser, pages["cured"])
    assert script(browser, "document.querySelectorAll('#proof .chart')[0].querySelectorAll('.trace').length") == 12
    points = "[...document.querySelectorAll('#proof .chart')[1].querySelectorAll('.points path.point')].length"
    assert script(browser, points) == 6 + 6 + 1
    assert script(browser, "document.querySelectorAll('#proof .errorbar').length") == 1
    assert script(browser, "document.querySelectorAll('#proof tbody tr').length") == 6


@pytest.mark.parametrize("clipboard", ["there", "forbidden"])
def test_the_button_copies_the_code(browser: Any, pages: dict[str, str], clipboard: str) -> None:
    see(browser, pages["cured"])
    browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    if clipboard == "forbidden":
        browser.execute_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'));")
    browser.execute_script("document.addEventListener('copy', () => { window.copied = String(getSelection()); });")
    button = browser.find_element("css selector", "button[data-copies]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
    button.click()  # a real one: without a user's action no page may copy
    for _ in range(100):
        if button.text != "Copy":
            break
        time.sleep(0.02)
    said = button.text
    read = "const done = arguments[0]; (async () => done(window.copied ?? await navigator.clipboard.readText()))();"
    text = browser.execute_async_script(read)
    assert said == "Copied"
    assert text.strip() == cure_samples.CODE.strip()


@pytest.mark.parametrize("width", [320, 400, 768])
@pytest.mark.parametrize("name", cure_samples.CURES)
def test_it_fits_a_narrow_window(browser: Any, pages: dict[str, str], name: str, width: int) -> None:
    see(browser, pages[name], width)
    assert script(browser, "document.documentElement.scrollWidth") <= width
