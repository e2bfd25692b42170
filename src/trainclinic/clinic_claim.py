"""Claiming a path: one run writes one `.clinic` file, and leaves an entry in it that says who does.

The file itself decides: of several processes that start together, the one whose transaction comes first. A file whose
writer was killed is free again.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
import time
import zlib
from pathlib import Path
from typing import Any

from trainclinic.clinic_format import SCHEMA, TABLES, address, checksum, packed, unpacked, wal
from trainclinic.clinic_reader import is_recording
from trainclinic.errors import RecordingError

WAIT = 5.0  # seconds for another connection's lock, at the beginning and at the end
QUIET_FOR = 60.0  # seconds; a writer elsewhere that has not written for so long has ended


def claimed(path: Path, given: Path) -> tuple[sqlite3.Connection, bytes]:
    """The database at that path, empty, and its entry that says that this process writes it.

    Args:
        path: absolute.
        given: as the user wrote it, for messages.

    Raises:
        RecordingError: no recording belongs there: the folder is missing, it is another kind of file, or another run
            is writing it.
        sqlite3.Error, OSError: it cannot be written.
    """
    if not path.parent.is_dir():
        raise RecordingError(f"{given}: expected a folder that exists, {path.parent} does not; make it, or choose "
                             "another path")  # fmt: skip
    existed = path.exists()
    if existed and not path.is_file():
        raise _other_kind(given)
    try:
        return _claimed(path, given, existed=existed)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise _in_use(given, "another process") from error
        raise
    except sqlite3.DatabaseError as error:
        raise _other_kind(given) from error


def _claimed(path: Path, given: Path, *, existed: bool) -> tuple[sqlite3.Connection, bytes]:
    age, seen = _seconds_since_written(path), None  # before it is opened, which may write beside it
    # Where a process was killed while it made the file there is a journal, which only who may write can roll back.
    if existed and path.stat().st_size and not path.with_name(path.name + "-journal").exists():
        with contextlib.closing(sqlite3.connect(address(path), uri=True)) as connection:
            seen = stored_writer(connection) if is_recording(connection) else None
            _check_left_over(connection, given, age, seen)
    connection, writer = connected(path), packed(this_process())
    try:
        connection.execute("BEGIN EXCLUSIVE")  # of several processes one comes first, and the others see its entry
        with connection:
            _check_left_over(connection, given, age, seen)
            create_tables(connection, writer)
    except BaseException:
        connection.close()
        with contextlib.suppress(OSError):
            if not existed and not path.stat().st_size:
                path.unlink()
        raise
    return connection, writer


def _check_left_over(connection: sqlite3.Connection, given: Path, age: float, seen: bytes | None) -> None:
    """Refuse all but a recording that nobody is writing.

    Args:
        connection: the database.
        given: its path, for messages.
        age: seconds since it was last written.
        seen: the entry about its writer at that time.
    """
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return  # it has just been made
    if not is_recording(connection):
        raise _other_kind(given)
    writer = stored_writer(connection)
    if writer is not None and (who := _is_running(writer, age if writer == seen else 0.0)):
        raise _in_use(given, who)


def create_tables(connection: sqlite3.Connection, writer: bytes | None) -> None:
    """Everything anew; `writer`: the entry about who writes it."""
    for name, statement in TABLES.items():
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    entries = {"writer": writer} if writer is not None else {}
    entries["rows"] = packed({"meta": len(entries) + 1, "stream": 0, "block": 0})
    for key, value in entries.items():
        connection.execute("INSERT INTO meta VALUES (?, ?, ?)", (key, value, checksum("meta", key, value)))


def connected(path: Path) -> sqlite3.Connection:
    """A connection that may write, and may be used from any thread."""
    connection = sqlite3.connect(
        address(path, "rwc"), timeout=WAIT, isolation_level=None, check_same_thread=False, uri=True
    )
    connection.execute("PRAGMA page_size = 1024")  # most rows are small
    connection.execute("PRAGMA secure_delete = OFF")
    return connection


def this_process() -> dict[str, Any]:
    """The entry: host, process id, where such ids count, and when the process began."""
    return {"host": platform.node(), "ids": _ids(), "pid": os.getpid(), "began": _began(os.getpid())}


def stored_writer(connection: sqlite3.Connection) -> bytes | None:
    """The entry as it stands in the file; None when the file is closed."""
    found = connection.execute("SELECT value FROM meta WHERE key = 'writer'").fetchone()
    return found[0] if found else None


def _is_running(writer: bytes, age: float) -> str:
    """Who is writing the file that was last written `age` seconds ago, in words; "" when that process has ended.

    This process knows its own open files: an entry of its own is a watch that was never closed. A process elsewhere
    cannot be asked, so there the age of the file decides.
    """
    try:
        entry = unpacked(writer)
        if entry == this_process():
            return ""
        here = os.name == "posix" and (entry["host"], entry["ids"]) == (platform.node(), _ids())
        lives = _began(entry["pid"]) in (entry["began"], "") if here else age < QUIET_FOR
        return f"process {entry['pid']} on {entry['host']}" if lives else ""
    except (zlib.error, ValueError, TypeError, LookupError, OverflowError):
        raise sqlite3.DatabaseError("its entry about who writes it is damaged") from None


def _ids() -> str:
    """Where a process id means the same: in one boot of one machine, in one container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _began(pid: int) -> str | None:
    """When that process began, as the system counts it, "" where it does not say; None when there is none."""
    if os.name == "posix":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass  # another user's
    with contextlib.suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in "ZX" else fields[18]  # a zombie writes no more
    return ""


def _seconds_since_written(path: Path) -> float:
    """The age of a file and its `-wal`, whichever is younger; 0 when there is none."""
    times = [file.stat().st_mtime for file in (path, wal(path)) if file.exists()]
    return time.time() - max(times) if times else 0.0


def _in_use(path: Path, who: str) -> RecordingError:
    return RecordingError(f"{path}: expected a path that nobody writes to, {who} is writing it; wait until that run "
                          "has ended, or choose another path")  # fmt: skip


def _other_kind(path: Path) -> RecordingError:
    return RecordingError(f"{path}: expected a free path or an older recording, found another kind of file or a "
                          "damaged one; choose another path")  # fmt: skip
