"""What happens to the file while it is written: one warning, the training goes on, and what was seen is still there."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import sqlite3
import tempfile
import time
import warnings
from pathlib import Path

import pytest
import torch
from a_run import parts, processes, read_often, train

import trainclinic as tc
from trainclinic import clinic_file
from trainclinic.clinic_file import ClinicFile
from trainclinic.errors import RecordingError

STEPS, AT = 40, 20
HERE_ONLY = "the training goes on, and the recording in a temporary file that goes with this process"


@pytest.fixture
def each_step(monkeypatch):
    """Written out at every step, so that what happens to the file is noticed at the next one."""
    monkeypatch.setattr(clinic_file, "FLUSH_EVERY", 0.0)


def without_wal(monkeypatch, kind):
    """A file system without shared memory, as some network disks: SQLite's own `unix-none` and `unix-dotfile` are such.

    There it refuses WAL. The one has no locks either, the other makes a folder for each.
    """
    connect = sqlite3.connect

    def elsewhere(database, *args, **settings):
        return connect(f"{database}&vfs={kind}" if "?mode=" in str(database) else database, *args, **settings)

    monkeypatch.setattr(sqlite3, "connect", elsewhere)


@pytest.fixture(params=["WAL", "no WAL"])
def file_system(request, monkeypatch):
    if request.param == "no WAL":
        without_wal(monkeypatch, "unix-none")
    return request.param


@pytest.fixture
def folder():
    """One that another user may look into."""
    with contextlib.suppress(FileNotFoundError), tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        (Path(made) / "runs").mkdir()
        yield Path(made) / "runs"


@contextlib.contextmanager
def another_user():
    """Permissions do not bind root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def largest_file(size):
    """No file may become larger, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Run:
    """One training, and what was said; `happens` comes before step AT, `later` some steps after it."""

    def __init__(self, path, happens=None, later=None, *, watched=True):
        with warnings.catch_warnings(record=True) as said, contextlib.ExitStack() as stack:
            warnings.simplefilter("always")
            model, optimizer, x, y = parts()
            watch = tc.watch(model, optimizer, path=path, every=1) if watched else None
            self.losses = []
            for step in range(STEPS):
                if happens and step == AT:
                    found = happens()
                    if found is not None:
                        stack.enter_context(found)
                if later and step == AT + 5:
                    later()
                self.losses.append(train(model, optimizer, x, y))
            if watch:
                self.rows_left = sum(len(b.steps) for s in watch._journal.file._streams.values() for b in s._blocks)
                self.last = watch.recording
                self.recording = watch.close()
                assert watch.close() is self.recording
        self.said = [str(warning.message) for warning in said]
        assert {warning.category for warning in said} <= {RuntimeWarning}
        self.weights = [parameter.detach().clone() for parameter in model.parameters()]


@pytest.fixture(scope="module")
def alone():
    return Run(None, watched=False)


def assert_same(run, alone):
    assert run.losses == alone.losses
    assert all(torch.equal(one, other) for one, other in zip(run.weights, alone.weights, strict=True))


def assert_whole(recording, alone, steps=STEPS):
    loss = recording.series("loss")
    assert loss.steps.tolist() == list(range(steps))
    assert loss.values.tolist() == torch.tensor(alone.losses[:steps]).double().tolist()
    assert recording.series("gradient_rms", "3").steps.tolist() == list(range(steps))
    assert [layer.name for layer in recording.layers] == ["0", "1", "3"]
    assert (recording.steps, "damage" in recording.facts) == (steps, False)


def sidecars(path):
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]


# -- the file goes away


@pytest.mark.parametrize("what", ["file", "file and its -wal", "folder"])
def test_a_deleted_file_is_written_anew(what, folder, each_step, file_system, alone):
    def happens():
        if what == "folder":
            shutil.rmtree(folder)
        for file in [path] if what == "file" else [path, *sidecars(path)]:
            file.unlink(missing_ok=True)

    path = folder / "run.clinic"
    check_that_nothing_is_lost(path, happens, alone)


def test_a_deleted_wal_is_written_anew(folder, each_step, alone):
    path = folder / "run.clinic"
    check_that_nothing_is_lost(path, lambda: sidecars(path)[0].unlink(), alone)


def check_that_nothing_is_lost(path, happens, alone):
    run = Run(path, happens)
    assert_same(run, alone)
    assert len(run.said) == 1
    assert re.fullmatch(
        rf"{path}: .*deleted while the training ran; .+ written anew there, nothing is lost", run.said[0]
    )
    for recording in (run.last, run.recording, tc.load(path)):
        assert_whole(recording, alone)
        assert recording.path == path
    assert [file.name for file in path.parent.iterdir()] == ["run.clinic"]


@pytest.mark.parametrize("what", ["a file in the place of the folder", "a folder that cannot be written"])
def test_a_deleted_file_that_cannot_be_written_anew_goes_on_elsewhere(what, folder, each_step, file_system, alone):
    path = folder / "run.clinic"

    def happens():
        if what == "a folder that cannot be written":
            path.unlink()
            folder.chmod(0o555)
            return another_user()
        shutil.rmtree(folder)
        folder.write_text("a file")
        return contextlib.nullcontext()

    run = Run(path, happens)
    assert_same(run, alone)
    assert len(run.said) == 1
    assert "was deleted while the training ran, and cannot be written anew (" in run.said[0]
    assert HERE_ONLY in run.said[0]
    assert_whole(run.last, alone)
    assert_whole(run.recording, alone)
    assert (run.recording.path, run.recording.ended) == (None, "completed")


@pytest.mark.parametrize("by", ["text", "a recording", "a database in use", "a folder"])
def test_a_file_that_took_its_place_is_left_as_it_is(by, folder, each_step, file_system, alone):
    path, other = folder / "run.clinic", folder / "other"
    if by == "text":
        other.write_text("precious")
    elif by == "a folder":
        other.mkdir()
    else:
        file = ClinicFile(other)
        file.put("facts", {"whose": "another run's"})
        file.close()
    using = []

    def happens():
        if by == "a folder":
            path.unlink()
        other.replace(path)

    def later():
        if by == "a database in use":  # its -wal has the same name as ours had
            using.append(sqlite3.connect(path))
            using[0].execute("PRAGMA journal_mode = WAL")
            using[0].execute("CREATE TABLE more (x)")

    before = other.read_bytes() if other.is_file() else None
    run = Run(path, happens, later)
    assert_same(run, alone)
    assert len(run.said) == 1
    assert f"{path}: was replaced by another file while the training ran, which is left as it is; " in run.said[0]
    assert HERE_ONLY in run.said[0]
    assert_whole(run.last, alone)
    assert_whole(run.recording, alone)
    assert (run.recording.path, run.recording.ended) == (None, "completed")
    if by == "a database in use":
        assert using[0].execute("SELECT count(*) FROM sqlite_master").fetchone() == (5,), "3 tables, an index, and more"
        assert sidecars(path)[0].stat().st_size
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (5,)
        using[0].close()
    elif before is not None:
        assert path.read_bytes() == before
        assert [file.name for file in folder.iterdir()] == ["run.clinic"], "no -wal that would be taken for its own"


def test_another_run_on_the_same_file_is_not_mixed_with_this_one(folder, each_step, alone):
    """Where file locks do not reach (two machines on one network disk) a later run may take a file as left over."""
    path = folder / "run.clinic"

    def happens():
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE meta SET value = x'00' WHERE key = 'writer'")

    run = Run(path, happens)
    assert_same(run, alone)
    assert len(run.said) == 1
    assert f"{path}: stops at step {AT} (another run has taken the file); what was recorded until then" in run.said[0]
    for recording in (run.last, run.recording):
        assert (recording.signals, recording.facts) == ((), {"damage": "another run has taken the file"})
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'writer'").fetchone() == (b"\0",)


# -- the disk


def test_a_full_disk_ends_the_recording_and_not_the_training(folder, each_step, file_system, alone):
    path = folder / "run.clinic"

    def happens():
        return largest_file(max(file.stat().st_size for file in folder.iterdir()) + 2048)

    run = Run(path, happens)
    assert_same(run, alone)
    assert len(run.said) == 1
    said = re.fullmatch(rf"{path}: stops at step (\d+) \((.+)\); what was recorded until then stays, .+", run.said[0])
    kept, reason = int(said[1]), said[2]
    assert AT <= kept < STEPS
    assert run.rows_left == 0, "nothing accumulates"
    assert run.recording.ended == f"completed; recorded until step {kept}: {reason}"
    for recording in (run.last, run.recording, tc.load(path)):
        assert_whole(recording, alone, kept)
        assert recording.path == path


@pytest.mark.parametrize("size", [1000, 12_000])
def test_a_full_disk_at_the_beginning(size, folder, each_step, alone):
    """The larger one has room for the file, and none for its `-shm`."""
    path = folder / "run.clinic"
    with largest_file(size):
        run = Run(path, lambda: largest_file(-1))
    assert_same(run, alone)
    assert len(run.said) == 1
    assert f"{path}: cannot be written (" in run.said[0]
    assert HERE_ONLY in run.said[0]
    assert_whole(run.recording, alone)
    assert run.recording.path is None
    assert not list(folder.iterdir())


@pytest.mark.parametrize("what", ["a folder", "a folder above", "an older recording"])
def test_a_place_that_cannot_be_written_at_the_beginning(what, folder, each_step, alone):
    path, before = folder / "run.clinic", None
    if what == "a folder":
        folder.chmod(0o555)
    elif what == "a folder above":
        folder.chmod(0o600)
    else:
        ClinicFile(path).close()
        path.chmod(0o444)
        before = path.read_bytes()
    with another_user():
        run = Run(path)
    folder.chmod(0o755)
    assert_same(run, alone)
    assert len(run.said) == 1
    assert f"{path}: cannot be written (" in run.said[0]
    assert HERE_ONLY in run.said[0]
    assert_whole(run.last, alone)
    assert_whole(run.recording, alone)
    assert (run.recording.path, run.recording.ended) == (None, "completed")
    assert [file.read_bytes() for file in folder.iterdir()] == ([] if before is None else [before])


def test_a_folder_that_is_missing_is_an_error_before_the_first_step(folder):
    with pytest.raises(RecordingError, match=r"runs/nowhere/run\.clinic: expected a folder that exists, .+; make it"):
        Run(folder / "nowhere" / "run.clinic")


def test_what_is_no_file_is_an_error_before_the_first_step(folder):
    os.mkfifo(folder / "run.clinic")
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a free path or an older recording, .+; choose"):
        Run(folder / "run.clinic")


def test_a_lock_that_passes_costs_nothing(folder, each_step, alone):
    """Another program holds the file for a while: the rows wait for it."""
    path, held = folder / "run.clinic", []

    def happens():
        held.append(sqlite3.connect(path))
        held[0].execute("BEGIN IMMEDIATE")

    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer, path=path, every=1) as watch:
        for step in range(STEPS):
            if step == AT:
                happens()
            train(model, optimizer, x, y)
            if step == AT + 2:
                assert len(tc.load(path).series("loss")) == AT
                held[0].close()
    assert_whole(watch.close(), alone)
    assert_whole(tc.load(path), alone)


def test_a_lock_that_stays_ends_the_recording(folder, each_step, monkeypatch, alone):
    path, held = folder / "run.clinic", []
    monkeypatch.setattr(clinic_file, "PATIENCE", 0.0)

    def happens():
        held.append(sqlite3.connect(path))
        held[0].execute("BEGIN IMMEDIATE")

    run = Run(path, happens)
    held[0].close()
    assert_same(run, alone)
    assert len(run.said) == 1
    assert f"{path}: stops at step {AT} (database is locked)" in run.said[0]
    assert run.rows_left == 0
    assert_whole(run.recording, alone, AT)


@pytest.mark.parametrize("kind", ["unix-none", "unix-dotfile"])
def test_a_file_system_without_wal(kind, folder, each_step, monkeypatch, alone):
    """Everything else is as usual, also for a reader meanwhile."""
    without_wal(monkeypatch, kind)
    path, seen = folder / "run.clinic", []
    run = Run(path, lambda: seen.append((sidecars(path)[0].exists(), tc.load(path).steps)))
    assert seen == [(False, AT)]
    assert run.said == []
    assert_same(run, alone)
    assert_whole(run.recording, alone)
    assert_whole(tc.load(path), alone)
    assert [file.name for file in folder.iterdir()] == ["run.clinic"]


def test_where_not_even_locks_can_be_had_any_more(folder, each_step, monkeypatch, alone):
    """Nothing waits for ever, and closing gives what there is."""
    without_wal(monkeypatch, "unix-dotfile")
    path = folder / "run.clinic"

    def happens():
        folder.chmod(0o555)
        return another_user()

    monkeypatch.setattr(clinic_file, "PATIENCE", 0.0)
    run = Run(path, happens)
    assert_same(run, alone)
    assert f"{path}: stops at step {AT} (" in run.said[0]
    assert run.recording.ended.startswith(f"completed; recorded until step {AT}: ")
    folder.chmod(0o755)
    assert_whole(tc.load(path), alone, AT)


# -- read while it is written


def test_another_process_reads_while_it_is_written(folder, monkeypatch, alone):
    monkeypatch.setattr(clinic_file, "FLUSH_EVERY", 0.002)
    path = folder / "run.clinic"
    end, counts = processes.Event(), processes.Queue()
    reader = processes.Process(target=read_often, args=(path, counts, end))
    model, optimizer, x, y = parts()
    with tc.watch(model, optimizer, path=path) as watch:
        reader.start()
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            train(model, optimizer, x, y)
        end.set()
        seen = counts.get(timeout=60)
        reader.join()
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert watch.close().steps == tc.load(path).steps >= seen[-1]


def test_a_copy_in_a_folder_that_cannot_be_written_is_read(folder, alone):
    """With its `-wal` beside it, as a backup of a run that goes on; with and without the `-shm`."""
    path = folder / "run.clinic"
    file = ClinicFile(path)
    stream = file.stream("step")
    stream.column("loss")
    for step in range(3):
        stream.append(step, [float(step)])
        file.put("steps", step + 1)
        file.flush()
    for copied in (sidecars(path)[:1], sidecars(path)[:2]):
        backup = folder.parent / f"backup{len(copied)}"
        backup.mkdir()
        for one in (path, *copied):
            shutil.copy(one, backup)
            (backup / one.name).chmod(0o444)
        backup.chmod(0o555)
        with another_user():
            recording = tc.load(backup / "run.clinic")
        assert recording.series("loss").values.tolist() == [0.0, 1.0, 2.0]
        assert recording.path == backup / "run.clinic"
        assert {one.name for one in backup.iterdir()} == {"run.clinic", *(one.name for one in copied)}
    file.close()
