"""Looking at a page in a real browser."""

from __future__ import annotations

import shutil
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


def see(browser: Any, address: str, width: int = 1200, scheme: str = "light") -> None:
    """Open the page at a width, with every part unfolded, and look at all of it."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    for log in ("browser", "performance"):
        browser.get_log(log)  # what an earlier page left there
    browser.get(address)
    browser.set_script_timeout(60)
    browser.execute_async_script(
        """
        const done = arguments[0];
        document.querySelectorAll("details").forEach((part) => { part.open = true; });
        const places = [...document.querySelectorAll(".chart")];
        (async () => {
          for (const place of places) {
            place.scrollIntoView();
            for (let i = 0; i < 100 && !place.querySelector(".main-svg"); i++)
              await new Promise((resume) => setTimeout(resume, 50));
          }
          done();
        })();
        """
    )


def script(browser: Any, expression: str) -> Any:
    return browser.execute_script(f"return {expression}")
