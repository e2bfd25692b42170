"""The lab in a real browser: every chapter in both languages, its controls, its experiment, its end."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from lab_server import served
from look import CHROMIUM, DRIVER, script

import trainclinic as tc
from trainclinic.lab.chapter import chapters
from trainclinic.lab.experiment import Make
from trainclinic.lab.labels import LABELS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"),
]
POINTS = "document.querySelector('.tc-lab .js-plotly-plot')?.data?.[0]?.x?.length"
PATIENCE = 120  # seconds that anything may take on a busy machine
ALL = [(name, language) for name in chapters() for language in ("en", "ko")]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, psutil.Process]]:
    with served() as (address, process):
        yield address, psutil.Process(process.pid)


@pytest.fixture
def lab(server: tuple[str, psutil.Process]) -> str:
    """Its address."""
    return server[0]


@pytest.fixture
def trainings(server: tuple[str, psutil.Process]) -> Callable[[], set[int]]:
    """The processes that train now: the server forks them from one child that only imports."""

    def found() -> set[int]:
        return {one.pid for child in server[1].children() for one in child.children()}

    return found


def visit(browser: Any, address: str) -> None:
    """Open a page and wait until it listens."""
    size = {"width": 1500, "height": 1400, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(address)
    until(
        browser,
        "window.socket && window.socket.connected && document.querySelectorAll('.tc-play .tc-answer > *').length > 0",
    )


def until(browser: Any, expression: str) -> Any:
    """What an expression gives as soon as it is truthy."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = script(browser, expression)
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{expression}: not within {PATIENCE} s; the page says {statuses(browser)}")


def statuses(browser: Any) -> list[str]:
    return list(script(browser, "[...document.querySelectorAll('.tc-status')].map((one) => one.textContent)"))


def press(browser: Any, key: str, language: str) -> None:
    """A button by its words, within the experiment."""
    words = json.dumps(LABELS[key][language])
    until(browser, f"[...document.querySelectorAll('.tc-lab button')].some((one) => one.textContent.includes({words}))")
    browser.execute_script(
        f"[...document.querySelectorAll('.tc-lab button')].find((one) => one.textContent.includes({words})).click()"
    )


def said(key: str, language: str) -> str:
    """The words of a state up to its first number, as an expression that looks for them on the page."""
    words = json.dumps(LABELS[key][language].split("{")[0])
    return f"[...document.querySelectorAll('.tc-status')].some((one) => one.textContent.includes({words}))"


def ended(language: str) -> str:
    """The same for the end of a training, whose words begin with a number in Korean."""
    return said("ended", language)


@pytest.mark.parametrize(("name", "language"), ALL)
def test_a_chapter_opens_answers_and_trains_to_its_end(browser: Any, lab: str, name: str, language: str) -> None:
    visit(browser, f"{lab}/{name}?lang={language}")
    title = chapters()[name].title[language]
    assert title in script(browser, "document.querySelector('h1').textContent")
    until(browser, f"document.documentElement.lang.startsWith('{language}')")

    for place in range(script(browser, "document.querySelectorAll('.tc-play .tc-slider').length")):
        before = script(browser, f"document.querySelectorAll('.tc-play .tc-number')[{place}].textContent")
        slider = browser.find_elements("css selector", ".tc-play .tc-slider")[place]
        key(browser, slider, before, place)

    press(browser, "start", language)
    until(browser, ended(language))
    until(browser, "document.querySelectorAll('.tc-lab .scatterlayer .trace').length >= 4")
    assert until(browser, POINTS) > 5
    assert until(browser, "document.querySelectorAll('.tc-lab .heatmaplayer image').length") == 1

    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []
    sent = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in sent if event["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith((lab, "data:", "blob:"))] == []


def key(browser: Any, slider: Any, before: str, place: int) -> None:
    """Move a slider by the keyboard; its number answers."""
    from selenium.webdriver.common.keys import Keys

    shown = f"document.querySelectorAll('.tc-play .tc-number')[{place}].textContent"
    for stroke in (Keys.ARROW_RIGHT, Keys.ARROW_LEFT):
        slider.send_keys(*[stroke] * 5)  # a logarithmic one is written with two digits
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if script(browser, shown) != before:
                return
            time.sleep(0.05)
    raise AssertionError(f"slider {place} does not answer to the arrow keys")


def test_a_setting_is_in_the_address_and_the_address_is_the_view(browser: Any, lab: str) -> None:
    visit(browser, f"{lab}/vanishing-gradient?lang=en&depth=7&activation=Tanh")
    number = "[...document.querySelectorAll('.tc-lab .tc-number')].map((one) => one.textContent)"
    assert "7" in script(browser, number)
    from selenium.webdriver.common.keys import Keys

    browser.find_element("css selector", ".tc-lab .tc-slider").send_keys(Keys.ARROW_RIGHT)
    until(browser, "location.search.includes('depth=8')")
    assert "activation=Tanh" in script(browser, "location.search")


def test_an_address_that_cannot_be_set_is_told_and_the_chapter_stands(browser: Any, lab: str) -> None:
    visit(browser, f"{lab}/vanishing-gradient?depth=999")
    until(browser, "document.body.textContent.includes('from 0 to 40')")
    assert "20" in script(browser, "[...document.querySelectorAll('.tc-lab .tc-number')].map((one) => one.textContent)")


def test_the_clinic_diagnoses_and_treats_beside_the_sick_twin(browser: Any, lab: str) -> None:
    visit(browser, f"{lab}/vanishing-gradient?lang=ko")
    press(browser, "start", "ko")
    until(browser, "document.querySelector('.tc-ill')?.textContent.includes('기울기 소실')")
    press(browser, "treat", "ko")
    until(browser, "document.querySelectorAll('.tc-lab .heatmaplayer image').length === 2")
    words = json.dumps(LABELS["ended"]["ko"].split("{")[0])
    count = f"[...document.querySelectorAll('.tc-status')].filter((one) => one.textContent.includes({words})).length"
    until(browser, f"{count} === 2")
    sick, treated = script(
        browser, "(() => { const d = document.querySelectorAll('.tc-lab .js-plotly-plot')[1].data;"
                 " return [d[0].y.at(-1), d[1].y.at(-1)]; })()"
    )  # fmt: skip
    assert sick < 0.2
    assert treated > 0.85
    assert script(browser, "document.querySelectorAll('.tc-found .tc-well').length") == 1
    found = script(browser, "document.querySelector('.tc-lab .tc-found').parentElement.innerText")
    assert "활성화 함수가 어떤 값이든 좁은 범위로 눌러 넣습니다" in found
    assert "바꾼 것: 활성화 함수 바꾸기 (함수 " in found
    kept = [row for row in rows(browser, "#found-1") if row[-1].endswith("선택됨")]
    untreated = next(row for row in rows(browser, "#found-1") if row[0] == "치료하지 않음")
    assert float(kept[0][1]) > float(untreated[1]) + 0.2
    assert len(kept) == 1


def rows(browser: Any, place: str) -> list[list[str]]:
    """The cells of the tables within a place."""
    cells = "[...row.cells].map((cell) => cell.textContent)"
    return list(script(browser, f"[...document.querySelectorAll('{place} tbody tr')].map((row) => {cells})"))


@pytest.mark.parametrize(
    ("language", "name", "span", "limit"),
    [
        ("en", "Vanishing gradient", r"-1\d(\.\d)? decades", "below -3 decades"),
        ("ko", "기울기 소실", r"-1\d(\.\d)? 자릿수", "-3 자릿수 미만"),
    ],
)
def test_the_verdict_is_seen_without_scrolling_and_leads_to_its_numbers(
    browser: Any, lab: str, language: str, name: str, span: str, limit: str
) -> None:
    visit(browser, f"{lab}/vanishing-gradient?lang={language}")
    size = {"width": 1280, "height": 950, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert script(browser, "document.querySelectorAll('.tc-lab .js-plotly-plot').length") == 0
    press(browser, "start", language)
    until(browser, ended(language))
    verdict = "document.querySelector('.tc-verdict')"
    assert until(browser, f"{verdict}.textContent").startswith(f"✗ {name}")
    assert script(browser, f"{verdict}.getBoundingClientRect().bottom") < 950
    assert script(
        browser, "document.querySelector('.tc-lab').scrollWidth <= document.querySelector('.tc-lab').clientWidth"
    )
    top = "document.querySelector('#found-0').getBoundingClientRect().top"
    assert script(browser, top) > 950
    browser.execute_script(f"{verdict}.click()")
    until(browser, f"{top} < 475")
    measured = {row[0]: row[1:] for row in rows(browser, "#found-0")}
    assert any(re.fullmatch(span, observed) and against == limit for observed, against in measured.values())


def test_a_try_of_two_runs_begins_both_and_says_what_differs(browser: Any, lab: str) -> None:
    visit(browser, f"{lab}/vanishing-gradient?lang=en")
    press(browser, "set both", "en")
    words = json.dumps(LABELS["ended"]["en"].split("{")[0])
    until(browser, f"[...document.querySelectorAll('.tc-status')].filter((one) => one.textContent.includes({words}))"
                   ".length === 2")  # fmt: skip
    assert "beside, with Hidden layers 3: " in statuses(browser)[1]
    until(browser, "location.search.includes('depth=6')")
    slider = "document.querySelector('.tc-lab .tc-slider')"
    assert script(browser, f"{slider}.getAttribute('aria-valuetext')") == "6"
    assert script(browser, "document.title").startswith("Vanishing and exploding gradients")


def test_ten_sessions_at_once_each_see_their_own_and_all_come_to_their_turn(
    browser: Any, lab: str, trainings: Callable[[], set[int]]
) -> None:
    first, pages = browser.current_window_handle, []
    for seed in range(10):
        browser.switch_to.new_window("tab")
        pages.append(browser.current_window_handle)
        visit(browser, f"{lab}/vanishing-gradient?lang=en&depth=3&activation=ReLU&init=he&epochs=2&seed={seed}")
    before = trainings()
    for page in pages:
        browser.switch_to.window(page)
        press(browser, "start", "en")
    losses = set()
    for page in pages:
        browser.switch_to.window(page)
        until(browser, said("ended", "en"))
        chart = "document.querySelector('.tc-lab .js-plotly-plot')"
        assert until(browser, POINTS) == 44
        losses.add(str(script(browser, f"{chart}.data[0].y")))
        browser.close()
    assert len(losses) == 10
    browser.switch_to.window(first)
    end = time.monotonic() + PATIENCE
    while trainings() - before:
        assert time.monotonic() < end, "a process is left"
        time.sleep(0.5)


def test_a_killed_worker_ends_the_curves_and_the_page_says_so(
    browser: Any, lab: str, trainings: Callable[[], set[int]]
) -> None:
    visit(browser, f"{lab}/vanishing-gradient?lang=en&epochs=150")
    before = trainings()
    press(browser, "start", "en")
    until(browser, f"{POINTS} > 30")
    (pid,) = trainings() - before
    os.kill(pid, signal.SIGKILL)
    until(browser, said("died", "en"))
    points = script(browser, POINTS)
    time.sleep(1)
    assert script(browser, POINTS) == points


def test_a_training_ends_when_its_page_goes(browser: Any, lab: str, trainings: Callable[[], set[int]]) -> None:
    visit(browser, f"{lab}/vanishing-gradient?lang=en&epochs=150")
    before = trainings()
    press(browser, "start", "en")
    until(browser, f"{POINTS} > 5")
    assert trainings() - before
    browser.get("about:blank")
    end = time.monotonic() + PATIENCE
    while trainings() - before:
        assert time.monotonic() < end, "its process is still there"
        time.sleep(0.5)


def test_a_recording_is_shown_while_it_is_written(browser: Any, tmp_path: Any) -> None:
    path = tmp_path / "run.clinic"
    setup = Make({"depth": 20, "activation": "Sigmoid", "init": "xavier", "epochs": 6})(0)
    with served("--open", str(path)) if tc.run(Make({"epochs": 1}), path=path) else None as (address, _):
        visit_recording(browser, address)
        assert LABELS["complete"]["en"].split("{")[0] in statuses(browser)[0]
        with tc.watch(setup.model, setup.optimizer, setup.loss_fn, path=path) as watch:
            tc.train(setup, watch.validate)
            watch.write_news()
            until(browser, said("still written", "en"))
        until(browser, said("complete", "en"))
        until(browser, "document.querySelector('.tc-ill')?.textContent.includes('Vanishing gradient')")


def visit_recording(browser: Any, address: str) -> None:
    browser.get(f"{address}/recording?lang=en")
    until(browser, "document.querySelectorAll('.js-plotly-plot .main-svg').length > 3")
