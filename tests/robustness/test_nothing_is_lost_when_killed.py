"""A watched run that is killed leaves a recording that opens and lacks at most the last second."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from a_run import attach_and_wait, processes, train_until_killed

import trainclinic as tc
from trainclinic.clinic_file import FLUSH_EVERY, ClinicFile
from trainclinic.errors import RecordingError

KILLS = 20
LONGEST = 4.0  # seconds from the first step to the kill


def logged(log):
    """The steps that were done: (time of the end, loss) of each; a line that the kill cut short does not count."""
    lines = [line.split() for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    assert [int(step) for step, *_ in lines] == list(range(len(lines)))
    return [(float(at), float(loss)) for _, at, loss in lines]


def due(done):
    """How many steps the file must hold, by the run's own clock.

    The last step was made when its predecessor had ended: whatever was older than FLUSH_EVERY by then was written
    then, if not before.
    """
    return sum(at <= done[-2][0] - FLUSH_EVERY for at, _ in done) if len(done) > 1 else 0


def test_killed_at_random_moments(tmp_path):
    chance = random.Random(7)
    runs = [(tmp_path / f"{number}.clinic", tmp_path / f"{number}.log") for number in range(KILLS)]
    alive = [processes.Process(target=train_until_killed, args=run) for run in runs]
    for process in alive:
        process.start()
    kills = []
    deadline = time.monotonic() + 60
    while not all(log.exists() and log.stat().st_size for _, log in runs):
        assert time.monotonic() < deadline, "a run did not start"
        time.sleep(0.01)
    started = time.monotonic()
    for moment, process in sorted(
        zip((chance.uniform(0, LONGEST) for _ in runs), alive, strict=True), key=lambda x: x[0]
    ):
        time.sleep(max(0.0, started + moment - time.monotonic()))
        process.kill()
        kills.append(moment)
    for process in alive:
        process.join()
        assert process.exitcode == -9
    held = []
    for path, log in runs:
        done, recording = logged(log), tc.load(path)
        loss = recording.series("loss")
        assert len(loss) == recording.steps >= due(done)
        assert loss.steps.tolist() == list(range(recording.steps))
        known = min(len(loss), len(done))  # the kill may have come between the flush and the log
        assert known >= len(loss) - 1
        assert loss.values[:known].tolist() == [float(np.float32(value)) for _, value in done[:known]]
        assert recording.ended == "unknown"
        if due(done):
            assert [layer.name for layer in recording.layers] == ["0", "1", "3"]
            assert [entry["name"] for entry in recording.facts["parameters"]] == [
                "0.weight", "0.bias", "3.weight", "3.bias",
            ]  # fmt: skip
            assert recording.environment["optimizer"] == "AdamW"
            assert recording.units["gradient_rms"] == "loss/1"
            assert len(recording.series("gradient_rms", "3"))
        held.append(due(done))
    assert sum(steps > 0 for steps in held) > KILLS / 2, "most lived long enough to say something"


def test_killed_before_the_first_step(tmp_path):
    path, ready = tmp_path / "run.clinic", processes.Event()
    process = processes.Process(target=attach_and_wait, args=(path, ready))
    process.start()
    assert ready.wait(60)
    process.kill()
    process.join()
    recording = tc.load(path)
    assert (recording.steps, recording.signals, recording.ended) == (0, (), "unknown")


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02])
def test_killed_while_attaching(delay, tmp_path):
    """What is left is nothing, or an empty recording; either way the next run can have the path."""
    path, ready = tmp_path / "run.clinic", processes.Event()
    process = processes.Process(target=attach_and_wait, args=(path, ready))
    process.start()
    while not path.exists():
        time.sleep(0.0005)
    time.sleep(delay)
    process.kill()
    process.join()
    try:
        assert tc.load(path).steps == 0
    except RecordingError as error:
        assert "expected a .clinic recording" in str(error)  # noqa: PT017
    file = ClinicFile(path)
    file.put("steps", 1)
    assert file.close().steps == tc.load(path).steps == 1
