"""What else a watch costs: memory, and bytes on disk."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Progress = Callable[[float], None]

MEMORY_STEPS = (6, 300)
REPEATS = {6: 3, 300: 1}
RECORDED_STEPS = 3000


# -- memory


def peak_mb() -> float:
    """Peak resident memory of this process [MB]; not `ru_maxrss`, which a child inherits from its parent."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6


def resident_mb() -> float:
    """Resident memory of this process now [MB]."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def child(workload: str, contender: str, steps: int, device: str) -> None:
    """In a process of its own: train, and print the peak memory."""
    import torch

    torch.set_num_threads(1)
    from overhead_contenders import WHOLE
    from overhead_workloads import WORKLOADS, Training

    with tempfile.TemporaryDirectory() as folder:
        one = WHOLE[contender].make(Training(WORKLOADS[workload], device), Path(folder, "run.clinic"))
        one.on()
        for _ in range(steps):
            one.step()
        peak = peak_mb()
        one.close()
    on_device = torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else None
    print(json.dumps({"peak": peak, "device": on_device}))


def _measure_child(workload: str, contender: str, steps: int, device: str) -> dict[str, Any]:
    script = Path(__file__).with_name("overhead.py")
    command = [sys.executable, str(script), "--child", workload, contender, str(steps), "--device", device]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def memory(workloads: list[str], device: str, progress: Progress) -> dict[str, Any]:
    """Peak memory of whole processes, bare and with each tool; two processes at a time."""
    from overhead_contenders import WHOLE

    jobs = [
        (workload, contender, steps)
        for steps in MEMORY_STEPS
        for workload in workloads
        for contender, kind in WHOLE.items()
        if kind.installed and (steps == MEMORY_STEPS[0] or contender in ("bare", "default", "every"))
        for _ in range(REPEATS[steps])
    ]
    seen: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    with ThreadPoolExecutor(2) as pool:
        for index, (job, result) in enumerate(
            zip(jobs, pool.map(lambda job: _measure_child(*job, device), jobs), strict=True)
        ):
            seen.setdefault(job, []).append(result)
            progress((index + 1) / len(jobs))
    found: dict[str, Any] = {}
    for (workload, contender, steps), results in seen.items():
        entry = found.setdefault(workload, {}).setdefault(f"{steps}_steps", {})
        entry[contender] = _memory_entry(results, entry.get("bare"))
    return found


def _memory_entry(results: list[dict[str, Any]], bare: dict[str, Any] | None) -> dict[str, Any]:
    errors = [result["error"] for result in results if "error" in result]
    if errors:
        return {"error": errors[0]}
    entry = {"peak_mb": round(statistics.median(result["peak"] for result in results), 1)}
    if results[0]["device"] is not None:
        entry["device_peak_mb"] = round(statistics.median(result["device"] for result in results), 1)
    if bare and "peak_mb" in bare:
        for key in list(entry):
            entry[key.replace("peak", "over_bare")] = round(entry[key] - bare[key], 1)
            entry[key.replace("peak_mb", "over_bare_percent")] = round(100 * (entry[key] / bare[key] - 1), 2)
    return entry


# -- bytes on disk


def recording(device: str, progress: Progress) -> dict[str, Any]:
    """Size of the file over the finite values that a reader gets out of it, on mlp."""
    import numpy as np
    from overhead_contenders import WHOLE
    from overhead_workloads import WORKLOADS, Training

    import trainclinic

    found: dict[str, Any] = {}
    contenders = ("default", "every")
    for turn, contender in enumerate(contenders):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "run.clinic")
            one = WHOLE[contender].make(Training(WORKLOADS["mlp"], device), path)
            one.on()
            for step in range(RECORDED_STEPS):
                one.step()
                progress((turn + step / RECORDED_STEPS) / len(contenders))
            one.off()
            one.close()
            series = trainclinic.load(path)._series.values()
            values = sum(int(np.isfinite(entry.values).sum()) for entry in series)
            size = path.stat().st_size
        found[contender] = {
            "steps": RECORDED_STEPS,
            "finite_values": values,
            "file_bytes": size,
            "bytes_per_value": round(size / values, 3),
            "bytes_per_value_beyond_empty": round((size - _empty_bytes(device)) / values, 3),
        }
    return found


def _empty_bytes(device: str) -> int:
    """Size of the file of a run of one step: tables, facts and layers."""
    from overhead_contenders import WHOLE
    from overhead_workloads import WORKLOADS, Training

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.clinic")
        one = WHOLE["every"].make(Training(WORKLOADS["mlp"], device), path)
        one.on()
        one.step()
        one.off()
        one.close()
        return path.stat().st_size
