"""Real processes with gloo: a world runs every scenario once, and leaves recordings and weights in a folder."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

PATIENCE = 240  # seconds until a world counts as hanging
NOT_MET, ATTEMPTS = 75, 4  # exit code of a rank that could not reach the others, and how often they try
PRELOAD = ["torch.distributed.fsdp", "torch.distributed.checkpoint.state_dict", "trainclinic"]
STEPS = 6
FEATURES, CLASSES, BATCH = 12, 3, 8  # samples a rank and step


def start(work: Callable[..., None], size: int, folder: Path, *args: Any) -> list[int | None]:
    """Run `work(rank, size, folder, *args)` in `size` processes; their exit codes, None for one that hung."""
    for attempt in range(ATTEMPTS):
        codes = _run(work, size, folder, attempt, args)
        if NOT_MET not in codes:
            break
    return codes


def _run(work: Callable[..., None], size: int, folder: Path, attempt: int, args: Any) -> list[int | None]:
    context = multiprocessing.get_context("forkserver")  # imports once, before any process group
    context.set_forkserver_preload(PRELOAD)
    meeting = folder / f"meeting-{attempt}"
    ranks = [
        context.Process(target=_begin, args=(work, rank, size, folder, meeting, args), daemon=True)
        for rank in range(size)
    ]
    for process in ranks:
        process.start()
    until = time.monotonic() + PATIENCE
    running = {process.sentinel for process in ranks}
    while running and time.monotonic() < until and NOT_MET not in [process.exitcode for process in ranks]:
        running -= set(wait(running, timeout=1.0))
    codes = [process.exitcode for process in ranks]
    for process in ranks:
        process.kill()
        process.join()
    return codes


def _begin(work: Callable[..., None], rank: int, size: int, folder: Path, meeting: Path, args: Any) -> None:
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    try:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
        dist.barrier()  # none may go before all are connected
    except RuntimeError:
        sys.exit(NOT_MET)  # gloo at times refuses a connection on a busy machine; nothing of ours has run yet
    work(rank, size, folder, *args)
    dist.barrier()
    dist.destroy_process_group()


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make the contents of `folder` once, also where several test processes share it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make(folder)
            (folder / "done").touch()
    return folder


def batch(step: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The global batch of one step, in the order of the ranks."""
    generator = torch.Generator().manual_seed(1000 + step)
    x = torch.randn(size * BATCH, FEATURES, generator=generator)
    return x, torch.randint(0, CLASSES, (size * BATCH,), generator=generator)


def share(step: int, rank: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One rank's part of it."""
    x, y = batch(step, size)
    return x[rank * BATCH : (rank + 1) * BATCH], y[rank * BATCH : (rank + 1) * BATCH]
