"""Who is writing a `.clinic` file: the entry that a run leaves in it, and whether that run still lives."""

from __future__ import annotations

import contextlib
import os
import platform
import sqlite3
import time
import zlib
from pathlib import Path
from typing import Any

from trainclinic.clinic_format import unpacked, wal

QUIET_FOR = 60.0  # seconds; a writer elsewhere that has not written for so long has ended


def this_process() -> dict[str, Any]:
    """The entry: host, process id, where such ids count, and when the process began."""
    return {"host": platform.node(), "ids": _ids(), "pid": os.getpid(), "began": _began(os.getpid())}


def stored_writer(connection: sqlite3.Connection) -> bytes | None:
    """The entry as it stands in the file; None when the file is closed."""
    found = connection.execute("SELECT value FROM meta WHERE key = 'writer'").fetchone()
    return found[0] if found else None


def is_running(writer: bytes, path: Path) -> str:
    """Who is writing the file at that path, in words; "" when that process has ended.

    This process knows its own open files: an entry of its own is a watch that was never closed. A process elsewhere
    cannot be asked, so there the age of the file decides.
    """
    try:
        entry = unpacked(writer)
        if entry == this_process():
            return ""
        here = os.name == "posix" and (entry["host"], entry["ids"]) == (platform.node(), _ids())
        lives = _began(entry["pid"]) == entry["began"] if here else _age(path) < QUIET_FOR
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


def _age(path: Path) -> float:
    """Seconds since the file was last written."""
    return time.time() - max(file.stat().st_mtime for file in (path, wal(path)) if file.exists())
