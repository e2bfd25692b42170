"""Timing: chunks of steps between chunks of the bare loop, ratios, and what they say of a whole run."""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from overhead_contenders import KINDS, WHOLE, Contender
from overhead_workloads import Training, Workload

RESAMPLES = 4000
RUNS = (1_000, 10_000)  # steps of the runs over which the cost of the default is spread
DIRECT_SHARE = 0.45  # of the time, at most, for the run measured directly
FIRST_ROUNDS = 3  # of every contender, so that none is without figures when time is short
Progress = Callable[[float], None]  # told the seconds done


@dataclass
class Ratios:
    """Time of a contender over time of the bare loop, pair by pair: wall clock, and CPU time as a second witness."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Median, quartiles and the bootstrap interval of the median."""
        if not self.wall:
            return {"pairs": 0}
        low, high = np.percentile(medians(self.wall), (2.5, 97.5))
        q1, q3 = np.percentile(self.wall, (25, 75))
        return {
            "pairs": len(self.wall),
            "ratio_median": round(statistics.median(self.wall), 4),
            "ratio_quartiles": [round(float(q1), 4), round(float(q3), 4)],
            "ratio_median_95": [round(float(low), 4), round(float(high), 4)],
            "cpu_ratio_median": round(statistics.median(self.cpu), 4),
        }


def medians(values: list[float], seed: int = 0) -> np.ndarray:
    """The median of each of RESAMPLES bootstrap resamples."""
    drawn = np.random.default_rng(seed).choice(np.asarray(values), (RESAMPLES, len(values)))
    return np.median(drawn, axis=1)


def timed(contender: Contender, steps: int, *, warm: int = 1, bare: bool = False) -> tuple[float, float]:
    """Wall and CPU seconds of `steps` steps, after `warm` that are not counted; `bare`: with the tool off."""
    if not bare:
        contender.on()
    for _ in range(warm):
        contender.step()
    _wait(contender)
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(steps):
        contender.step()
    _wait(contender)
    result = time.perf_counter() - wall, time.process_time() - cpu
    contender.off()
    return result


def _wait(contender: Contender) -> None:
    if contender.training.device.type == "cuda":
        torch.cuda.synchronize()


def interleave(
    workload: Workload, device: str, seconds: float, progress: Progress, names: Sequence[str] = tuple(KINDS)
) -> tuple[dict[str, Ratios], float]:
    """Time the kinds of contenders with these names for about `seconds`.

    A contender that can be detached is compared with itself: two trainings alike in all but where their memory lies
    differ by half a percent. For the peers there is a pool of bare trainings that take turns and are as old as
    they, as a step of a trained network can cost some percent more than one of a fresh network.

    Returns:
        The ratios by kind, and the median time of a bare step [s].
    """
    kinds = [name for name in names if KINDS[name].installed]
    found = {key: Ratios() for key in kinds}
    bare_steps: list[float] = []
    shuffle = random.Random(0)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        paths = {key: Path(folder, f"{key}.clinic") for key in kinds}
        contenders = {key: KINDS[key].make(Training(workload, device), paths[key]) for key in kinds}
        pool = [Contender(Training(workload, device)) for one in contenders.values() if not one.detachable]
        for contender in (*contenders.values(), *pool):
            stack.callback(contender.close)
            timed(contender, 2, warm=2)  # first steps allocate
        bare = itertools.cycle(pool)
        gc.collect()
        gc.freeze()
        begun, rounds = time.monotonic(), 0
        while time.monotonic() - begun < seconds or rounds < FIRST_ROUNDS:
            turn = [key for key in kinds if rounds % KINDS[key].each == 0 or rounds < FIRST_ROUNDS]
            shuffle.shuffle(turn)
            for key in turn:
                contender = contenders[key]
                before = timed(contender if contender.detachable else next(bare), workload.chunk, bare=True)
                one = timed(contender, workload.chunk)
                after = timed(contender if contender.detachable else next(bare), workload.chunk, bare=True)
                found[key].wall.append(2 * one[0] / (before[0] + after[0]))
                found[key].cpu.append(2 * one[1] / (before[1] + after[1]))
                bare_steps.append(after[0] / workload.chunk)
                progress(time.monotonic() - begun)
            rounds += 1
        gc.unfreeze()
    return found, statistics.median(bare_steps)


# -- what the default costs over a whole run


def shares(workload: Workload, steps: int) -> dict[str, float]:
    """Looks and steps in dead-unit windows, per step, over the first `steps` steps of the default's schedule."""
    from trainclinic.measure.schedule import UnitWindows, default_schedule
    from trainclinic.measure.signals.dead_unit_fraction import SAMPLES

    windows, look = UnitWindows(), 0
    length = -(-SAMPLES // workload.samples) if workload.samples else 1  # without a ReLU it closes at once
    looks, inside, opened = 0, 0, 0
    for step in range(steps):
        if step == look:
            looks += 1
            look = default_schedule(step)
        if windows.update(step):
            opened += 1
            inside += 1
            if opened == length:
                windows.finish(step)
                opened = 0
    return {"looks_per_step": looks / steps, "window_steps_per_step": inside / steps}


def spread_cost(found: dict[str, Ratios], workload: Workload, steps: int, bare_step: float) -> dict[str, Any]:
    """The default's ratio over a run of `steps` steps, from the kinds of step and how often each occurs."""
    share = shares(workload, steps)
    drawn = {
        key: np.concatenate(([statistics.median(found[key].wall)], medians(found[key].wall, seed)))
        for seed, key in enumerate(("plain", "look", "window", "flush"))
    }
    from trainclinic.clinic_file import FLUSH_EVERY

    plain = drawn["plain"]
    look, window = 2 * (drawn["look"] - plain), drawn["window"] - plain
    flush, flushes = drawn["flush"] - drawn["look"], bare_step / FLUSH_EVERY
    ratio = plain + share["looks_per_step"] * look + share["window_steps_per_step"] * window + flushes * flush
    low, high = np.percentile(ratio[1:], (2.5, 97.5))
    return {
        "steps": steps,
        "ratio": round(float(ratio[0]), 4),
        "ratio_95": [round(float(low), 4), round(float(high), 4)],
        "over_control": round(float(ratio[0]) / statistics.median(found["control"].wall), 4),
        "extra_per_look_bare_steps": round(float(look[0]), 4),
        "extra_per_window_step_bare_steps": round(float(window[0]), 4),
        "extra_per_flush_bare_steps": round(float(flush[0]), 4),
        "looks_per_step": round(share["looks_per_step"], 5),
        "window_steps_per_step": round(share["window_steps_per_step"], 5),
        "flushes_per_step": round(flushes, 5),
    }


def direct(workload: Workload, device: str, seconds: float, progress: Progress, repeats: int) -> dict[str, Any]:
    """The default as it is, from the first step on: every step counted, bare and watched chunks by turns.

    Over the repeats the median is taken chunk by chunk, so that one disturbance does not stand for a kind of step.
    When `seconds` have passed it ends: further repeats are left out, the first one is cut short.
    """
    steps, chunk, _ = workload.direct
    chunks = steps // chunk
    wall, cpu = np.empty((repeats, chunks, 2)), np.empty((repeats, chunks, 2))
    done = [0] * repeats
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(repeats):
            bare = Contender(Training(workload, device, repeat))
            path = Path(folder, f"{repeat}.clinic")
            watched = WHOLE["default"].make(Training(workload, device, repeat), path)
            timed(Contender(Training(workload, device)), 3)  # warms the process, not the two that are timed
            gc.collect()
            for index in range(chunks):
                if time.monotonic() - begun > seconds:
                    break
                done[repeat] = index + 1
                order = ((0, bare), (1, watched)) if (index + repeat) % 2 else ((1, watched), (0, bare))
                for column, contender in order:
                    wall[repeat, index, column], cpu[repeat, index, column] = timed(contender, chunk, warm=0)
                progress(time.monotonic() - begun)
            watched.close()
    chunks = done[0]
    repeats = max(1, sum(count == chunks for count in done))
    wall, cpu = wall[:repeats, :chunks], cpu[:repeats, :chunks]
    middle = np.median(wall, axis=0)
    drawn = np.random.default_rng(0).integers(0, chunks, (RESAMPLES, chunks))
    resampled = middle[drawn].sum(axis=1)
    low, high = np.percentile(resampled[:, 1] / resampled[:, 0], (2.5, 97.5))
    total, total_cpu = middle.sum(axis=0), np.median(cpu, axis=0).sum(axis=0)
    return {
        "steps": chunks * chunk,
        "repeats": repeats,
        "ratio": round(float(total[1] / total[0]), 4),
        "ratio_95": [round(float(low), 4), round(float(high), 4)],
        "cpu_ratio": round(float(total_cpu[1] / total_cpu[0]), 4),
        "ratio_of_each_repeat": [round(float(value), 4) for value in wall.sum(1)[:, 1] / wall.sum(1)[:, 0]],
    }


def measure(workload: Workload, device: str, minutes: float, progress: Progress, repeats: int) -> dict[str, Any]:
    """Everything about one workload; `progress` is told seconds of `minutes`."""
    begun = time.monotonic()
    run = direct(workload, device, DIRECT_SHARE * 60 * minutes, progress, repeats)
    spent = time.monotonic() - begun
    found, bare_step = interleave(
        workload, device, max(0.0, 60 * minutes - spent), lambda seconds: progress(spent + seconds)
    )
    missing = {"pairs": 0, "note": "not installed"}
    return {
        "bare_step_ms": round(1000 * bare_step, 3),
        "chunk_steps": workload.chunk,
        "kinds": {key: found[key].summary() if key in found else missing for key in KINDS},
        "default": {
            "direct_first_steps": run,
            "spread_same_steps": spread_cost(found, workload, run["steps"], bare_step),
            **{f"spread_{count}": spread_cost(found, workload, count, bare_step) for count in RUNS},
        },
    }
