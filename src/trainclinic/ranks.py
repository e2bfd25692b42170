"""ranks: the recordings of all ranks of one distributed run, read as one.

A run on n processes leaves `run.rank0.clinic` … `run.rank<n-1>.clinic`; "run.clinic" names them all. Nothing is summed
over ranks while the training runs (docs/decisions/0007), so it is done here, when the files are read. How each signal
is put together stands in `rank_series.py`.
"""

from __future__ import annotations

import glob
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from trainclinic.clinic_reader import load as load_file
from trainclinic.errors import RecordingError
from trainclinic.rank_series import merged_series
from trainclinic.recording import Recording

_POLL = 0.05  # seconds
_SKEW = 10.0  # seconds by which the ranks of one run may differ in their clocks and in when they begin
_DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


def rank_path(path: Path, rank: int) -> Path:
    """The file of one rank: `run.clinic` → `run.rank0.clinic`."""
    return path.with_name(f"{path.stem}.rank{rank}{path.suffix}")


def load(path: str | Path) -> Recording:
    """Read a recording: a `.clinic` file, or those of all ranks of a distributed run under the name they share.

    Raises:
        RecordingError: there is no such file, it is not a recording, or a newer trainclinic wrote it.
    """
    path = Path(path)
    files = _files(path)
    if not files or (path.is_file() and path.stat().st_mtime > max(file.stat().st_mtime for file in files.values())):
        return load_file(path)
    found, missing = _read(files)
    try:
        return merged(found, missing, path)
    except _DAMAGE as error:
        raise RecordingError(f"{path}: expected the recordings of one run's ranks, but they cannot be put together "
                             f"({error}); read one of them, such as {files[min(files)]}") from error  # fmt: skip


def of_all_ranks(recording: Recording, patience: float = 10.0) -> Recording | None:
    """The whole run, given what one rank recorded: for rank 0 once the others have closed their files.

    Args:
        recording: of this rank.
        patience: how long to wait for them [s]; of a rank that has not ended by then, what is there is read.

    Returns:
        The recording itself for a run of one process; None for every rank but the first.
    """
    facts = recording.facts.get("distributed")
    if facts is None or recording.path is None:
        return recording
    if facts["rank"]:
        return None
    path = recording.path.with_name(recording.path.stem.removesuffix(".rank0") + recording.path.suffix)
    others = [rank_path(path, rank) for rank in range(1, facts["world_size"])]
    until = time.monotonic() + patience
    while time.monotonic() < until and not all(map(_closed, others)):
        time.sleep(_POLL)
    return load(path)


def _closed(file: Path) -> bool:
    """Whether its writer has let go; it is not opened for that, which would stand in the writer's way."""
    return file.is_file() and not file.with_name(file.name + "-wal").exists()


def _files(path: Path) -> dict[int, Path]:
    """Rank → file."""
    pattern = f"{glob.escape(path.stem)}.rank*{glob.escape(path.suffix)}"
    found = {}
    for file in path.parent.glob(pattern):
        number = re.fullmatch(r"\.rank(\d+)", file.name.removeprefix(path.stem).removesuffix(path.suffix))
        if number and file.is_file():
            found[int(number[1])] = file
    return dict(sorted(found.items()))


def _read(files: dict[int, Path]) -> tuple[dict[int, Recording], dict[int, str]]:
    """Recordings of the newest run by rank, and why there is none of the others."""
    found, missing, failures = {}, {}, []
    for rank, file in files.items():
        try:
            found[rank] = load_file(file)
        except RecordingError as error:
            missing[rank] = "its file cannot be read"
            failures.append(error)
    if not found:
        raise failures[0]
    newest = max(found.values(), key=_started)
    size = newest.facts.get("distributed", {}).get("world_size", len(found))
    for rank, one in list(found.items()):
        earlier = files[rank].stat().st_mtime < _started(newest) - _SKEW  # of a run before this one
        if rank >= size or earlier or not one.steps:
            del found[rank]
            missing.setdefault(rank, "no file" if rank >= size or earlier else "no step")
    if not found:
        raise RecordingError(
            f"{next(iter(files.values()))}: expected at least one optimizer step, got none on any rank"
        )
    return found, {rank: missing.get(rank, "no file") for rank in range(size) if rank not in found}


def _started(recording: Recording) -> float:
    return float(recording.facts.get("distributed", {}).get("started", 0.0))


def merged(found: dict[int, Recording], missing: dict[int, str], path: Path | None = None) -> Recording:
    """One recording of the whole run.

    Args:
        found: rank → what it recorded, at least one step.
        missing: rank → why there is nothing of it.
        path: the name the files share.
    """
    ranks = [found[rank] for rank in sorted(found)]
    layers = {layer.name: layer for one in reversed(ranks) for layer in one.layers}
    facts = _merged_facts(ranks)
    facts["distributed"] = {
        **facts.get("distributed", {}),
        "world_size": len(found) + len(missing),
        "ranks": sorted(found),
        "missing": {str(rank): why for rank, why in sorted(missing.items())},
    }
    return Recording(
        layers=tuple(sorted(layers.values(), key=lambda layer: layer.position)),
        units={signal: unit for one in ranks for signal, unit in one.units.items()},
        facts=facts,
        environment=ranks[0].environment,
        ended=_ended(found),
        path=path,
        ranks=tuple(ranks),
        _series=merged_series(ranks, complete=not missing),
    )


def _ended(found: dict[int, Recording]) -> str:
    """As all ranks ended, or as the one that explains the others: broken off, then failed."""
    order = sorted(found, key=lambda rank: (found[rank].ended != "unknown", found[rank].ended == "completed", rank))
    ended = found[order[0]].ended
    said = "broken off (its file was never closed)" if ended == "unknown" else ended
    return said if ended == "completed" else f"rank {order[0]}: {said}"


# -- facts


def _merged_facts(ranks: Sequence[Recording]) -> dict[str, Any]:
    """Rank 0's, but what happened on any rank happened, and counts are those of all ranks."""
    every = [one.facts for one in ranks]
    facts = dict(every[0])
    facts["steps"] = min(one.steps for one in ranks)
    facts["loss"] = max((one.get("loss", {}) for one in every), key=len)
    facts["parameters"] = _by_name(every, "parameters", _merged_parameter)
    facts["foreign"] = _by_name(every, "foreign", lambda same: same[0] | {"moved": any(e["moved"] for e in same)})
    facts["gradient_cleared"] = _added([one.get("gradient_cleared", {}) for one in every])
    facts["modes"] = _merged_modes([one.get("modes", {}) for one in every])
    facts["targets"] = _merged_targets([one.get("targets", {}) for one in every])
    failures = [
        {**one.facts["non_finite"], "rank": one.facts.get("distributed", {}).get("rank")}
        for one in ranks
        if one.facts.get("non_finite")
    ]
    facts["non_finite"] = min(failures, key=lambda one: (one["step"], one["what"] == "gradient"), default=None)
    return facts


def _by_name(every: Iterable[dict[str, Any]], topic: str, merge: Any) -> list[dict[str, Any]]:
    named: dict[str, list[dict[str, Any]]] = {}
    for facts in every:
        for entry in facts.get(topic, []):
            named.setdefault(entry["name"], []).append(entry)
    return [merge(same) for same in named.values()]


def _merged_parameter(same: list[dict[str, Any]]) -> dict[str, Any]:
    """It moved, or had a gradient, where that is so on any rank: of a shard a rank sees its part alone."""
    counts = {"looks", "gradient_missing", "gradient_zero", "learning_rate_zero"}
    entry = same[0] | {key: min(one[key] for one in same) for key in counts & set(same[0])}
    entry["moved"] = max(one["moved"] for one in same)
    return entry | {key: any(one[key] for one in same) for key in ("requires_grad", "in_optimizer")}


def _merged_modes(every: list[dict[str, Any]]) -> dict[str, Any]:
    found = dict(every[0])
    for key in ("passes", "evaluations"):
        found[key] = _added([modes.get(key, {}) for modes in every])
    found["looks"] = sum(modes.get("looks", 0) for modes in every)

    def added(same: list[dict[str, Any]]) -> dict[str, Any]:
        return same[0] | {"eval_looks": sum(one["eval_looks"] for one in same)}

    return found | {"sensitive": _by_name(every, "sensitive", added)}


def _merged_targets(every: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and spread are rank 0's; classes and samples are counted over all ranks."""
    found = dict(every[0])
    if all("classes" in targets for targets in every):
        found["classes"] = _added([targets["classes"] for targets in every])
    return found | {"samples": sum(targets.get("samples", 0) for targets in every)}


def _added(every: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in every:
        for key, count in counts.items():
            total[key] = total.get(key, 0) + count
    return total
