"""The files of several ranks, found and read as one recording."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trainclinic as tc
from trainclinic.clinic_file import ClinicFile
from trainclinic.errors import RecordingError
from trainclinic.ranks import of_all_ranks, rank_path
from trainclinic.recording import Layer

LAYER = Layer("head", "Linear", "weight", 12, (3, 4), 0)
NOT_STEPPED = {"parameters": [], "gradient_cleared": {"looks": 2, "stale": 0}}


def write(
    path: Path, rank: int, size: int = 2, *, steps: int = 3, ended: str | None = "completed", **what: Any
) -> Path:
    """The file of one rank. `series`: (signal, place) → values from step 0; `facts`: beside the usual ones."""
    path = rank_path(path, rank)
    file = ClinicFile(path)
    file.put("layers", [asdict(LAYER)])
    file.put("units", {"loss": "1"})
    file.put("environment", {"model": "Net"})
    file.put("steps", steps)
    distributed = {"rank": rank, "world_size": size, "kind": "fully_shard", "sharded": what.get("sharded", {})}
    started = {"started": what.get("started", time.time())}
    file.put("facts", {"distributed": distributed | started, **NOT_STEPPED, **what.get("facts", {})})
    for number, (pair, values) in enumerate(what.get("series", {}).items()):
        stream = file.stream(f"s{number}")
        stream.column(*pair)
        for step, value in enumerate(values):
            stream.append(step, [value])
    if ended is not None:
        file.put("ended", ended)
    file.close()
    return path


def loss(*values: float) -> dict[tuple[str, str], tuple[float, ...]]:
    return {("loss", ""): values}


def test_the_name_without_a_rank_names_them_all(tmp_path: Path) -> None:
    for rank in (0, 1):
        write(tmp_path / "run.clinic", rank, series=loss(1.0 + rank, 3.0, math.nan))
    write(tmp_path / "run.rank0b.clinic", 0)  # another run's
    whole = tc.load(tmp_path / "run.clinic")
    assert [one.path.name for one in whole.ranks if one.path] == ["run.rank0.clinic", "run.rank1.clinic"]
    assert (whole.path, whole.ended, whole.steps) == (tmp_path / "run.clinic", "completed", 3)
    np.testing.assert_array_equal(whole.series("loss").values, [1.5, 3.0, math.nan])
    alone = tc.load(tmp_path / "run.rank1.clinic")
    assert alone.ranks == ()
    assert alone.series("loss").values.tolist()[:2] == [2.0, 3.0]
    assert whole.facts["distributed"]["missing"] == {}


def test_nothing_there_is_said_as_ever(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"run\.clinic: expected a \.clinic file, found nothing there"):
        tc.load(tmp_path / "run.clinic")


def test_of_a_single_file_and_files_of_ranks_the_newer_is_read(tmp_path: Path) -> None:
    one = ClinicFile(tmp_path / "run.clinic")
    one.put("steps", 9)
    one.close()
    write(tmp_path / "run.clinic", 0, size=1 + 1)
    now = time.time()
    os.utime(tmp_path / "run.clinic", (now - 5, now - 5))
    assert tc.load(tmp_path / "run.clinic").steps == 3
    os.utime(tmp_path / "run.clinic", (now + 5, now + 5))
    assert tc.load(tmp_path / "run.clinic").steps == 9


def test_files_of_an_earlier_run_are_not_mixed_in(tmp_path: Path) -> None:
    path, now = tmp_path / "run.clinic", time.time()
    for rank in (1, 2, 3):  # four processes, an hour ago
        os.utime(write(path, rank, size=4, started=now - 3700), (now - 3600, now - 3600))
    write(path, 0, size=2, started=now)
    whole = tc.load(path)
    assert len(whole.ranks) == 1
    assert whole.facts["distributed"]["missing"] == {"1": "no file"}
    write(path, 1, size=2, started=now)
    assert len(tc.load(path).ranks) == 2


def test_why_a_rank_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    write(path, 0, size=4, series=loss(1.0, 2.0))
    write(path, 1, size=4, steps=0)
    rank_path(path, 2).write_bytes(b"SQLite format 3\0" + bytes(500))
    whole = tc.load(path)
    assert whole.facts["distributed"]["missing"] == {"1": "no step", "2": "its file cannot be read", "3": "no file"}
    assert whole.series("loss").values.tolist() == [1.0, 2.0]
    rank_path(path, 0).unlink()
    with pytest.raises(RecordingError, match="at least one optimizer step, got none on any rank"):
        tc.load(path)


def test_only_steps_that_every_rank_saw_count(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    write(path, 0, steps=4, series=loss(1.0, 2.0, 3.0, 4.0), ended="error: RuntimeError: Connection closed by peer")
    write(path, 1, steps=2, series=loss(3.0, 4.0), ended=None)
    whole = tc.load(path)
    assert whole.steps == 2
    assert whole.series("loss").steps.tolist() == [0, 1]
    assert whole.series("loss").values.tolist() == [2.0, 3.0]
    assert whole.ended == "rank 1: broken off (its file was never closed)"


def test_how_each_signal_is_put_together(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    signals = {
        ("activation_rms", "head"): ((3.0,), (4.0,), [math.sqrt(12.5)]),
        ("backward_rms", "head"): ((1.0,), (7.0,), [5.0]),
        ("activation_mean", "head"): ((1.0,), (-3.0,), [-1.0]),
        ("dead_unit_fraction", "head"): ((0.5,), (0.25,), [0.25]),
        ("output_mean", ""): ((0.0,), (2.0,), [1.0]),
        ("output_std", ""): ((1.0,), (3.0,), [math.sqrt(5.0 + 1.0)]),
        ("learning_rate", "group 0"): ((0.5,), (0.25,), [0.5]),
        ("validation_loss", ""): ((), (2.0,), [2.0]),
        ("gradient_rms", "head"): ((2.0,), (2.0,), [2.0]),
        ("gradient_norm", ""): ((2.0,), (2.0,), [2.0]),
        ("replica_fingerprint", "head.weight"): ((5.0,), (5.0,), []),
    }
    for rank in (0, 1):
        write(path, rank, series={pair: values[rank] for pair, values in signals.items() if values[rank]})
    whole = tc.load(path)
    for (signal, place), (*_, expected) in signals.items():
        np.testing.assert_allclose(whole.series(signal, place).values, expected, rtol=1e-6, err_msg=signal)


def test_shards_count_by_their_size_and_their_norm(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    shards = [
        {"weight_rms": (2.0,), "gradient_rms": (1.0,), "update_ratio": (0.1,), "gradient_cosine": (1.0,)},
        {"weight_rms": (1.0,), "gradient_rms": (3.0,), "update_ratio": (0.4,), "gradient_cosine": (-1.0,)},
    ]
    counts, norms = (8, 4), ((5.0, 4.0), (6.0, 6.0))  # all that the rank holds, and the sharded part of it
    for rank, signals in enumerate(shards):
        series: dict[Any, Any] = {(signal, "head"): values for signal, values in signals.items()}
        series |= {("gradient_norm", ""): (norms[rank][0],), ("gradient_norm", "sharded"): (norms[rank][1],)}
        write(path, rank, series=series, sharded={"head.weight": [counts[rank], 12]})
    whole = tc.load(path)

    def value(signal: str, place: str = "head") -> float:
        return float(whole.series(signal, place).values[0])

    assert value("weight_rms") == pytest.approx(math.sqrt((8 * 4 + 4 * 1) / 12))
    assert value("gradient_rms") == pytest.approx(math.sqrt((8 * 1 + 4 * 9) / 12))
    assert value("update_ratio") == pytest.approx(math.sqrt((8 * 4 * 0.01 + 4 * 1 * 0.16) / (8 * 4 + 4 * 1)))
    assert value("gradient_cosine") == pytest.approx((8 * 1 - 4 * 9) / (8 * 1 + 4 * 9))
    assert value("gradient_norm", "") == pytest.approx(math.sqrt((25 - 16) + 16 + 36))
    rank_path(path, 1).unlink()
    whole = tc.load(path)
    assert not any(whole.series(signal, "head") for signal in shards[0])
    assert not whole.series("gradient_norm")


def test_shards_that_are_held_twice_count_once(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    for rank in range(4):  # two replicas of two shards each
        norm = (3.0, 4.0)[rank % 2]
        series = {
            ("gradient_norm", ""): (norm,),
            ("gradient_norm", "sharded"): (norm,),
            ("weight_rms", "head"): (norm,),
        }
        write(path, rank, size=4, series=series, sharded={"head.weight": [6, 12]})
    whole = tc.load(path)
    assert whole.series("gradient_norm").values.tolist() == pytest.approx([5.0])
    assert whole.series("weight_rms", "head").values.tolist() == pytest.approx([math.sqrt((9 + 16) / 2)])


def test_shards_of_unknown_size_are_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    for rank in (0, 1):
        series = {("gradient_norm", ""): (1.0,), ("gradient_norm", "sharded"): (1.0,), ("weight_rms", "head"): (1.0,)}
        write(path, rank, series=series, sharded={"head.weight": [7, 0]})
    whole = tc.load(path)
    assert not whole.series("gradient_norm")
    assert not whole.series("weight_rms", "head")


def test_what_happened_on_any_rank_happened(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    parameter = {
        "name": "head.weight",
        "shape": [3, 4],
        "dtype": "float32",
        "requires_grad": True,
        "in_optimizer": True,
    }
    counts = (
        {"moved": 0, "gradient_zero": 5, "gradient_missing": 0},
        {"moved": 5, "gradient_zero": 0, "gradient_missing": 0},
    )
    failures = ({"step": 2, "what": "gradient"}, {"step": 2, "what": "loss"})
    for rank in (0, 1):
        facts = {
            "parameters": [parameter | counts[rank] | {"looks": 5, "learning_rate_zero": 0}],
            "non_finite": failures[rank],
            "gradient_cleared": {"looks": 4, "stale": 4 * rank},
            "targets": {"samples": 10, "classes": {"0": 10} if rank else {"1": 10}},
            "modes": {"passes": {"train": 5, "eval": 0}, "looks": 5, "evaluations": {"train": 0, "eval": rank},
                      "sensitive": [{"name": "drop", "kind": "Dropout", "eval_looks": 5 * rank, "trainable": False}]},
        }  # fmt: skip
        write(path, rank, facts=facts)
    facts = tc.load(path).facts
    entry = facts["parameters"][0]
    assert (entry["moved"], entry["gradient_zero"], entry["looks"]) == (5, 0, 5)
    assert facts["non_finite"] == {"step": 2, "what": "loss", "rank": 1}
    assert facts["gradient_cleared"] == {"looks": 8, "stale": 4}
    assert facts["targets"]["classes"] == {"1": 10, "0": 10}
    assert facts["targets"]["samples"] == 20
    modes = facts["modes"]
    assert (modes["passes"], modes["looks"], modes["evaluations"]) == (
        {"train": 10, "eval": 0},
        10,
        {"train": 0, "eval": 1},
    )
    assert modes["sensitive"][0]["eval_looks"] == 5


def test_the_first_rank_reads_for_all_once_they_have_closed(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    first, second = (tc.load(write(path, rank, series=loss(1.0))) for rank in (0, 1))
    assert of_all_ranks(second) is None
    whole = of_all_ranks(first)
    assert whole is not None
    assert len(whole.ranks) == 2
    rank_path(path, 1).unlink()
    whole = of_all_ranks(first, patience=0.0)  # it does not come
    assert whole is not None
    assert whole.facts["distributed"]["missing"] == {"1": "no file"}


def test_a_run_of_one_process_is_what_it_was(tmp_path: Path) -> None:
    file = ClinicFile(tmp_path / "run.clinic")
    file.put("steps", 1)
    recording = file.close()
    assert of_all_ranks(recording) is recording


def test_a_report_shows_ranks_in_every_format(tmp_path: Path) -> None:
    path = tmp_path / "run.clinic"
    write(path, 0, size=3, series=loss(2.0, 1.0) | {("gradient_norm", ""): (0.5,), ("validation_accuracy", ""): (0.9,)})
    broken = {"step": 1, "what": "loss", "loss": "nan", "gradients": [], "weights": []}
    write(path, 1, size=3, series=loss(4.0, math.nan), facts={"non_finite": broken}, ended="interrupted")
    diagnosis = tc.diagnose(path)
    tc.report(diagnosis, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert '<section id="ranks"><h2>Ranks side by side</h2>' in page
    assert '"name":"rank 0"' in page
    assert '"name":"rank 1"' in page
    assert '<th scope="row">2</th><td>–</td><td>no file</td>' in page
    tc.report(diagnosis, tmp_path / "r.json")
    ranks = json.loads((tmp_path / "r.json").read_text())["run"]["ranks"]
    assert [one["rank"] for one in ranks] == [0, 1, 2]
    assert ranks[0]["validation"] == {"accuracy": pytest.approx(0.9)}
    assert (ranks[1]["ended"], ranks[1]["loss"]) == ("interrupted", {"first": 4.0, "final": "NaN"})
    assert (ranks[1]["non_finite"]["what"], ranks[2]["missing"]) == ("loss", "no file")
    assert ("unequal-replicas", "rank 2 of 3: no file") in [(one.problem, one.why) for one in diagnosis.not_examined]
