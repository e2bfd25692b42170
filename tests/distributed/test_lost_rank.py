"""A rank is killed in mid-run: what the others recorded is whole, and they end as without a watch."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import programs
import pytest
import torch
import world
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

import trainclinic as tc
from trainclinic.report.report import plain
from trainclinic.report.text import render

LAST = 30  # the step in which a rank is killed; the file is written once a second
PAUSE = 0.06  # seconds a step


def train_and_lose_a_rank(rank: int, size: int, folder: Path, watched: bool) -> None:
    kind, lost = DistributedDataParallel, size - 1
    model = kind(programs.network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with programs.watching(model, optimizer, folder / "run.clinic" if watched else None):
        for step in range(10 * LAST):
            if step == LAST and rank == lost:
                os.kill(os.getpid(), signal.SIGKILL)
            optimizer.zero_grad()
            x, y = world.share(step, rank, size)
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            time.sleep(PAUSE)


@pytest.mark.parametrize(("size", "watched"), [(2, False), (2, True), pytest.param(4, True, marks=pytest.mark.slow)])
def test_the_others_end_and_their_files_are_whole(tmp_path: Path, size: int, watched: bool) -> None:
    codes = world.start(train_and_lose_a_rank, size, tmp_path, watched)
    assert codes == [1] * (size - 1) + [-signal.SIGKILL]
    if not watched:
        return
    for rank in range(size - 1):
        path = tmp_path / f"run.rank{rank}.clinic"
        assert not path.with_name(path.name + "-wal").exists()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        one = tc.load(path)
        assert one.ended.startswith("error: RuntimeError")
        assert one.series("loss").steps.tolist() == list(range(LAST))
        assert one.steps == LAST
    whole = tc.load(tmp_path / "run.clinic")
    assert whole.ended == f"rank {size - 1}: broken off (its file was never closed)"
    assert [one.steps for one in whole.ranks[:-1]] == [LAST] * (size - 1)
    assert 0 < whole.ranks[-1].steps == whole.steps == len(whole.series("loss")) <= LAST
    said = plain(render(tc.diagnose(whole)), 200)
    assert f"     {size - 1}      {whole.steps}   broken off" in said
    assert "error: RuntimeError:" in said
