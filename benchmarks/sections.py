"""Runs the sections of a benchmark one after the other and keeps each in one JSON file as soon as it is done."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Told = Callable[[float], None]  # the share that is done
Section = tuple[str, str, Callable[[Told], dict[str, Any]]]  # key, title, what measures it
Results = dict[str, Any]


def read(path: Path) -> Results:
    """The results so far."""
    return json.loads(path.read_text()) if path.exists() else {}


def pin(core: int | None) -> int | None:
    """Stay on one core, the last one that is allowed unless it is given; None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0)) if core is None else core
    os.sched_setaffinity(0, {core})
    return core


def run(
    path: Path, sections: Iterable[Section], device: str, core: int | None, complete: Callable[[Results], None]
) -> Results:
    """Measure each section, put its entries under the first word of its key, and write the file.

    Args:
        path: of the results; what other sections wrote there stays.
        sections: to measure, in this order.
        device: on which.
        core: to which the process was pinned.
        complete: adds what follows from all results, such as checks.
    """
    results = read(path)
    for key, title, section in sections:
        loads = [os.getloadavg()[0]]
        found = with_progress(title, section)
        loads.append(os.getloadavg()[0])
        part = results.setdefault(key.split(".")[0], {})
        part.update(found)
        part["machine"] = machine(device, core, loads)
        complete(results)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n")
    return results


def with_progress(title: str, section: Callable[[Told], dict[str, Any]]) -> dict[str, Any]:
    """What the section finds, behind a bar with the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("left"))
    # Drawn by hand at most once a second: a thread that draws would run inside the timed chunks.
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), auto_refresh=False) as bar:
        task = bar.add_task(title, total=1.0)
        last = [0.0]

        def told(share: float) -> None:
            bar.update(task, completed=min(share, 1.0))
            elapsed = bar.tasks[0].elapsed or 0.0
            if elapsed - last[0] > 1:
                last[0] = elapsed
                bar.refresh()

        found = section(told)
        bar.update(task, completed=1.0)
        bar.refresh()
    return found


def machine(device: str, core: int | None, loads: list[float]) -> dict[str, Any]:
    """Where and when."""
    import torch

    entry = {
        "date": time.strftime("%Y-%m-%d %H:%M %z"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "pinned_to_core": core,
        "threads": torch.get_num_threads(),
        "load_average_before_and_after": [round(load, 2) for load in loads],
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    return entry | ({"gpu": torch.cuda.get_device_name()} if device == "cuda" else {})


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def checked(what: str, value: float, limit: float, *, aim: bool = False) -> dict[str, Any]:
    """A requirement with its limit, the figure and whether it holds."""
    return {"what": what, "value": value, "limit": limit, "holds": value <= limit, "is_aim": aim}


def checks_table(found: list[dict[str, Any]]) -> Any:
    """What `checked` found, as a table."""
    from rich.table import Table

    table = Table(title="what was promised")
    for column in ("", "measured", "limit", ""):
        table.add_column(column, justify="right" if column else "left")
    for entry in found:
        verdict = "yes" if entry["holds"] else "aim missed" if entry["is_aim"] else "NO"
        table.add_row(entry["what"], f"{entry['value']:.3f}", f"{entry['limit']:.3f}", verdict)
    return table
