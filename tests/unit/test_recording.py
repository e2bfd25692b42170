"""The `.clinic` file: what goes in comes out; what is no recording is refused in words."""

from __future__ import annotations

import contextlib
import math
import pickle
import sqlite3
import warnings
import zlib

import numpy as np
import pytest
import torch
from torch import nn

import trainclinic as tc
from trainclinic.clinic_file import ClinicFile
from trainclinic.clinic_format import BLOCK_BYTES, ENTRY_BYTES, MOST_ROWS, SCHEMA, TABLES, checksum, packed
from trainclinic.errors import RecordingError
from trainclinic.recording import Layer, Series

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


def test_steps_that_repeat_come_back_as_they_were(tmp_path):
    """Figures of one evaluation may be told one by one, all at the same step."""
    path = tmp_path / "run.clinic"
    file = ClinicFile(path)
    stream = file.stream("validation")
    for column in ("validation_loss", "validation_accuracy"):
        stream.column(column)
    for row in ((0, 0.5, math.nan), (0, math.nan, 0.25), (2, 0.125, 1.0)):
        stream.append(row[0], row[1:])
    for recording in (file.close(), tc.load(path)):
        assert recording.series("validation_loss").steps.tolist() == [0, 2]
        assert recording.series("validation_accuracy").steps.tolist() == [0, 2]


def test_a_closed_file_does_not_say_who_wrote_it(tmp_path):
    path = tmp_path / "run.clinic"
    file = filled(path)
    file.flush()
    assert said_by(path, "SELECT count(*) FROM meta WHERE key = 'writer'") == 1
    file.close()
    assert said_by(path, "SELECT count(*) FROM meta WHERE key = 'writer'") == 0
    assert said_by(path, "SELECT count(*) FROM meta") == len(["units", "layers", "steps", "facts", "ended", "rows"])


# -- what is no recording


def database(path, *statements):
    """Run them; `crc` in a statement is the checksum of a row."""
    with sqlite3.connect(path) as connection:
        connection.create_function("crc", -1, checksum)
        for statement in statements:
            connection.execute(statement)
    connection.close()


def said_by(path, query):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchone()[0]


def seal(table):
    """A statement that makes every row's checksum right, as somebody who forges a file would."""
    columns = {
        "meta": "key, value",
        "stream": "id, name, columns",
        "block": "id, stream, first, count, width, steps, data",
    }[table]
    return f"UPDATE {table} SET crc = crc('{table}', {columns})"


def literal(value):
    """A value as an SQL literal of what the file holds."""
    return f"x'{(value if isinstance(value, bytes) else packed(value)).hex()}'"


@pytest.mark.parametrize("what", ["missing", "folder", "empty", "text", "pickle", "another database"])
def test_what_is_no_recording_is_refused_in_words(what, tmp_path):
    path = tmp_path / "run.clinic"
    if what == "folder":
        path.mkdir()
    elif what in ("empty", "text", "pickle"):
        path.write_bytes({"empty": b"", "text": b"loss,0.3\n" * 9, "pickle": b"\x80\x04cos\nsystem\n."}[what])
    elif what == "another database":
        database(path, "CREATE TABLE runs (name TEXT)")
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a \.clinic .+;"):
        tc.load(path)


@pytest.mark.parametrize(
    ("schema", "advice"),
    [(SCHEMA + 1, "upgrade trainclinic"), (1, "record the run again"), (0, "record the run again")],
)
def test_another_schema_is_refused_in_words(schema, advice, tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    database(path, f"PRAGMA user_version = {schema}")
    with pytest.raises(RecordingError, match=rf"run\.clinic: written with schema {schema or 1}, .+; {advice}"):
        tc.load(path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW more AS SELECT * FROM block",
        "CREATE TABLE more (x)",
        "CREATE TRIGGER more AFTER INSERT ON block BEGIN DELETE FROM meta; END",
        "CREATE INDEX more ON block (first)",
        "ALTER TABLE block ADD COLUMN more",
        "ALTER TABLE meta ADD COLUMN more AS (hex(zeroblob(900000000)))",
        "DROP TABLE block",
    ],
)
def test_a_database_with_anything_besides_the_three_tables_is_refused(statement, tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    database(path, statement)
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a .clinic recording, .+;"):
        tc.load(path)


@pytest.mark.parametrize("disguised", ["block", "meta"])
def test_a_view_in_the_place_of_a_table_is_refused(disguised, tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    bomb = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, i AS key FROM n"
    database(path, f"DROP TABLE {disguised}", f"CREATE VIEW {disguised} AS {bomb}")
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a .clinic recording, .+;"):
        tc.load(path)


# -- damage to the facts: nothing can be read; to the values: the rest is read


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM meta WHERE key = 'facts'",
        "DELETE FROM meta WHERE key = 'rows'",
        f"UPDATE meta SET value = {literal({'meta': 6, 'stream': 1, 'block': MOST_ROWS + 1})} WHERE key = 'rows'",
        f"UPDATE meta SET value = {literal({'meta': 6, 'stream': 1, 'block': 'many'})} WHERE key = 'rows'",
        f"UPDATE meta SET value = {literal([1, 2])} WHERE key = 'layers'",
        f"UPDATE meta SET value = {literal([{'name': 'a'}])} WHERE key = 'layers'",
        f"UPDATE meta SET value = {literal({'a': 1})} WHERE key = 'layers'",
        f"UPDATE meta SET value = {literal([1])} WHERE key = 'units'",
        f"UPDATE meta SET value = {literal(3)} WHERE key = 'facts'",
        f"UPDATE meta SET value = {literal(zlib.compress(b'[' * 100_001))} WHERE key = 'facts'",
        "UPDATE meta SET value = x'ff' WHERE key = 'facts'",
        "UPDATE meta SET value = 'text' WHERE key = 'facts'",
        "UPDATE meta SET key = 'fact' WHERE key = 'rows'",
    ],
)
def test_a_recording_whose_facts_are_damaged_is_refused(statement, sealed, tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    database(path, statement, *([seal("meta")] if sealed else []))
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a .clinic recording, but it cannot be read .+;"):
        tc.load(path)


def test_what_inflates_without_end_is_not_inflated(tmp_path):
    """The bound of one entry is 64 MiB; the file that claims more has 256 KiB."""
    path = tmp_path / "run.clinic"
    filled(path).close()
    bomb = zlib.compress(b" " * (ENTRY_BYTES + 1), 9)
    database(path, f"UPDATE meta SET value = {literal(bomb)} WHERE key = 'facts'", seal("meta"))
    with pytest.raises(RecordingError, match="expected an end within 67108864 bytes"):
        tc.load(path)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        "count = count - 1",
        "count = count + 1",
        "count = 1000000000000",
        "width = 0",
        "width = -3",
        "width = width + 1",
        "width = 'three'",
        "steps = NULL, first = 9223372036854775807",
        "steps = NULL, first = NULL",
        "steps = NULL, first = -4",
        "steps = x'00'",
        "steps = x'789c030000000001'",
        f"steps = {literal(zlib.compress(bytes(8 * 10_000_000)))}",
        f"steps = {literal(zlib.compress(np.array([4, 8, 6, 10], '<i8').tobytes()))}",
        "first = 1",
        "data = NULL",
        "data = 'text'",
        f"data = {literal(zlib.compress(bytes(10_000_000)))}",
        f"data = {literal(zlib.compress(bytes(48))[:-1])}",
        f"data = {literal(pickle.dumps(OSError))}",
        "stream = 9",
    ],
)
def test_a_damaged_block_is_left_out_and_the_others_are_read(change, sealed, tmp_path):
    path = tmp_path / "run.clinic"
    file = filled(path)
    other = file.stream("step")
    other.column("loss")
    other.append(3, [0.25])
    file.close()
    database(path, f"UPDATE block SET {change} WHERE stream = 1", *([seal("block")] if sealed else []))
    with pytest.warns(RuntimeWarning, match=r"run\.clinic: 1 of 2 blocks of values cannot be read"):
        recording = tc.load(path)
    assert recording.facts == {"batch_size": 8, "steps": 4, "damage": "1 of 2 blocks of values cannot be read"}
    assert recording.signals == ("loss",)
    assert recording.series("loss").values.tolist() == [0.25]


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        "columns = '[[1]]'",
        f"columns = {literal({})}",
        f"columns = {literal([['loss', ['unhashable']]])}",
        "columns = '7'",
        "columns = NULL",
        "id = 7",
    ],
)
def test_a_damaged_stream_loses_its_blocks(change, sealed, tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    database(path, f"UPDATE stream SET {change}", *([seal("stream")] if sealed else []))
    with pytest.warns(RuntimeWarning, match="1 of 1 blocks of values cannot be read"):
        recording = tc.load(path)
    assert (recording.signals, recording.steps, len(recording.layers)) == ((), 4, 2)


def test_blocks_that_go_back_in_time_or_come_twice_are_left_out(tmp_path):
    path = tmp_path / "run.clinic"
    file = filled(path)
    stream = file.stream("sample")
    stream.column("more")  # a new block
    stream.append(7, [1.0] * 4)
    file.close()
    copy = "INSERT INTO block SELECT 3, stream, first, count, width, steps, data, crc FROM block WHERE id = 1"
    count = f"UPDATE meta SET value = {literal({'meta': 6, 'stream': 1, 'block': 3})} WHERE key = 'rows'"
    database(path, copy, count, seal("meta"), seal("block"))
    with pytest.warns(RuntimeWarning, match="1 of 3 blocks of values cannot be read"):
        recording = tc.load(path)
    assert recording.series("gradient_rms", "b").steps.tolist() == [0, 2, 4, 6, 7]


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_in_a_file_is_ever_run(tmp_path):
    """Neither a pickle, wherever it stands, nor SQL in a name."""
    path, trace = tmp_path / "run.clinic", tmp_path / "trace"
    bomb = literal(pickle.dumps(Bomb(trace)))
    for table, column in (("meta", "value"), ("stream", "columns"), ("block", "data"), ("block", "steps")):
        filled(path).close()
        database(path, f"UPDATE {table} SET {column} = {bomb}", seal(table))
        with contextlib.suppress(RecordingError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert tc.load(path).signals == ()
        assert not trace.exists()
    file = ClinicFile(path)
    name = "x'); DROP TABLE meta; --"
    stream = file.stream(name)
    stream.column(name, name)
    stream.append(0, [1.0])
    file.put("facts", {name: name})
    file.close()
    recording = tc.load(path)
    assert recording.series(name, name).values.tolist() == [1.0]
    assert recording.facts[name] == name


def test_the_tables_are_those_that_the_format_names(tmp_path):
    path = tmp_path / "run.clinic"
    filled(path).close()
    assert said_by(path, "SELECT group_concat(name) FROM sqlite_master WHERE sql IS NOT NULL") == ",".join(TABLES)
    assert said_by(path, "PRAGMA user_version") == SCHEMA
