"""Measures what `scale.py` tells of: a long run, the steps of large networks, and whole processes that train them."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from overhead_other import peak_mb, resident_mb
from sections import Told

LONG = 100_000  # steps
POINT = 1_000  # steps a point of the figure
STRETCHES = (0, 1_000, *range(10_000, LONG, 10_000))  # where one begins
BARE_STEPS = 20  # by then a bare training holds all that it will
KINDS = ("control", "plain", "look", "window", "flush")


def long(device: str, told: Told, steps: int = LONG) -> dict[str, Any]:
    """So many steps of the tiny network, bare and watched by turns: what one costs, what is held, what is written."""
    from overhead_contenders import WHOLE, Contender
    from overhead_timing import Ratios, timed
    from overhead_workloads import WORKLOADS, Training

    workload = WORKLOADS["tiny"]
    points: list[dict[str, Any]] = []
    stretches: dict[int, Ratios] = {}
    with tempfile.TemporaryDirectory() as folder:
        bare = Contender(Training(workload, device))
        watched = WHOLE["default"].make(Training(workload, device), Path(folder, "run.clinic"))
        before = timed(bare, workload.chunk, warm=0)
        while watched.training.steps < steps:
            begin = max(start for start in STRETCHES if start <= watched.training.steps)
            stretch, times, bare_times = stretches.setdefault(begin, Ratios()), [], []
            for _ in range(POINT // workload.chunk):
                one, after = timed(watched, workload.chunk, warm=0), timed(bare, workload.chunk, warm=0)
                stretch.wall.append(2 * one[0] / (before[0] + after[0]))
                stretch.cpu.append(2 * one[1] / (before[1] + after[1]))
                times.append(one[0])
                bare_times.append(after[0])
                before = after
            points.append(
                {
                    "step": watched.training.steps,
                    "watched_step_us": _per_step(times, workload.chunk),
                    "bare_step_us": _per_step(bare_times, workload.chunk),
                    "resident_mb": round(resident_mb(), 2),
                    "file_kb": round(_size(Path(folder)) / 1e3, 1),
                }
            )
            told(watched.training.steps / steps)
        watched.close()
        closed = _size(Path(folder))
    return {
        "steps": steps,
        "stretches": {str(begin): ratios.summary() for begin, ratios in stretches.items()},
        "closed_file_kb": round(closed / 1e3, 1),
        "points": points,
    }


def _per_step(seconds: list[float], steps: int) -> float:
    return round(1e6 * statistics.median(seconds) / steps, 2)


def _size(folder: Path) -> int:
    """Bytes of the recording, with what SQLite keeps beside it while it is open."""
    return sum(path.stat().st_size for path in folder.iterdir())


# -- large networks


def network(name: str, device: str, told: Told, quick: bool) -> dict[str, Any]:
    """One network of `scale_workloads`: the kinds of steps beside the bare one, and whole processes."""
    from overhead_timing import RUNS, interleave, spread_cost
    from scale_workloads import SCALE, STEPS

    workload = SCALE[name]
    seconds = 1.0 if quick else 60 * workload.minutes
    found, bare_step = interleave(workload, device, seconds, lambda done: told(0.6 * done / seconds), KINDS)
    plain, look, window = (statistics.median(found[kind].wall) for kind in ("plain", "look", "window"))
    steps = min(STEPS[name], 50) if quick else STEPS[name]
    processes = {}
    for contender, count in (("bare", BARE_STEPS), ("default", steps)):
        processes[contender] = _measure_child(name, contender, count, device)
        told(0.8 if contender == "bare" else 1.0)
    return {
        "parameters": processes["default"]["parameters"],
        "bare_step_ms": round(1e3 * bare_step, 4),
        "plain_over_bare_us": round(1e6 * bare_step * (plain - statistics.median(found["control"].wall)), 2),
        "look_ms": round(1e3 * bare_step * 2 * (look - plain), 4),
        "window_over_plain_ms": round(1e3 * bare_step * (window - plain), 4),
        "kinds": {kind: ratios.summary() for kind, ratios in found.items()},
        "default": {f"spread_{count}": spread_cost(found, workload, count, bare_step) for count in RUNS},
        "memory_over_bare_mb": round(processes["default"]["peak_mb"] - processes["bare"]["peak_mb"], 1),
        "processes": processes,
    }


def _measure_child(name: str, contender: str, steps: int, device: str) -> dict[str, Any]:
    script = Path(__file__).with_name("scale.py")
    command = [sys.executable, str(script), "--child", name, contender, str(steps), "--device", device]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(name: str, contender: str, steps: int, device: str) -> dict[str, Any]:
    """In a process of its own: train for some steps; what is held, and what becomes of the recording."""
    import torch

    torch.set_num_threads(1)
    from overhead_contenders import WHOLE
    from overhead_workloads import Training
    from scale_workloads import SCALE

    if contender != "bare":
        import trainclinic  # noqa: F401 - its import is no part of attaching
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.clinic")
        training = Training(SCALE[name], device)
        parameters = sum(parameter.numel() for parameter in training.model.parameters())
        attach_s, one = _timed(lambda: WHOLE[contender].make(training, path))
        one.on()
        for _ in range(steps):
            one.step()
        one.off()
        found = {"steps": steps, "parameters": parameters, "peak_mb": round(peak_mb(), 1)}
        if contender != "bare":
            close_s, _ = _timed(one.close)
            found |= {"attach_s": attach_s, "close_s": close_s, "file_kb": round(path.stat().st_size / 1e3, 1)}
            found |= _report(path)
    return found


def _report(path: Path) -> dict[str, Any]:
    """How long the recording takes to read, to diagnose and to report, and how large the pages are."""
    import trainclinic

    load_s, recording = _timed(lambda: trainclinic.load(path))
    diagnose_s, diagnosis = _timed(lambda: trainclinic.diagnose(recording))
    found = {"layers": len(recording.layers), "load_s": load_s, "diagnose_s": diagnose_s}
    for kind in ("html", "json", "txt"):
        page = path.with_suffix(f".{kind}")
        found[f"{kind}_s"], _ = _timed(lambda page=page: trainclinic.report(diagnosis, page))
        found[f"{kind}_kb"] = round(page.stat().st_size / 1e3, 1)
    return found


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that it took, and what it returned."""
    begun = time.perf_counter()
    result = function()
    return round(time.perf_counter() - begun, 3), result
