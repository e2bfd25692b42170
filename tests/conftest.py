"""Every test starts from the same random state and leaves nothing of a watch behind."""

from __future__ import annotations

import pytest
import torch
from torch.overrides import _get_current_function_mode_stack

torch.set_num_threads(1)


def pytest_addoption(parser):
    parser.addoption("--robustness-table", metavar="FILE", help="write the outcome of every row test to FILE (JSON)")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _nothing_left():
    yield
    from trainclinic.measure import intercept

    left = list(intercept._listeners)
    for listener in left:
        listener.close()
    assert not left, "a watch was left open"
    assert not _get_current_function_mode_stack(), "a torch function mode was left open"
