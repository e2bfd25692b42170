"""How quickly the lab's page answers, in a real Chromium on this machine: `lab.py [--rounds 3]`; ten minutes.

Every figure is in seconds unless said, with its spread over the rounds:

    first paint      from the request to the browser's first contentful paint, of each chapter, nothing cached
    a control        of a play: from the key to the new chart, of each chapter's first control
    a setting        of the experiment: from the key to the first step that the network trained with it
    charts           updates a second of the loss curve while 20 sigmoid layers train on digits at full pace, and how
                     many optimizer steps a second are trained meanwhile
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sections

sys.path.append(str(Path(__file__).parents[1] / "tests" / "browser"))
from lab_server import served
from look import CHROMIUM, DRIVER
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

from trainclinic.lab.chapter import chapters
from trainclinic.lab.labels import LABELS
from trainclinic.prove.progress import bar

RESULTS = Path(__file__).with_name("results") / "lab.json"
PATIENCE = 60  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="How quickly the lab answers. Method: see this file's docstring.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    found: dict[str, dict[str, list[float]]] = {"first paint": {}, "a control": {}, "a setting": {}, "charts": {}}
    with served() as (address, _), bar(shown=True) as told:
        work = [(name, part) for part in range(rounds) for name in chapters()]
        for done, (name, _) in enumerate(work):
            told(name, done / len(work))
            browser = _browser()
            try:
                _measure(browser, address, name, found)
            finally:
                browser.quit()
    results = {
        "machine": sections.machine("cpu", None, []),
        "rounds": rounds,
        "all": found,
        "summary": summary(found),
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    for name, values in results["summary"].items():
        print(f"{name}: {values}")


def summary(found: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Of each figure the median over the chapters' medians, with the smallest and the largest of these."""
    shown: dict[str, Any] = {}
    for figure, of in found.items():
        medians = {name: statistics.median(values) for name, values in of.items() if values}
        if medians:
            shown[figure] = {
                "median": round(statistics.median(medians.values()), 2),
                "least": round(min(medians.values()), 2),
                "most": round(max(medians.values()), 2),
            }
    return shown


def _browser() -> Any:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-sync", "window-size=1500,1400",
                 "disable-background-networking", "disable-component-update",
                 f"user-data-dir={tempfile.mkdtemp()}"):  # fmt: skip
        options.add_argument(f"--{flag}")
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))


def _measure(browser: Any, address: str, name: str, found: dict[str, dict[str, list[float]]]) -> None:
    browser.get(f"{address}/{name}?lang=en")
    _until(browser, "performance.getEntriesByName('first-contentful-paint').length")
    paint = browser.execute_script("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    found["first paint"].setdefault(name, []).append(paint / 1000)
    _until(browser, "window.socket?.connected && document.querySelectorAll('.tc-answer > *').length")
    time.sleep(2)  # the figures in sight are drawn
    found["a control"].setdefault(name, []).append(_answer(browser, ".tc-play"))
    found["a setting"].setdefault(name, []).append(_setting(browser))
    if name == "vanishing-gradient":
        updates, steps = _charts(browser)
        found["charts"].setdefault("updates a second", []).append(updates)
        found.setdefault("steps a second", {}).setdefault("20 layers", []).append(steps)


def _answer(browser: Any, place: str) -> float:
    """A play's first slider is moved by a key; the play's chart or table changes."""
    shown = f"document.querySelector('{place}').querySelector('.tc-chart, .tc-table')?.innerHTML.length + " \
            f"document.querySelector('{place}').innerText"  # fmt: skip
    before = browser.execute_script(f"return {shown}")
    slider = browser.find_element("css selector", f"{place} .tc-slider")
    begun = time.monotonic()
    slider.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    _until(browser, f"({shown}) !== {json.dumps(before)}")
    return time.monotonic() - begun


def _setting(browser: Any) -> float:
    """A setting is moved while it trains; the first step with it is drawn."""
    _press(browser, LABELS["start"]["en"])
    chart = "document.querySelector('.tc-lab .js-plotly-plot')"
    _until(browser, f"{chart}?.data?.[0]?.x?.length > 3")
    browser.execute_script(
        f"window.anew = 0; setInterval(() => {{ const n = {chart}?.data?.[0]?.x?.length ?? 0;"
        " window.anew = n === 0 ? 1 : window.anew === 1 ? 2 : window.anew; }, 5)"
    )
    slider = browser.find_element("css selector", ".tc-lab .tc-slider")
    least = browser.execute_script("return arguments[0].value === arguments[0].min", slider)
    begun = time.monotonic()
    slider.send_keys(Keys.ARROW_RIGHT if least else Keys.ARROW_LEFT)
    _until(browser, "window.anew === 2")
    return time.monotonic() - begun


def _charts(browser: Any) -> tuple[float, float]:
    """Draws of the loss curve a second over five seconds of training at full pace, and steps a second."""
    _press(browser, LABELS["reset"]["en"])
    browser.execute_script(
        "history.replaceState(null, '', '?lang=en&depth=20&activation=Sigmoid&init=xavier&epochs=200')"
    )
    browser.refresh()
    _until(browser, "window.socket?.connected && document.querySelectorAll('.tc-answer > *').length")
    time.sleep(2)
    browser.find_element("css selector", ".tc-pace").click()
    full = f"[...document.querySelectorAll('.q-item')].find((one) => one.textContent === '{LABELS['full']['en']}')"
    _until(browser, full)
    browser.execute_script(f"{full}.click()")
    _press(browser, LABELS["start"]["en"])
    _until(browser, "document.querySelector('.tc-lab .js-plotly-plot')?.data?.[0]?.x?.length > 20")
    time.sleep(2)
    chart = "document.querySelector('.tc-lab .js-plotly-plot')"
    browser.execute_script(f"window.drawn = 0; {chart}.on('plotly_afterplot', () => window.drawn++)")
    step = "Number(document.querySelector('.tc-status').textContent.match(/step (\\d+)/)[1])"
    begun, first = time.monotonic(), browser.execute_script(f"return {step}")
    time.sleep(5)
    drawn, last = browser.execute_script(f"return [window.drawn, {step}]")
    took = time.monotonic() - begun
    return round(drawn / took, 1), round((last - first) / took, 1)


def _press(browser: Any, words: str) -> None:
    button = f"[...document.querySelectorAll('.tc-lab button')].find((one) => one.textContent.includes('{words}'))"
    _until(browser, button)
    browser.execute_script(f"{button}.click()")


def _until(browser: Any, expression: str) -> None:
    end = time.monotonic() + PATIENCE
    while not browser.execute_script(f"return Boolean({expression})"):
        if time.monotonic() > end:
            raise TimeoutError(f"{expression}: not within {PATIENCE} s")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
