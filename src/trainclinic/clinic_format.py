"""The `.clinic` format: one SQLite database; nothing in it is ever executed.

    meta    key, value            facts, zlib of JSON; `rows` says how many rows each table has; until the file is
                                  closed `writer` says who is writing it
    stream  id, name, columns     which (signal, layer) pairs are measured together, zlib of JSON
    block   id, stream, first, count, width, steps, data
            count × width float32 values, little-endian, row by row, as zlib where that is shorter; `width` is
            the number of columns known when the block was begun; `steps` is NULL for consecutive steps, else
            zlib of int64 steps

Columns are only ever appended, so that a model that grows while it trains keeps one file. Ids count from 1. Every row
ends in `crc`, the CRC-32 of the columns before it. The schema's number is SQLite's `user_version`.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

SCHEMA = 2
BLOCK_BYTES = 1 << 16  # a block is closed when its data reach this size, so that appending stays cheap
ENTRY_BYTES = 1 << 26  # what one entry of JSON may inflate to; the facts of some 400,000 parameter tensors
MOST_ROWS = 1_000_000  # of a table; 64 GB of values
TABLES = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB, crc INTEGER)",
    "stream": "CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT, columns BLOB, crc INTEGER)",
    "block": "CREATE TABLE block (id INTEGER PRIMARY KEY, stream INTEGER, first INTEGER, count INTEGER, width INTEGER, "
    "steps BLOB, data BLOB, crc INTEGER)",
}
Column = int | str | bytes | None


def address(path: Path, mode: str = "ro") -> str:
    """The database in that file, as SQLite wants it; `mode`: "ro" to read only, "rwc" to write."""
    return f"{path.resolve().as_uri()}?mode={mode}"


def wal(path: Path) -> Path:
    """Where SQLite keeps what is not yet in the file itself."""
    return path.with_name(path.name + "-wal")


def packed(value: Any) -> bytes:
    """Plain data as they stand in the file: names repeat, so they shrink to a tenth."""
    return zlib.compress(json.dumps(value).encode(), 1)


def unpacked(data: bytes) -> Any:
    """The reverse of `packed`."""
    return json.loads(inflated(data, ENTRY_BYTES))


def inflated(data: bytes, limit: int) -> bytes:
    """The content of a zlib stream of at most `limit` bytes.

    Raises:
        ValueError: there is more, or the stream is cut.
        zlib.error: it is no such stream.
    """
    stream = zlib.decompressobj()
    content = stream.decompress(data, limit + 1)
    if len(content) > limit or not stream.eof:
        raise ValueError(f"zlib stream: expected an end within {limit} bytes, found none")
    return content


def checksum(table: str, *columns: Column) -> int:
    """CRC-32 of a row: of its table's name, and of type, length and content of each column."""
    crc = zlib.crc32(table.encode())
    for column in columns:
        content = column if isinstance(column, bytes) else str(column).encode()
        crc = zlib.crc32(content, zlib.crc32(f"{type(column).__name__}{len(content)}:".encode(), crc))
    return crc
