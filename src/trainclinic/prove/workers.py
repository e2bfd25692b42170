"""Workers: where runs are made. Results come in the order of submission: more workers change nothing but the time."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import Any

import cloudpickle
import torch

from trainclinic.errors import TrainclinicError, warn
from trainclinic.prove.pairs import Job, Run, run, run_packed

ATTEMPTS = 3  # at a run whose worker was lost


class Workers:
    """Makes runs here, in processes of its own, or wherever an executor makes them.

    Args:
        workers: processes, each with one thread; 1 makes the runs in this process.
        executor: any `concurrent.futures.Executor` instead, such as Dask's.
    """

    def __init__(self, workers: int = 1, executor: Executor | None = None) -> None:
        self._count, self._given = workers, executor
        self._pool: Executor | None = executor

    def runs(self, jobs: Sequence[Job]) -> Iterator[Run]:
        """The runs, in the order of the jobs; with one worker each is made when it is asked for."""
        packed = self._packed(jobs) if self._given is not None or self._count > 1 else None
        if packed is None:
            yield from map(run, jobs)
            return
        waiting = [self._submit(job) for job in packed]
        try:
            for index, job in enumerate(packed):
                yield cloudpickle.loads(self._result(index, job, packed, waiting))
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """End the processes that were started here, also in the middle of a run: nobody waits for it any more."""
        if self._pool is not None and self._given is None:
            processes = list((getattr(self._pool, "_processes", None) or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            for process in processes:
                process.join()
            self._pool = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _packed(self, jobs: Sequence[Job]) -> list[bytes] | None:
        try:
            return [cloudpickle.dumps(job) for job in jobs]
        except Exception as error:
            warn(f"make: it cannot travel to another process ({error}); the runs are made one after the other, here")
            self._count, self._given = 1, None
            return None

    def _submit(self, job: bytes) -> Future[bytes]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._count, mp_context=context, initializer=_prepared)
        with _ctrl_c_held():  # processes that it starts inherit that, from their first line on
            return self._pool.submit(run_packed, job)

    def _result(self, index: int, job: bytes, packed: Sequence[bytes], waiting: list[Future[bytes]]) -> bytes:
        """A run whose worker is lost is made again, and so are those that were lost with it; none counts twice."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return waiting[index].result()
            except TrainclinicError:
                raise
            except Exception as error:
                if attempt == ATTEMPTS or not _lost(error):
                    raise
                self._renew(error)
                for place in range(index, len(waiting)):
                    done = waiting[place].done() and not waiting[place].cancelled()
                    if not done or waiting[place].exception() is not None:
                        waiting[place] = self._submit(packed[place])
        raise AssertionError("unreachable")

    def _renew(self, error: Exception) -> None:
        if self._given is None and isinstance(error, BrokenExecutor):
            with contextlib.suppress(Exception):
                self.close()
            self._pool = None


def _lost(error: Exception) -> bool:
    """Whether the worker went away, as opposed to the run having failed."""
    return isinstance(error, BrokenExecutor | ConnectionError | EOFError) or type(error).__name__ in (
        "KilledWorker", "CancelledError", "CommClosedError", "FutureCancelledError",
    )  # fmt: skip


@contextlib.contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """A Ctrl-C inside comes after it, where the system can hold it back."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepared() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal; ours decides
