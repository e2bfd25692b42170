"""The `.clinic` file under random rows, columns and damage."""

from __future__ import annotations

import math
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache, cached_property
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


# -- damage


@dataclass
class Sample:
    """A small recording of several streams and blocks: its bytes, those of its `-wal`, and what stands in it."""

    content: bytes
    wal: bytes
    recording: tc.Recording
    steps: set[int]  # that the file has said at any flush

    @cached_property
    def numbers(self):
        series = self.recording._series.items()
        return {(pair, step): value for pair, one in series for step, value in zip(one.steps, one.values, strict=True)}


def write_sample(path):
    """An open file; columns appear over time, and so blocks end."""
    file = ClinicFile(path)
    file.put("layers", [{"name": "0", "kind": "Linear", "role": "weight", "shape": [2, 2], "position": 0}])
    file.put("units", {"gradient_rms": "loss/1"})
    file.put("facts", {"batch_size": 8, "parameters": [{"name": "0.weight", "shape": [2, 2]}]})
    steps = file.stream("step")
    steps.column("loss")
    for step in range(48):
        steps.append(step, [1 / (step + 1)])
        if step % 3 == 0:
            sample = file.stream("sample")
            width = 2 + step // 6
            for column in range(width):
                sample.column("gradient_rms", str(column))
            sample.append(step, [math.sin(step + 7 * column) for column in range(width)])
        if step % 16 == 15:
            file.put("steps", step + 1)
            file.flush()
    return file


@cache
def sample(*, closed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.clinic"
        file = write_sample(path)
        content, log = path.read_bytes(), path.with_name("run.clinic-wal").read_bytes()
        recording = file.close()
        if closed:
            content, log = path.read_bytes(), b""
        return Sample(content, log, recording, {48} if closed else {0, 16, 32, 48})


def check_that_no_number_is_wrong(path, original):
    """Read the damaged file; True when something was read."""
    before = path.read_bytes()
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            recording = tc.load(path)
    except RecordingError:
        return False
    finally:
        assert path.read_bytes() == before, "reading changes nothing"
    for pair, series in recording._series.items():
        for step, value in zip(series.steps, series.values, strict=True):
            assert original.numbers[pair, step] == value
    complete = all(len(recording.series(*pair)) == len(series) for pair, series in original.recording._series.items())
    damage = recording.facts.pop("damage", None)
    assert [str(warning.message) for warning in said] == (
        [f"{path}: {damage}; everything else was read"] if damage else []
    )
    if recording.steps == 48:
        assert (damage is None) == complete, "what is left out is said"
        assert recording.facts == original.recording.facts
        assert recording.layers == original.recording.layers
        assert recording.units == original.recording.units
    assert recording.steps in original.steps
    return True


def damage(data, content):
    """`content`, changed in up to three spots, a third of them in the header, where SQLite keeps the file's shape."""
    content = bytearray(content)
    used = [index for index, byte in enumerate(content) if byte]
    for _ in range(data.draw(st.integers(1, 3))):
        kind = data.draw(st.sampled_from(["bit", "byte", "cut", "copy", "insert", "page"]))
        at = min(
            data.draw(st.one_of(st.sampled_from(used), st.sampled_from(used), st.integers(0, 120))), len(content) - 1
        )
        if kind == "bit":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "byte":
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[max(at, 512) :]
        elif kind == "copy":
            other = data.draw(st.integers(0, len(content) - 1))
            content[at : at + 64] = content[other : other + 64]
        elif kind == "insert":
            content[at:at] = data.draw(st.binary(max_size=16))
        else:  # a whole page where another was
            pages = len(content) // 1024
            one, other = (1024 * data.draw(st.integers(0, max(pages - 1, 0))) for _ in range(2))
            content[one : one + 1024] = content[other : other + 1024]
    return bytes(content)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_file_gives_no_wrong_number(data):
    original = sample(closed=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.clinic"
        path.write_bytes(damage(data, original.content))
        check_that_no_number_is_wrong(path, original)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.booleans())
def test_a_damaged_file_that_was_never_closed_gives_no_wrong_number(data, in_wal):
    original = sample(closed=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.clinic"
        path.write_bytes(original.content if in_wal else damage(data, original.content))
        path.with_name("run.clinic-wal").write_bytes(damage(data, original.wal) if in_wal else original.wal)
        check_that_no_number_is_wrong(path, original)


def test_each_bit_flipped_and_each_length_cut(tmp_path):
    """One bit of each byte that is not 0, and the file cut at every 64th; most of it is read all the same."""
    original = sample(closed=True)
    path, read = tmp_path / "run.clinic", {"flipped": 0, "cut": 0}
    spots = [at for at, byte in enumerate(original.content) if byte]
    for at in spots:
        content = bytearray(original.content)
        content[at] ^= 1 << at % 8
        path.write_bytes(content)
        read["flipped"] += check_that_no_number_is_wrong(path, original)
    lengths = range(0, len(original.content), 64)
    for length in lengths:
        path.write_bytes(original.content[:length])
        read["cut"] += check_that_no_number_is_wrong(path, original)
    assert read["flipped"] > 0.6 * len(spots)
    assert read["cut"] > 0.3 * len(lengths)
