"""`pytest tests/robustness --robustness-table FILE` writes what every row asserts and how it went."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import rows
import torch

_failed = pytest.StashKey[dict]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    mark = item.get_closest_marker("row")
    if mark and (report.failed or report.skipped):
        first = str(call.excinfo.value).strip().split("\n")[0] if call.excinfo else report.when
        item.config.stash.setdefault(_failed, {})[mark.args[0]] = f"fails: {first}"
    return report


def pytest_sessionfinish(session):
    path = session.config.getoption("--robustness-table", None)
    if path:
        failed = session.config.stash.get(_failed, {})
        entries = [{**entry, "outcome": failed.get(entry["row"], "ok")} for entry in rows.listed()]
        Path(path).write_text(json.dumps({"torch": torch.__version__, "rows": entries}, indent=1) + "\n")
