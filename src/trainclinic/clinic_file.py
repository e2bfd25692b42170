"""ClinicFile: writes a `.clinic` file while the run goes; see `clinic_format.py` for what stands in it."""

from __future__ import annotations

import sqlite3
import time
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from trainclinic.clinic_format import BLOCK_BYTES, Column, checksum, packed, unpacked
from trainclinic.clinic_place import Place
from trainclinic.clinic_reader import read
from trainclinic.errors import RecordingError, warn
from trainclinic.recording import Recording

FLUSH_EVERY = 1.0  # seconds; what a killed process may lose
PATIENCE = 60.0  # seconds for which another program may keep the file locked before the recording stops


class _Rows:
    """Puts rows into the tables, each with its checksum, and counts them."""

    def __init__(self, writer: bytes | None) -> None:
        self.connection: sqlite3.Connection
        self._keys = {"rows"} if writer is None else {"rows", "writer"}
        self._count = {"meta": len(self._keys), "stream": 0, "block": 0}
        self._stored: dict[str, int] = dict(self._count)

    def new(self, table: str) -> int:
        """The next id; they count from 1."""
        self._count[table] += 1
        return self._count[table]

    def put(self, table: str, key: int | str, *columns: Column) -> None:
        """Store a row in place of the one with that key, if any."""
        row = (key, *columns)
        marks = ", ".join("?" * (len(row) + 1))
        self.connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", (*row, checksum(table, *row)))

    def put_fact(self, key: str, value: bytes) -> None:
        """Store an entry of meta."""
        self._keys.add(key)
        self.put("meta", key, value)

    def remove_writer(self) -> None:
        """The file is complete: nobody writes it any more."""
        self._keys.discard("writer")
        self.connection.execute("DELETE FROM meta WHERE key = 'writer'")

    def put_count(self) -> None:
        """State how many rows there are, so that a lost one is missed."""
        self._count["meta"] = len(self._keys)
        if self._count != self._stored:
            self.put_fact("rows", packed(self._count))
            self._stored = dict(self._count)


class _Block:
    """Rows of one width, not yet full."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.steps = array("q")
        self.values = array("f")
        self.id = 0  # in the file, once it stands there
        self.changed = False
        self.room = -(-BLOCK_BYTES // (4 * width))  # for so many rows

    @property
    def full(self) -> bool:
        return not self.room

    def write(self, rows: _Rows, stream: int, *, final: bool) -> None:
        data = np.asarray(self.values, "<f4").tobytes()
        if final or self.full:  # not while it grows: it is written again every second
            data = min(data, zlib.compress(data, 1), key=len)
        self.id = self.id or rows.new("block")
        steps = _packed_steps(self.steps)
        rows.put("block", self.id, stream, self.steps[0], len(self.steps), self.width, steps, data)
        self.changed = False


class Stream:
    """Rows of values that are measured at the same steps: one column per (signal, layer)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: dict[tuple[str, str], int] = {}
        self._id = 0  # in the file, once it stands there
        self._stored_columns = 0
        self._open: _Block | None = None  # the last one
        self._blocks: list[_Block] = []  # what is not yet full, or not yet written

    def column(self, signal: str, layer: str = "") -> int:
        """The column of that pair, appended when it is new."""
        return self.columns.setdefault((signal, layer), len(self.columns))

    def append(self, step: int, values: Sequence[float]) -> None:
        """One row, in column order; NaN means not measured."""
        block = self._open
        if block is None or block.width != len(values) or not block.room:
            if not values:
                return
            block = self._open = _Block(len(values))
            self._blocks.append(block)
        block.steps.append(step)
        block.values.extend(values)
        block.room -= 1
        block.changed = True

    def write(self, rows: _Rows, *, final: bool = False) -> None:
        """Store what is new; the last block is written again until it is full, or `final`."""
        if not self._id or len(self.columns) != self._stored_columns:
            self._id = self._id or rows.new("stream")
            rows.put("stream", self._id, self.name, packed(list(self.columns)))
            self._stored_columns = len(self.columns)
        for block in self._blocks:
            if block.changed or final:
                block.write(rows, self._id, final=final)
        self._blocks = [block for block in self._blocks[-1:] if not block.full]

    def drop(self) -> None:
        """Forget the rows that are not yet written."""
        self._open = None
        self._blocks.clear()


class ClinicFile:
    """An open recording. With `path=None` it lives in a temporary file that vanishes when it is closed.

    What goes wrong with the file while the training runs ends at most the recording, with a warning, never the
    training; see `Place` for what is refused at the beginning.
    """

    def __init__(self, path: str | Path | None) -> None:
        self._path = Path(path) if path is not None else None
        self._place = Place(self._path)
        self._rows = _Rows(self._place.writer)
        self._streams: dict[str, Stream] = {}
        self._last_flush = self._last_written = time.monotonic()
        self._meta: dict[str, bytes] = {}
        self._steps = 0  # that have been written
        self.failed = ""

    @property
    def path(self) -> Path | None:
        """Where the recording is; None when it lives in a temporary file."""
        return self._path if self._place.path is not None else None

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
        if self._place.lost and not self.failed:
            self._stop("only the process that this one was forked from writes it")
        if not self.failed:
            try:
                self._place.look_after()
                self._write(final)
            except sqlite3.Error as error:
                if final or not self._may_pass(error):
                    self._stop(str(error))
        if self.failed:
            for stream in self._streams.values():
                stream.drop()

    def _may_pass(self, error: sqlite3.Error) -> bool:
        """Another program has the file locked, which shows before anything is written: the rows can wait a while."""
        locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        return locked and time.monotonic() - self._last_written < PATIENCE

    def _write(self, final: bool) -> None:
        rows = self._rows
        rows.connection = self._place.connection
        if final:
            self._place.be_patient()
        rows.connection.execute("BEGIN EXCLUSIVE")  # here another connection's lock shows itself, and not later
        with rows.connection:
            self._place.check()
            for key, value in self._meta.items():
                rows.put_fact(key, value)
            for stream in self._streams.values():
                stream.write(rows, final=final)
            if final:
                rows.remove_writer()
            rows.put_count()
        if "steps" in self._meta:
            self._steps = unpacked(self._meta["steps"])
        self._meta.clear()
        self._last_written = time.monotonic()

    def _stop(self, reason: str) -> None:
        self.failed = reason
        said = f"{self._path or 'recording'}: stops at step {self._steps} ({reason})"
        warn(f"{said}; what was recorded until then stays, the training goes on", stacklevel=3)

    def recording(self) -> Recording:
        """What has been recorded so far."""
        self.flush()
        return self._read()

    def close(self) -> Recording:
        """Write the rest, fold everything into one file, and return the recording."""
        self.flush(final=True)
        recording = self._read()
        if not self._place.lost:
            self._place.close(fold=not self.failed)
        return recording

    def _read(self) -> Recording:
        """Never raises: what a disk that fails does not give is left out, with a warning."""
        ended = unpacked(self._meta["ended"]) if "ended" in self._meta else "unknown"
        recording = Recording((), {}, {"damage": self.failed}, {}, ended)
        if not self._place.lost:
            try:
                recording = read(self._place.connection, self.path)
            except RecordingError as error:
                warn(str(error), stacklevel=4)
        if self.failed:
            recording = replace(recording, ended=f"{ended}; recorded until step {self._steps}: {self.failed}")
        return recording


def _packed_steps(steps: array[int]) -> bytes | None:
    if np.array_equal(steps, np.arange(steps[0], steps[0] + len(steps))):
        return None
    return zlib.compress(np.asarray(steps, "<i8").tobytes(), 6)
