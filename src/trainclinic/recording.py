"""Recording: what one run showed, by signal, layer and step; read from a `.clinic` file.

A `.clinic` file is one SQLite database (no pickle, nothing in it is ever executed):

    meta    key, value            schema version and facts, zlib of JSON
    stream  id, name, columns     which (signal, layer) pairs are measured together, zlib of JSON
    block   stream, first, count, width, steps, data
            count × width float32 values, little-endian, row by row, as zlib where that is shorter; `width` is
            the number of columns known when the block was begun; `steps` is NULL for consecutive steps, else
            zlib of int64 steps

Columns are only ever appended, so that a model that grows while it trains keeps one file.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainclinic.errors import RecordingError

SCHEMA = 1
_META = {"schema": int, "steps": int, "layers": list, "units": dict, "facts": dict, "environment": dict, "ended": str}
_DAMAGE = (sqlite3.Error, zlib.error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
           MemoryError, RecursionError)  # what reading a damaged file can end in  # fmt: skip
Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """One place that was measured.

    Attributes:
        name: the module's name in the model; a functional activation is `<module>.<function>`, numbered when it
            occurs more than once; a weight that is not called `weight` stands under its full parameter name; a model
            that is a single layer stands under its class.
        kind: the class (`Linear`) or the function (`sigmoid`).
        role: "weight" for a layer with weights, "activation" for an activation function.
        parameters: number of parameters held directly.
        shape: the weight's shape, () for an activation.
        position: order of the first execution in the forward pass.
    """

    name: str
    kind: str
    role: str
    parameters: int = 0
    shape: tuple[int, ...] = ()
    position: int = 0


@dataclass(frozen=True, eq=False)
class Series:
    """One signal in one place over the run: `values[i]` [unit] was measured at optimizer step `steps[i]`."""

    steps: Steps
    values: Floats
    unit: str = "1"

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return len(self.steps) > 0

    def early(self, count: int = 5) -> float:
        """Median of the first `count` finite values; NaN when there are none."""
        finite = self.values[np.isfinite(self.values)][:count]
        return float(np.median(finite)) if len(finite) else float("nan")

    def late(self, share: float = 0.25) -> float:
        """Median of the finite values in the last `share` of the steps; NaN when there are none."""
        if not len(self):
            return float("nan")
        recent = self.values[self.steps >= self.steps[-1] - share * (self.steps[-1] - self.steps[0])]
        finite = recent[np.isfinite(recent)]
        return float(np.median(finite)) if len(finite) else float("nan")


@dataclass(frozen=True, eq=False)
class Matrix:
    """One signal in every layer: `values[l, s]` [unit] in `layers[l]` at `steps[s]`; NaN means not measured."""

    layers: tuple[Layer, ...]
    steps: Steps
    values: Floats
    unit: str = "1"


@dataclass(frozen=True, eq=False)
class Recording:
    """What one training run showed.

    Attributes:
        layers: every measured place, in the order of the forward pass.
        units: signal name → unit.
        facts: exact observations, by topic (see `measure/facts.py`): parameters, modes, loss graph, inputs, ….
        environment: versions and device.
        ended: "completed", "interrupted", "error: …" or "unknown" (the file was never closed).
        path: the file it came from, or None.
        ranks: of a distributed run that is read as one: what each rank recorded; empty otherwise.
    """

    layers: tuple[Layer, ...]
    units: dict[str, str]
    facts: dict[str, Any]
    environment: dict[str, Any]
    ended: str
    path: Path | None = None
    ranks: tuple[Recording, ...] = ()
    _series: dict[tuple[str, str], Series] = field(default_factory=dict, repr=False)

    @property
    def steps(self) -> int:
        """Number of optimizer steps watched."""
        return int(self.facts.get("steps", 0))

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of the recorded signals, sorted."""
        return tuple(sorted({signal for signal, _ in self._series}))

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise RecordingError(f"layer: no layer named {name!r} in this recording; see Recording.layers")

    def series(self, signal: str, layer: str = "") -> Series:
        """One signal in one layer ("" for a signal of the whole run); empty where it was never measured."""
        empty = Series(np.empty(0, np.int64), np.empty(0), self.units.get(signal, "1"))
        return self._series.get((signal, layer), empty)

    def measured(self, signal: str) -> tuple[Layer, ...]:
        """The layers in which `signal` was measured, in the order of the forward pass."""
        return tuple(layer for layer in self.layers if (signal, layer.name) in self._series)

    def matrix(self, signal: str, layers: Iterable[Layer] | None = None) -> Matrix:
        """One signal over layers × steps."""
        rows = tuple(layers) if layers is not None else self.measured(signal)
        found = [self.series(signal, layer.name) for layer in rows]
        steps = np.unique(np.concatenate([series.steps for series in found])) if found else np.empty(0, np.int64)
        values = np.full((len(rows), len(steps)), np.nan)
        for row, series in zip(values, found, strict=True):
            row[np.searchsorted(steps, series.steps)] = series.values
        return Matrix(rows, steps, values, self.units.get(signal, "1"))


def load(path: str | Path) -> Recording:
    """Read a `.clinic` file.

    Raises:
        RecordingError: there is no such file, it is not a recording, or a newer trainclinic wrote it.
    """
    path = Path(path)
    if not path.is_file():
        raise RecordingError(f"{path}: expected a .clinic file, found nothing there; check the path")
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise RecordingError(f"{path}: expected a .clinic recording, got another kind of file; "
                                 "record one with trainclinic run or tc.watch(…, path=…)")  # fmt: skip
    connection = sqlite3.connect(address(path), uri=True)
    try:
        return read(connection, path)
    except _DAMAGE as error:
        raise RecordingError(f"{path}: expected a .clinic recording, but it cannot be read ({error}); "
                             "the file is damaged or was not written by trainclinic") from error  # fmt: skip
    finally:
        connection.close()


def address(path: Path) -> str:
    """The database in that file, to be read only, as SQLite wants it."""
    return f"{path.resolve().as_uri()}?mode=ro"


def packed(value: Any) -> bytes:
    """Plain data as they stand in the file: names repeat, so they shrink to a tenth."""
    return zlib.compress(json.dumps(value).encode(), 1)


def unpacked(data: bytes) -> Any:
    """The reverse of `packed`."""
    return json.loads(zlib.decompress(data))


def read(connection: sqlite3.Connection, path: Path | None = None) -> Recording:
    """The recording in an open database."""
    meta = {key: unpacked(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    for key, kind in _META.items():
        if not isinstance(meta.get(key, kind()), kind):
            raise ValueError(f"{key}: expected {kind.__name__}, found {type(meta[key]).__name__}")
    if meta["schema"] > SCHEMA:
        raise RecordingError(f"{path}: written with schema {meta['schema']}, this trainclinic reads up to {SCHEMA}; "
                             "upgrade trainclinic")  # fmt: skip
    layers = [Layer(**{**entry, "shape": tuple(entry["shape"])}) for entry in meta.get("layers", [])]
    return Recording(
        layers=tuple(sorted(layers, key=lambda layer: layer.position)),
        units=meta.get("units", {}),
        facts={**meta.get("facts", {}), "steps": meta.get("steps", 0)},
        environment=meta.get("environment", {}),
        ended=meta.get("ended", "unknown"),
        path=path,
        _series=_read_series(connection, meta.get("units", {})),
    )


def _read_series(connection: sqlite3.Connection, units: dict[str, str]) -> dict[tuple[str, str], Series]:
    series = {}
    for stream, columns in connection.execute("SELECT id, columns FROM stream"):
        pairs = [(signal, layer) for signal, layer in unpacked(columns)]
        steps, values = _read_blocks(connection, stream, len(pairs))
        for column, pair in enumerate(pairs):
            measured = ~np.isnan(values[:, column]) | _non_finite_kept(pair)
            if measured.any():
                series[pair] = Series(steps[measured], values[measured, column], units.get(pair[0], "1"))
    return series


def _non_finite_kept(pair: tuple[str, str]) -> bool:
    return pair[0] == "loss"  # a loss is known at every step: NaN there is what was measured


def _read_blocks(connection: sqlite3.Connection, stream: int, width: int) -> tuple[Steps, Floats]:
    all_steps: list[Steps] = [np.empty(0, np.int64)]
    all_values: list[Floats] = [np.empty((0, width))]
    for steps, values in _blocks(connection, stream):
        padded = np.full((len(values), width), np.nan)
        padded[:, : values.shape[1]] = values
        all_steps.append(steps)
        all_values.append(padded)
    return np.concatenate(all_steps), np.concatenate(all_values)


def _blocks(connection: sqlite3.Connection, stream: int) -> Iterator[tuple[Steps, Floats]]:
    query = "SELECT first, count, width, steps, data FROM block WHERE stream = ? ORDER BY rowid"
    for first, count, width, steps, data in connection.execute(query, (stream,)):
        if not (count > 0 and width >= 0 and 0 <= first < 1 << 62):
            raise ValueError(f"block of {count} rows of {width} from step {first}")
        size = 4 * count * width
        if len(data) != size:
            data = zlib.decompressobj().decompress(data, size + 1)
        values = np.frombuffer(data, "<f4").reshape(count, width).astype(np.float64)
        if steps is None:
            at = np.arange(first, first + count, dtype=np.int64)
        else:
            at = np.frombuffer(zlib.decompress(steps), "<i8").astype(np.int64)
        if len(at) != len(values):
            raise ValueError(f"block of {len(values)} rows at {len(at)} steps")
        yield at, values
