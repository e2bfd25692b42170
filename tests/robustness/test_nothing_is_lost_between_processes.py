"""One run writes one file: not two that start together, not a process that was forked; a killed run blocks nobody."""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from a_run import attach_and_wait, attach_with_others, fold, parts, processes, train
from torch.utils.data import DataLoader, Dataset

import trainclinic as tc
from trainclinic import clinic_claim, clinic_file
from trainclinic.clinic_file import ClinicFile
from trainclinic.clinic_format import packed
from trainclinic.errors import RecordingError

TOGETHER, ROUNDS = 4, 12


def test_of_runs_that_start_together_one_gets_the_path(tmp_path):
    """In the odd rounds the path is free, in the even ones the run that had it has been killed."""
    path, ever = tmp_path / "run.clinic", 0
    for number in range(ROUNDS):
        if number % 2:
            for file in tmp_path.iterdir():
                file.unlink()
        start, end, answers = processes.Barrier(TOGETHER), processes.Event(), processes.Queue()
        runs = [processes.Process(target=attach_with_others, args=(path, start, answers, end)) for _ in range(TOGETHER)]
        for run in runs:
            run.start()
        found = [answers.get(timeout=60) for _ in runs]
        winners = [answer for answer in found if isinstance(answer, int)]
        assert len(winners) == 1, found
        refused = [answer for answer in found if isinstance(answer, str)]
        assert all(f"{path}: expected a path that nobody writes to, " in answer for answer in refused)
        assert any(f"process {winners[0]} on " in answer for answer in refused)
        with pytest.raises(RecordingError, match=rf"process {winners[0]} on .+ is writing it; wait"):
            ClinicFile(path)
        with sqlite3.connect(path) as connection:
            (value,) = connection.execute("SELECT value FROM meta WHERE key = 'winner'").fetchone()
        connection.close()
        assert value == packed(winners[0])
        end.set()
        for run in runs:
            run.join()
        ever += 1
    assert ever == ROUNDS
    file = ClinicFile(path)  # nobody closed it, and nobody lives
    assert file.close().path == path


def test_two_watches_in_one_process(tmp_path, monkeypatch):
    path = tmp_path / "run.clinic"
    model, optimizer, x, y = parts()
    first = tc.watch(model, optimizer, path=path)
    (tmp_path / "link.clinic").symlink_to(path)
    os.link(path, tmp_path / "hard link.clinic")
    monkeypatch.chdir(tmp_path)
    for name in (path, "run.clinic", "../" + tmp_path.name + "/run.clinic", "link.clinic", "hard link.clinic"):
        with pytest.raises(RecordingError, match="another watch in this process is writing it; close that one first"):
            tc.watch(*parts()[:2], path=name)
    train(model, optimizer, x, y)
    assert first.close().steps == tc.load(path).steps == 1
    with tc.watch(model, optimizer, path=path):
        train(model, optimizer, x, y)
        train(model, optimizer, x, y)
    assert tc.load(path).steps == 2


def test_a_watch_that_was_dropped_does_not_hold_its_path(tmp_path):
    path = tmp_path / "run.clinic"
    ClinicFile(path).flush()
    gc.collect()
    assert ClinicFile(path).close().path == path


def test_a_killed_run_does_not_hold_its_path_even_before_its_parent_has_noticed(tmp_path):
    path, ready = tmp_path / "run.clinic", processes.Event()
    process = processes.Process(target=attach_and_wait, args=(path, ready))
    process.start()
    assert ready.wait(60)
    with pytest.raises(RecordingError, match=f"process {process.pid} on "):
        ClinicFile(path)
    process.kill()
    while Path(f"/proc/{process.pid}").exists() and ") Z" not in Path(f"/proc/{process.pid}/stat").read_text():
        time.sleep(0.001)
    assert ClinicFile(path).close().path == path
    process.join()


@pytest.mark.parametrize(
    ("change", "age", "in_use"),
    [
        ({}, 0.0, False),  # this process knows that it has not opened it
        ({"began": "1"}, 0.0, False),  # a former process of the same number
        ({"pid": 1}, 0.0, False),  # likewise
        ({"host": "elsewhere"}, 0.0, True),
        ({"host": "elsewhere"}, clinic_claim.QUIET_FOR - 10, True),
        ({"host": "elsewhere"}, clinic_claim.QUIET_FOR + 10, False),
        ({"ids": "another container"}, 0.0, True),
        ({"ids": "another container"}, clinic_claim.QUIET_FOR + 10, False),
    ],
)
def test_who_is_writing(change, age, in_use, tmp_path):
    path = tmp_path / "run.clinic"
    file = ClinicFile(path)
    file.flush()
    content = path.read_bytes(), path.with_name("run.clinic-wal").read_bytes()
    file.close()
    path.write_bytes(content[0])
    path.with_name("run.clinic-wal").write_bytes(content[1])
    with sqlite3.connect(path) as connection:
        entry = packed(clinic_claim.this_process() | change)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'writer'", (entry,))
    connection.close()
    before = time.time() - age
    for one in tmp_path.iterdir():
        os.utime(one, (before, before))
    if in_use:
        with pytest.raises(RecordingError, match=r"is writing it; wait until that run has ended, or choose another"):
            ClinicFile(path)
    else:
        assert ClinicFile(path).close().path == path


def test_a_damaged_recording_is_not_replaced(tmp_path):
    path = tmp_path / "run.clinic"
    ClinicFile(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO meta VALUES ('writer', x'00', 0)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="found another kind of file or a damaged one; choose another path"):
        ClinicFile(path)
    assert path.read_bytes() == before


def test_reading_it_in_the_process_that_writes_it_keeps_its_locks(tmp_path):
    """Of POSIX locks it holds: closing any descriptor of a file gives up all that the process has on it."""
    path, answers = tmp_path / "run.clinic", processes.Queue()
    file = ClinicFile(path)
    assert tc.load(path).steps == 0
    process = processes.Process(target=fold, args=(path, answers))
    process.start()
    assert answers.get(timeout=60) == "database is locked"
    process.join()
    file.close()


# -- forked


def test_a_forked_process_leaves_the_file_alone(tmp_path):
    """Whatever it does, and when it ends as a program ends, the parent's recording is whole."""
    program = [sys.executable, str(Path(__file__).with_name("forking.py")), str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    children = {line["how"]: line["child"] for line in map(json.loads, done.stdout.splitlines())}
    assert len(children) == 5
    for how, child in children.items():
        recording = tc.load(tmp_path / f"{how}.clinic")
        assert (recording.steps, recording.ended) == (10, "completed")
        assert recording.series("loss").steps.tolist() == list(range(10))
        assert recording.series("gradient_rms", "3").steps.tolist() == list(range(10))
        expected = ["trains on", "closes it"]
        assert len(child["said"]) == (how in expected)
        assert all("only the process that this one was forked from writes it" in said for said in child["said"])
    assert "recorded until step" in children["closes it"]["ended"]
    assert "is writing it" in children["attaches to the same path"]["ended"]
    assert {file.suffix for file in tmp_path.iterdir()} == {".clinic"}


class Batches(Dataset):
    """Data whose workers hold the watch, and let go of what they can."""

    def __init__(self, x, watch):
        self.x, self.watch = x, watch

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        if self.watch is not None:
            self.watch = None
            gc.collect()
        return self.x[index]


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_workers_of_a_data_loader_leave_the_file_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(clinic_file, "FLUSH_EVERY", 0.0)
    path = tmp_path / "run.clinic"
    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer, path=path, every=1) as watch:
        for _ in range(2):
            loader = DataLoader(Batches(x, watch), batch_size=8, num_workers=2, multiprocessing_context="fork")
            for batch in loader:
                train(model, optimizer, batch, y[:8])
    recording = tc.load(path)
    assert (recording.steps, len(recording.series("loss")), recording.ended) == (8, 8, "completed")
    assert [file.name for file in tmp_path.iterdir()] == ["run.clinic"]
