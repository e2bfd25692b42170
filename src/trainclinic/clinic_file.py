"""ClinicFile: writes a `.clinic` file while the run goes; `recording.py` describes the format and reads it."""

from __future__ import annotations

import sqlite3
import time
import warnings
import zlib
from array import array
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from trainclinic.errors import RecordingError
from trainclinic.recording import SCHEMA, Recording, address, packed, read

FLUSH_EVERY = 1.0  # seconds; what a killed process may lose
BLOCK_BYTES = 1 << 16  # a block is closed when its data reach this size, so that appending stays cheap

_TABLE_NAMES = {"meta", "stream", "block"}
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB);
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT, columns BLOB);
CREATE TABLE block (stream INTEGER, first INTEGER, count INTEGER, width INTEGER, steps BLOB, data BLOB);
"""


class _Block:
    """Rows of one width, not yet full."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.steps = array("q")
        self.values = array("f")
        self.rowid: int | None = None  # where it already stands in the file
        self.changed = False

    @property
    def full(self) -> bool:
        return 4 * len(self.values) >= BLOCK_BYTES

    def write(self, connection: sqlite3.Connection, stream: int, *, final: bool) -> None:
        data = np.asarray(self.values, "<f4").tobytes()
        if final or self.full:  # not while it grows: it is written again every second
            data = min(data, zlib.compress(data, 1), key=len)
        row = (stream, self.steps[0], len(self.steps), self.width, _packed_steps(self.steps), data)
        if self.rowid is None:
            query = "INSERT INTO block (stream, first, count, width, steps, data) VALUES (?, ?, ?, ?, ?, ?)"
            self.rowid = connection.execute(query, row).lastrowid
        else:
            query = "UPDATE block SET stream=?, first=?, count=?, width=?, steps=?, data=? WHERE rowid=?"
            connection.execute(query, (*row, self.rowid))
        self.changed = False


class Stream:
    """Rows of values that are measured at the same steps: one column per (signal, layer)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: dict[tuple[str, str], int] = {}
        self._id: int | None = None
        self._stored_columns = 0
        self._open: _Block | None = None  # the last one
        self._blocks: list[_Block] = []  # what is not yet full, or not yet written

    def column(self, signal: str, layer: str = "") -> int:
        """The column of that pair, appended when it is new."""
        return self.columns.setdefault((signal, layer), len(self.columns))

    def append(self, step: int, values: Sequence[float]) -> None:
        """One row, in column order; NaN means not measured."""
        block = self._open
        if block is None or block.width != len(values) or block.full:
            block = self._open = _Block(len(values))
            self._blocks.append(block)
        block.steps.append(step)
        block.values.extend(values)
        block.changed = True

    def write(self, connection: sqlite3.Connection, *, final: bool = False) -> None:
        """Store what is new; the last block is written again until it is full, or `final`."""
        if self._id is None:
            query = "INSERT INTO stream (name, columns) VALUES (?, ?)"
            self._id = connection.execute(query, (self.name, packed([]))).lastrowid
        if len(self.columns) != self._stored_columns:
            columns = packed(list(self.columns))
            connection.execute("UPDATE stream SET columns = ? WHERE id = ?", (columns, self._id))
            self._stored_columns = len(self.columns)
        for block in self._blocks:
            if block.changed or final:
                block.write(connection, self._id or 0, final=final)
        self._blocks = [block for block in self._blocks[-1:] if not block.full]


class ClinicFile:
    """An open recording. With `path=None` it lives in a temporary file that vanishes when it is closed.

    A disk that fails while the training runs ends the recording with a warning, never the training.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = Path(path) if path is not None else None
        self._connection = _open(self.path)
        self._streams: dict[str, Stream] = {}
        self._last_flush = time.monotonic()
        self._meta: dict[str, bytes] = {}
        self.failed = ""
        self.put("schema", SCHEMA)
        self.flush()

    def stream(self, name: str) -> Stream:
        """The stream of that name, created when it is new."""
        if name not in self._streams:
            self._streams[name] = Stream(name)
        return self._streams[name]

    def put(self, key: str, value: Any) -> None:
        """Set a fact; stored with the next flush if it changed."""
        self._meta[key] = packed(value)

    @property
    def due(self) -> bool:
        """Whether it is time to flush."""
        return time.monotonic() - self._last_flush >= FLUSH_EVERY

    def flush(self, *, final: bool = False) -> None:
        """Write everything measured so far; one transaction. `final`: nothing more will come."""
        self._last_flush = time.monotonic()
        if self.failed:
            return
        try:
            with self._connection:
                for item in self._meta.items():
                    self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", item)
                for stream in self._streams.values():
                    stream.write(self._connection, final=final)
            self._meta.clear()
        except sqlite3.Error as error:
            self.failed = str(error)
            warnings.warn(f"{self.path}: the recording stops here ({error}); the training goes on", stacklevel=3)

    def recording(self) -> Recording:
        """What has been recorded so far."""
        self.flush()
        return read(self._connection, self.path)

    def close(self) -> Recording:
        """Write the rest, fold everything into one file, and return the recording."""
        self.flush(final=True)
        recording = read(self._connection, self.path)
        try:
            if self.path is not None:
                self._connection.execute("PRAGMA journal_mode = DELETE")
                self._connection.execute("VACUUM")  # blocks that grew leave gaps behind
        except sqlite3.Error as error:
            warnings.warn(f"{self.path}: could not be folded into one file ({error})", stacklevel=3)
        self._connection.close()
        return recording


def _open(path: Path | None) -> sqlite3.Connection:
    if path is None:
        connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    else:
        if path.is_dir() or (path.exists() and path.stat().st_size and not _is_clinic(path)):
            raise RecordingError(f"{path}: expected a free path or an older recording, found another kind of file; "
                                 "choose another path")  # fmt: skip
        for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            leftover.unlink(missing_ok=True)
        try:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise RecordingError(f"{path}: cannot be created ({error}); choose a folder that exists and can be "
                                 "written") from error  # fmt: skip
        connection.execute("PRAGMA page_size = 1024")  # most rows are small
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    connection.isolation_level = "DEFERRED"
    connection.executescript(_TABLES)
    return connection


def _is_clinic(path: Path) -> bool:
    """Whether it is one of ours, which may be replaced: not any SQLite database."""
    try:
        with closing(sqlite3.connect(address(path), uri=True)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")} >= _TABLE_NAMES
    except sqlite3.Error:
        return False


def _packed_steps(steps: array[int]) -> bytes | None:
    if steps[-1] - steps[0] == len(steps) - 1:
        return None  # consecutive: steps only ever grow
    return zlib.compress(np.asarray(steps, "<i8").tobytes(), 6)
