"""The `.clinic` file: what goes in comes out; what is no recording is refused in words."""

from __future__ import annotations

import math
import sqlite3
import zlib

import numpy as np
import pytest
import torch
from torch import nn

import trainclinic as tc
from trainclinic.clinic_file import BLOCK_BYTES, ClinicFile
from trainclinic.errors import RecordingError
from trainclinic.recording import SCHEMA, Layer, Series

LAYERS = [
    {"name": "b", "kind": "Linear", "role": "weight", "parameters": 6, "shape": [2, 3], "position": 1},
    {"name": "a", "kind": "ReLU", "role": "activation", "parameters": 0, "shape": [], "position": 0},
]


def filled(path=None, rows=4):
    file = ClinicFile(path)
    file.put("units", {"gradient_rms": "loss/1"})
    file.put("layers", LAYERS)
    file.put("steps", rows)
    file.put("facts", {"batch_size": 8})
    file.put("ended", "completed")
    stream = file.stream("sample")
    for column in (("gradient_rms", "b"), ("activation_rms", "a"), ("activation_rms", "b")):
        stream.column(*column)
    for step in range(rows):
        stream.append(2 * step, [step + 0.5, math.nan if step == 1 else 3.0, math.inf if step == 2 else 4.0])
    return file


def test_what_goes_in_comes_out(tmp_path):
    path = tmp_path / "a ?b#c%20d.clinic"
    closed = filled(path).close()
    for recording in (closed, tc.load(path), tc.load(str(path))):
        assert recording.layers == (
            Layer("a", "ReLU", "activation", 0, (), 0),
            Layer("b", "Linear", "weight", 6, (2, 3), 1),
        )
        assert recording.series("gradient_rms", "b").values.tolist() == [0.5, 1.5, 2.5, 3.5]
        assert recording.series("gradient_rms", "b").unit == "loss/1"
        assert recording.series("activation_rms", "a").steps.tolist() == [0, 4, 6]
        assert recording.series("activation_rms", "b").values.tolist() == [4, 4, math.inf, 4]
        assert recording.signals == ("activation_rms", "gradient_rms")
        assert (recording.steps, recording.ended, recording.path) == (4, "completed", path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name], "folded into one file"


def test_questions_to_a_recording():
    recording = filled().close()
    assert recording.path is None
    assert [layer.name for layer in recording.measured("activation_rms")] == ["a", "b"]
    matrix = recording.matrix("activation_rms")
    assert matrix.steps.tolist() == [0, 2, 4, 6]
    assert np.isnan(matrix.values).tolist() == [[False, True, False, False], [False] * 4]
    assert matrix.values[1].tolist() == [4, 4, math.inf, 4]
    assert recording.layer("b").shape == (2, 3)
    assert not recording.series("no_such_signal")
    assert len(recording.matrix("no_such_signal").steps) == 0
    with pytest.raises(RecordingError, match="no layer named 'zz'"):
        recording.layer("zz")


def test_early_and_late():
    steps = np.arange(100)
    values = np.where(steps < 50, 1.0, 5.0)
    values[[0, 99]] = math.inf
    series = Series(steps, values)
    assert (series.early(), series.late(), series.late(1.0)) == (1.0, 5.0, 3.0)
    assert math.isnan(Series(steps[:0], values[:0]).late())
    assert math.isnan(Series(steps[:1], values[:1]).early())


def test_a_loss_that_is_nan_was_measured(tmp_path):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tc.watch(model, optimizer, path=tmp_path / "run.clinic", every=1):
        for scale in (1.0, math.nan, math.inf):
            optimizer.zero_grad()
            (model(torch.ones(1, 2)) * scale).sum().backward()
            optimizer.step()
    r = tc.load(tmp_path / "run.clinic")
    assert r.series("loss").steps.tolist() == [0, 1, 2]
    assert np.isnan(r.series("loss").values).tolist() == [False, True, True]
    assert r.series("gradient_rms", "Linear").values[1] == math.inf, "a measured NaN is kept as inf"
    assert (r.facts["non_finite"]["step"], r.facts["non_finite"]["what"]) == (1, "loss")


def test_blocks_are_closed_and_memory_let_go(tmp_path):
    path = tmp_path / "run.clinic"
    file, stream = ClinicFile(path), None
    stream = file.stream("step")
    stream.column("loss")
    rows = 3 * BLOCK_BYTES // 4 + 7
    for step in range(rows):
        stream.append(step, [float(step)])
        if step % 10_000 == 0:
            file.flush()
            assert len(stream._blocks) <= 1
    file.close()
    series = tc.load(path).series("loss")
    assert np.array_equal(series.steps, np.arange(rows))
    assert np.array_equal(series.values, np.arange(rows))
    assert path.stat().st_size < 5 * rows, "consecutive steps take no room"


def test_a_recording_is_read_while_it_is_written_and_after_a_crash(tmp_path):
    path = tmp_path / "run.clinic"
    file = ClinicFile(path)
    file.put("layers", [])
    stream = file.stream("step")
    stream.column("loss")
    stream.append(0, [1.0])
    file.flush()
    assert tc.load(path).series("loss").values.tolist() == [1.0]
    stream.append(1, [2.0])
    file.flush()
    crashed = tc.load(path)  # never closed
    assert (crashed.series("loss").values.tolist(), crashed.ended) == ([1.0, 2.0], "unknown")
    file.close()


# -- what is no recording


def database(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def stored(text: str) -> str:
    """JSON text as an SQL literal of what the file holds."""
    return f"x'{zlib.compress(text.encode()).hex()}'"


@pytest.mark.parametrize("what", ["missing", "folder", "empty", "text", "pickle", "another database", "cut", "newer"])
def test_what_is_no_recording_is_refused_in_words(what, tmp_path):
    path = tmp_path / "run.clinic"
    good = tmp_path / "good.clinic"
    filled(good, rows=2000).close()
    if what == "folder":
        path.mkdir()
    elif what in ("empty", "text", "pickle"):
        path.write_bytes({"empty": b"", "text": b"loss,0.3\n" * 9, "pickle": b"\x80\x04cos\nsystem\n."}[what])
    elif what == "another database":
        database(path, "CREATE TABLE runs (name TEXT)")
    elif what == "cut":
        path.write_bytes(good.read_bytes()[: good.stat().st_size // 3])
    elif what == "newer":
        path.write_bytes(good.read_bytes())
        database(path, f"UPDATE meta SET value = {stored(str(SCHEMA + 1))} WHERE key = 'schema'")
    with pytest.raises(RecordingError, match=r"run\.clinic: .+;") as raised:
        tc.load(path)
    assert ("upgrade trainclinic" in str(raised.value)) == (what == "newer")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE block SET count = count - 1",
        "UPDATE block SET count = count + 1",
        "UPDATE block SET width = 0",
        "UPDATE block SET width = -3",
        "UPDATE block SET width = 'three'",
        "UPDATE block SET steps = NULL, first = 9223372036854775807",
        "UPDATE block SET steps = NULL, first = NULL",
        "UPDATE block SET steps = x'00'",
        "UPDATE block SET steps = x'789c030000000001'",
        "UPDATE block SET data = NULL",
        "UPDATE block SET data = 'text'",
        "UPDATE stream SET columns = '[[1]]'",
        f"UPDATE stream SET columns = {stored('{}')}",
        'UPDATE stream SET columns = \'[["loss", ["unhashable"]]]\'',
        "UPDATE stream SET columns = '7'",
        "UPDATE stream SET columns = NULL",
        "DELETE FROM meta WHERE key = 'schema'",
        "UPDATE meta SET value = " + stored('"one"') + " WHERE key = 'schema'",
        f"UPDATE meta SET value = {stored('[1, 2]')} WHERE key = 'layers'",
        "UPDATE meta SET value = " + stored('[{"name": "a"}]') + " WHERE key = 'layers'",
        "UPDATE meta SET value = " + stored('{"a": 1}') + " WHERE key = 'layers'",
        f"UPDATE meta SET value = {stored('[1]')} WHERE key = 'units'",
        f"UPDATE meta SET value = {stored('3')} WHERE key = 'facts'",
        f"UPDATE meta SET value = {stored('[' * 100_001)} WHERE key = 'facts'",
        "UPDATE meta SET value = x'ff'",
        "DROP TABLE block",
    ],
)
def test_a_damaged_recording_is_refused(statement, tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    database(path, statement)
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a .clinic recording, but it cannot be read"):
        tc.load(path)
