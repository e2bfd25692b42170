"""Reading a `.clinic` file: each number is the one that was written, or it is left out and that is said."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from trainclinic.clinic_format import BLOCK_BYTES, MOST_ROWS, SCHEMA, TABLES, address, checksum, inflated, unpacked, wal
from trainclinic.errors import RecordingError, warn
from trainclinic.recording import Floats, Layer, Recording, Series, Steps

_META = {"rows": dict, "steps": int, "layers": list, "units": dict, "facts": dict, "environment": dict, "ended": str}
_DAMAGE = (sqlite3.Error, zlib.error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
           MemoryError, RecursionError)  # what reading a damaged file can end in  # fmt: skip
_Pairs = list[tuple[str, str]]


def load(path: str | Path) -> Recording:
    """Read a `.clinic` file, also one that is being written, was never closed, or is damaged.

    Of a damaged file everything that is intact is read, with a RuntimeWarning, and `Recording.facts["damage"]` says
    what is not.

    Raises:
        RecordingError: there is no such file, it is not a recording, another version of trainclinic wrote it, or the
            damage is to its facts.
    """
    path = Path(path)
    if not path.is_file():  # never opened but by SQLite: closing a file drops the locks that this process holds on it
        raise RecordingError(f"{path}: expected a .clinic file, found nothing there; check the path")
    try:
        return _load(path, path)
    except RecordingError as error:
        if not (isinstance(error.__cause__, sqlite3.OperationalError) and "unable to open" in str(error.__cause__)):
            raise
        return _load_copy(path, error)


def _load_copy(path: Path, refused: RecordingError) -> Recording:
    """What was not closed SQLite reads only where it may make a `-shm` beside it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.clinic"
        try:
            shutil.copyfile(path, copy)
            if wal(path).exists():
                shutil.copyfile(wal(path), wal(copy))
        except OSError:
            raise refused from None
        return _load(copy, path)


def _load(file: Path, path: Path) -> Recording:
    with contextlib.closing(sqlite3.connect(address(file), uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA writable_schema = ON")  # opened to read only: this lets a truncated file be read
        return read(connection, path)


def _refusal(name: Path | str, error: Exception) -> RecordingError:
    return RecordingError(f"{name}: expected a .clinic recording, but it cannot be read ({error}); the file is "
                          "damaged, or trainclinic did not write it: look for a copy of it")  # fmt: skip


def read(connection: sqlite3.Connection, path: Path | None = None) -> Recording:
    """The recording in an open database that is in no transaction; see `load`."""
    name = path or "the recording"
    try:
        connection.execute("BEGIN")  # all of it as it is at one moment
        try:
            _check_schema(connection, name)
            meta = _read_meta(connection)
            reader = _BlockReader(connection, meta["rows"], meta.get("units", {}))
            recording = _recording(meta, path, reader.series())
        finally:
            if connection.in_transaction:  # an error may have ended it
                connection.execute("ROLLBACK")
    except _DAMAGE as error:
        raise _refusal(name, error) from error
    if reader.lost:
        damage = f"{reader.lost} of {meta['rows']['block']} blocks of values cannot be read"
        recording.facts["damage"] = damage
        warn(f"{name}: {damage}; everything else was read", stacklevel=4)
    return recording


def is_recording(connection: sqlite3.Connection) -> bool:
    """Whether the database is one of ours, of any schema."""
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type != 'index'")}
    return names == set(TABLES)


def _check_schema(connection: sqlite3.Connection, name: Path | str) -> None:
    """Refuse every other database, in words: other tables, or one with anything besides them that SQLite would run.

    Raises:
        RecordingError: it is another database, or has another schema.
    """
    if not is_recording(connection):
        raise RecordingError(f"{name}: expected a .clinic recording, got another kind of file; "
                             "record one with trainclinic run or tc.watch(…, path=…)")  # fmt: skip
    ((schema,),) = connection.execute("PRAGMA user_version")
    if schema > SCHEMA:
        raise RecordingError(f"{name}: written with schema {schema}, this trainclinic reads schema {SCHEMA}; "
                             "upgrade trainclinic")  # fmt: skip
    if schema < SCHEMA:
        raise RecordingError(f"{name}: written with schema {schema or 1}, before the first release, this trainclinic "
                             f"reads schema {SCHEMA}; record the run again")  # fmt: skip
    statements = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")} - {None}
    if statements != set(TABLES.values()):
        raise ValueError("its tables are not those of this schema")


def _read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    for key, value, crc in connection.execute("SELECT key, value, crc FROM meta"):
        if crc != checksum("meta", key, value):
            raise ValueError("a fact does not match its checksum")
        meta[key] = unpacked(value)
    for key, kind in _META.items():
        if not isinstance(meta.get(key, kind()), kind):
            raise ValueError(f"{key}: expected {kind.__name__}, found {type(meta[key]).__name__}")
    rows = meta["rows"]
    if rows["meta"] != len(meta):
        raise ValueError(f"expected {rows['meta']} facts, found {len(meta)}")
    if max(rows["stream"], rows["block"]) > MOST_ROWS:
        raise ValueError(f"expected at most {MOST_ROWS} blocks, found {rows['block']}")
    return meta


def _recording(meta: dict[str, Any], path: Path | None, series: dict[tuple[str, str], Series]) -> Recording:
    layers = [Layer(**{**entry, "shape": tuple(entry["shape"])}) for entry in meta.get("layers", [])]
    return Recording(
        layers=tuple(sorted(layers, key=lambda layer: layer.position)),
        units=meta.get("units", {}),
        facts={**meta.get("facts", {}), "steps": meta.get("steps", 0)},
        environment=meta.get("environment", {}),
        ended=meta.get("ended", "unknown"),
        path=path,
        _series=series,
    )


class _BlockReader:
    """Reads every block by its id, so that a page that is damaged costs only what stands on it.

    Args:
        connection: the database.
        rows: of each table, as the file states.
        units: signal name → unit.
    """

    def __init__(self, connection: sqlite3.Connection, rows: dict[str, int], units: dict[str, str]) -> None:
        self._connection = connection
        self._rows = rows
        self._units = units
        self.lost = 0  # blocks

    def series(self) -> dict[tuple[str, str], Series]:
        """(signal, layer) → what was measured."""
        pairs: dict[int, _Pairs] = {}
        for row in self._intact("stream"):
            with contextlib.suppress(*_DAMAGE):
                pairs[row[0]] = [(signal, layer) for signal, layer in unpacked(row[2])]
                hash(tuple(pairs[row[0]]))
        blocks: dict[int, list[tuple[Steps, Floats]]] = {stream: [] for stream in pairs}
        read = 0
        for _, stream, *row in self._intact("block"):
            with contextlib.suppress(*_DAMAGE):
                steps, values = _block(*row, columns=len(pairs[stream]))
                if blocks[stream] and steps[0] < blocks[stream][-1][0][-1]:
                    raise ValueError("steps go back")
                blocks[stream].append((steps, values))
                read += 1
        self.lost = self._rows["block"] - read
        found: dict[tuple[str, str], Series] = {}
        for stream, columns in pairs.items():
            found |= self._of_stream(columns, blocks[stream])
        return found

    def _intact(self, table: str) -> Iterator[list[Any]]:
        """The rows of that table that are as they were written, without their checksums."""
        for key in range(1, self._rows[table] + 1):
            try:
                ((*row, crc),) = self._connection.execute(f"SELECT * FROM {table} WHERE id = ?", (key,)).fetchall()
            except _DAMAGE:
                continue
            if crc == checksum(table, *row):
                yield row

    def _of_stream(self, pairs: _Pairs, blocks: list[tuple[Steps, Floats]]) -> dict[tuple[str, str], Series]:
        steps = np.concatenate([np.empty(0, np.int64), *(steps for steps, _ in blocks)])
        values = np.full((len(steps), len(pairs)), np.nan)
        row = 0
        for _, block in blocks:
            values[row : row + len(block), : block.shape[1]] = block
            row += len(block)
        found = {}
        for column, pair in enumerate(pairs):
            measured = ~np.isnan(values[:, column]) | _non_finite_kept(pair)
            if measured.any():
                found[pair] = Series(steps[measured], values[measured, column], self._units.get(pair[0], "1"))
        return found


def _non_finite_kept(pair: tuple[str, str]) -> bool:
    return pair[0] == "loss"  # a loss is known at every step: NaN there is what was measured


def _block(
    first: int, count: int, width: int, steps: bytes | None, data: bytes, *, columns: int
) -> tuple[Steps, Floats]:
    """Steps and values of one block; never more than a writer puts into one, whatever the row says."""
    if not (1 <= width <= columns and count >= 1 and 4 * (count - 1) * width < BLOCK_BYTES and 0 <= first < 1 << 62):
        raise ValueError(f"block of {count} rows of {width} from step {first}")
    size = 4 * count * width
    content = data if len(data) == size else inflated(data, size)
    values = np.frombuffer(content, "<f4").reshape(count, width).astype(np.float64)
    if steps is None:
        return np.arange(first, first + count, dtype=np.int64), values
    at = np.frombuffer(inflated(steps, 8 * count), "<i8").astype(np.int64)
    if len(at) != count or at[0] != first or (np.diff(at) < 0).any():
        raise ValueError(f"block of {count} rows whose steps do not ascend")
    return at, values
