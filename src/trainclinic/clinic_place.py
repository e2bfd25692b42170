"""Place: where a recording is written. No other run writes there, and what becomes of the file is noticed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import threading
import weakref
from pathlib import Path

from trainclinic.clinic_claim import WAIT, claimed, connected, create_tables, stored_writer
from trainclinic.clinic_format import wal
from trainclinic.errors import RecordingError, warn

_WAIT_BETWEEN = 0.2  # seconds, while the training waits
_BUSY, _LOCKED = 5, 6  # SQLite's result codes; Python names them from 3.11 on
Identity = tuple[int, int]


class Place:
    """One open database, at `path` or, where nothing can be written there, in a temporary file.

    Args:
        path: of the recording, or None for a temporary one.

    Attributes:
        path: absolute; None when the recording is not there, or not there any more.
        connection: in no transaction.
        writer: the entry that says that this process is writing the file; None for a temporary one.
        lost: another process has it: the parent that this one was forked from, or a run that took the file for one that
            was left over. Here it may neither be read nor written nor closed.

    Raises:
        RecordingError: no recording belongs at `path`: its folder is missing, it is another kind of file, or another
            run is writing it.
    """

    def __init__(self, path: Path | None) -> None:
        self.path: Path | None = None
        self.writer: bytes | None = None
        self.lost = False
        self._file: Identity | None = None
        self._wal: Identity | None = None
        if path is not None:
            try:
                self._claim(path)
            except (sqlite3.Error, OSError) as error:
                warn(f"{path}: cannot be written ({error}); {_TEMPORARY}", stacklevel=7)
        if self.path is None:
            self.connection, self.writer = _temporary(), None
            create_tables(self.connection, None)
        _places.add(self)

    def _claim(self, path: Path) -> None:
        target = Path(os.path.realpath(path))
        with _claiming:
            if any(place.owns(target) for place in _places):
                raise RecordingError(f"{path}: another watch in this process is writing it; close that one first, or "
                                     "choose another path")  # fmt: skip
            connection, self.writer = claimed(target, path)
            try:
                self._settle(connection, target)
            except sqlite3.Error:
                connection.close()
                target.unlink()  # an empty recording helps nobody
                _unlink_wal(target)
                raise
            _places.add(self)

    def _settle(self, connection: sqlite3.Connection, path: Path) -> None:
        with contextlib.suppress(sqlite3.OperationalError):  # not every file system can: then as it is
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * _WAIT_BETWEEN)}")
        connection.execute("SELECT count(*) FROM meta").fetchone()  # from now on there is a `-wal`
        self.connection, self.path = connection, path
        self._file, self._wal = _identity(path), _identity(wal(path))

    def owns(self, path: Path) -> bool:
        """Whether it is the file behind that path that is written here."""
        return not self.lost and self._file is not None and self._file == _identity(path)

    def look_after(self) -> None:
        """Before a transaction: if the file is gone, write it anew; if another took its place, leave that alone."""
        if self.path is None:
            return
        try:
            file, log = _identity(self.path), _identity(wal(self.path))
        except OSError:
            return  # the folder cannot be looked into: writing will tell
        if file is not None and file != self._file:
            self._leave(f"{self.path}: was replaced by another file while the training ran, which is left as it is")
        elif file is None or (self._wal is not None and log is None):
            try:
                self._write_anew(self.path, whole=file is None)
            except (sqlite3.Error, OSError, ValueError) as error:  # a ValueError: a name that is no text
                self._leave(f"{self.path}: was deleted while the training ran, and cannot be written anew ({error})")

    def _write_anew(self, path: Path, *, whole: bool) -> None:
        """The file (`whole`) or its `-wal` was deleted; this connection still has them."""
        before = self.connection
        if whole:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._remove_wal(path)
            part = path.with_name(path.name + "-part")
            part.unlink(missing_ok=True)
            try:
                before.execute("VACUUM INTO ?", (str(part),))
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        elif before.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            return  # somebody is reading: at the next flush
        fresh = connected(path)
        before.close()
        self._settle(fresh, path)
        warn(f"{path}: was deleted while the training ran; the recording was written anew there, nothing is lost")

    def _leave(self, happened: str) -> None:
        """Go on in a temporary file."""
        path, before, temporary = self.path, self.connection, _temporary()
        self.path = self._file = None
        try:
            before.backup(temporary, progress=_not_locked)
        except sqlite3.Error as error:
            raise sqlite3.DatabaseError(f"{happened}, and cannot be copied ({error})") from error
        before.close()
        self.connection = temporary
        if path is not None:
            self._remove_wal(path)
        warn(f"{happened}; {_TEMPORARY}")

    def _remove_wal(self, path: Path) -> None:
        """Ours: beside another file SQLite would take it for that file's own."""
        with contextlib.suppress(OSError):
            if self._wal is not None and _identity(wal(path)) == self._wal:
                _unlink_wal(path)

    def check(self) -> None:
        """Within the transaction: that the file still says that this process is writing it."""
        if self.path is not None and stored_writer(self.connection) != self.writer:
            self.lost = True
            raise sqlite3.DatabaseError("another run has taken the file")

    def be_patient(self) -> None:
        """From now on wait longer for another connection's lock: the training has ended."""
        self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * WAIT)}")

    def close(self, *, fold: bool) -> None:
        """Let go of the file; `fold`: with everything in this one file, and without gaps."""
        try:
            if fold and self.path is not None:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # waits for readers; the next does not
                self.connection.execute("PRAGMA journal_mode = DELETE")
                self.connection.execute("VACUUM")  # blocks that grew leave gaps behind
        except sqlite3.Error as error:
            warn(f"{self.path}: could not be folded into one file ({error}); keep {self.path}-wal beside it")
        finally:
            self.connection.close()
            self._file = None
            _places.discard(self)


_places: weakref.WeakSet[Place] = weakref.WeakSet()
_claiming = threading.Lock()
_TEMPORARY = (
    "the training goes on, and the recording in a temporary file that goes with this process: `recording` and "
    "`close()` of the watch give all of it"
)


def _temporary() -> sqlite3.Connection:
    return sqlite3.connect("", isolation_level=None, check_same_thread=False)


def _not_locked(status: int, remaining: int, total: int) -> None:
    """Python would try again for ever, and the training wait."""
    if status in (_BUSY, _LOCKED):
        raise sqlite3.OperationalError("database is locked")


def _identity(path: Path) -> Identity | None:
    """Which file is there; None when there is none."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def _unlink_wal(path: Path) -> None:
    """With its index."""
    wal(path).unlink(missing_ok=True)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)


def _forked() -> None:
    """In a child process: nothing here may touch the parent's files, not even by being closed at exit."""
    global _claiming
    _claiming = threading.Lock()  # another thread of the parent may have held it
    for place in _places:
        place.lost = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(place.connection))  # never closed


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
