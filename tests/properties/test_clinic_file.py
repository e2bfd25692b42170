"""The `.clinic` file under random rows, columns and damage."""

from __future__ import annotations

import contextlib
import math
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trainclinic as tc
from trainclinic.clinic_file import ClinicFile
from trainclinic.errors import RecordingError

floats = st.floats(width=64, allow_nan=True, allow_infinity=True)
names = st.sampled_from(["", "0", "a.weight", "층", "x" * 300, '"; DROP TABLE block; --'])
rows = st.lists(
    st.tuples(
        st.integers(1, 10**12),  # steps to the next row
        st.dictionaries(st.tuples(st.sampled_from(["gradient_rms", "loss", "ε"]), names), floats, max_size=5),
        st.booleans(),  # flush after it
    ),
    max_size=12,
)


def as_float32(value):
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(value))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, st.booleans(), st.booleans())
def test_round_trip(rows, consecutive, on_disk):
    """Columns appear over time; NaN is not measured (but a loss is); inf stays; values are rounded to float32."""
    expected: dict[tuple[str, str], list[tuple[int, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.clinic" if on_disk else None
        file, step = ClinicFile(path), -1
        stream = file.stream("sample")
        first_row = {}
        for index, (gap, values, flush) in enumerate(rows):
            step += 1 if consecutive else gap
            columns = {stream.column(*pair): value for pair, value in values.items()}
            row = [columns.get(column, math.nan) for column in range(len(stream.columns))]
            for pair, column in stream.columns.items():
                first_row.setdefault(pair, index)
                expected.setdefault(pair, []).append((step, as_float32(row[column])))
            stream.append(step, row)
            if flush:
                file.flush()
        closed = file.close()
        for recording in (closed, tc.load(path)) if path else (closed,):
            for pair, points in expected.items():
                series = recording.series(*pair)
                kept = [(at, value) for at, value in points if not math.isnan(value)]
                if pair[0] == "loss":  # NaN is what was measured
                    measured = [(at, v) for at, v in zip(series.steps, series.values, strict=True) if not math.isnan(v)]
                    assert measured == kept
                    assert set(at for at, _ in points) <= set(series.steps.tolist())
                else:
                    assert list(zip(series.steps.tolist(), series.values.tolist(), strict=True)) == kept
            assert {pair for pair in recording._series if pair not in expected} == set()


@cache
def valid():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.clinic"
        file = ClinicFile(path)
        file.put("layers", [{"name": "0", "kind": "Linear", "role": "weight", "shape": [2, 2], "position": 0}])
        file.put("steps", 40)
        for name, gap in (("step", 1), ("sample", 3)):
            stream = file.stream(name)
            stream.column("loss" if gap == 1 else "gradient_rms", "")
            for step in range(0, 40, gap):
                stream.append(step, [1 / (step + 1)])
        file.close()
        return path.read_bytes()


def spots(size):
    """Half of them in the header, where SQLite keeps the shape of the file."""
    return st.one_of(st.integers(0, min(120, size - 1)), st.integers(0, size - 1))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_harmless_never_a_crash(data):
    content = bytearray(valid())
    used = [index for index, byte in enumerate(content) if byte]
    for _ in range(data.draw(st.integers(1, 6))):
        kind = data.draw(st.sampled_from(["byte", "used byte", "cut", "copy", "insert"]))
        if len(content) < 100:
            break
        at = data.draw(spots(len(content)))
        if kind == "byte":
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "used byte":
            content[min(used[at % len(used)], len(content) - 1)] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "cut":
            del content[max(at, 20) :]
        elif kind == "copy":
            other = data.draw(spots(len(content)))
            content[at : at + 64] = content[other : other + 64]
        else:
            content[at:at] = data.draw(st.binary(max_size=16))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.clinic"
        path.write_bytes(content)
        with contextlib.suppress(RecordingError):
            recording = tc.load(path)
            assert isinstance(recording.facts, dict)
            for pair in recording._series:
                series = recording.series(*pair)
                assert len(series.steps) == len(series.values)
        assert path.read_bytes() == content, "reading changes nothing"
