"""A bar with the time left, on stderr, for work that takes minutes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Progress = Callable[[str, float], None]  # what is being done, and the share of everything that is done [0..1]


@contextlib.contextmanager
def bar(shown: bool) -> Iterator[Progress]:
    """Where progress is told; nothing is shown unless asked for."""
    if not shown:
        yield lambda doing, share: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as shown_bar:
        task = shown_bar.add_task("", total=1.0)
        yield lambda doing, share: shown_bar.update(task, description=doing, completed=share)
