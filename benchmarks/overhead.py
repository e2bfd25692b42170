"""What a watch costs: `overhead.py [--quick] [--timing] [--memory] [--recording] [--device cuda]`.

**How it is paired.** One training per contender lives in one process, on one thread and one core, from the same
seed and with the same batches. They run in chunks of a few steps (mlp 8, cnn and gpt 2), and the first step of each
chunk is not counted. Each contender's chunk stands between two bare chunks and its ratio is to their mean, so that a
machine that slows down or speeds up evenly does not count; the order of the contenders is shuffled in every round.
The bare chunks are of the same training, with the watch taken off: two trainings alike in all but where their memory
lies differ by half a percent, as much as is to be measured. A peer cannot be taken off and put back: it stands between
chunks of bare trainings that take turns and are as old as it, since on mlp a step of the trained network costs 2-3 %
more than one of the fresh network. The A/A control is a bare training between chunks of itself. Reported: number of
pairs, median, quartiles, and the 95 % bootstrap interval of the median. On a GPU the device is waited for at the
borders of a chunk. The ratio of CPU times stands beside the ratio of wall times: other processes disturb it less.

**Why the default is not one median.** The default looks at few steps (8 in a row, then ever fewer, at last one
in 200), gathers dead units in windows and writes to the disk once a second. A median over steps would see none
of that. So the parts are timed apart:

    plain   a step not looked at                       `watch(every=1e9)`, windows shut
    look    one isolated look: hooks set, everything   `watch(every=2)`, windows shut: every other step is
            measured, hooks removed, and the step      looked at, so one look costs 2 x (look - plain)
            before it, that keeps a gradient sample
    window  a step inside a dead-unit window           `watch(every=1e9)`, windows always open
    flush   what writing to the disk costs             like `look`, written out at every step

and added up with the share that each has in the first 1,000 and 10,000 steps, by the package's own schedule,
and one flush a second: `spread`. Its interval comes from resampling every part. Windows are shut and opened by
exchanging one object of the watch, flushes made frequent by setting FLUSH_EVERY; nothing else is touched.

**The check on that**: `direct` is the default untouched, from its very first step, every step counted (1,000
steps of mlp and cnn, 60 of gpt; fewer on a slow machine, the file says how many), the ratio of the sums;
`spread_same_steps` is the sum of the parts for the same steps. The two must agree.

`--memory`: peak resident memory of processes of their own, after 6 and 300 steps. `--recording`: bytes of the
file over finite values in it. Each writes its part of `benchmarks/results/overhead-<device>.json` and leaves the
other parts alone. Long runs and large models are in `scale.py`. Keys end in their unit (`_ms`, `_us`, `_mb`,
`_percent`, `_bytes`); ratios, shares and counts are pure numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import overhead_other as other
import sections

RESULTS = Path(__file__).with_name("results")
NETWORKS = ("mlp", "cnn", "gpt")
AIMS = {"mlp": 1.15, "cnn": 1.06, "gpt": 1.03}  # every signal on every step


def main() -> None:
    options = _options()
    if options.child:
        workload, contender, steps = options.child
        other.child(workload, contender, int(steps), options.device)
        return
    # The processes whose memory is measured run wherever they like.
    core = None if options.memory else sections.pin(options.core)
    import torch

    torch.set_num_threads(1)
    path = options.output or RESULTS / f"overhead-{'quick-' if options.quick else ''}{options.device}.json"
    results = sections.run(path, _sections(options), options.device, core, _complete)
    show(results)
    print(f"written to {path}")


def _complete(results: dict[str, Any]) -> None:
    results["method"] = "see the docstring of benchmarks/overhead.py"
    results["checks"] = checks(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a watch costs; method: see this file's docstring.")
    parser.add_argument("--quick", action="store_true", help="mlp only, about 80 s, into a file of its own")
    parser.add_argument("--memory", action="store_true", help="peak memory; about 8 min")
    parser.add_argument("--recording", action="store_true", help="bytes per value; about 1.5 min")
    parser.add_argument("--timing", action="store_true", help="the time of a step; the default, about 25 min")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--only", choices=NETWORKS, action="append", help="this network; may be repeated")
    parser.add_argument("--minutes", type=float, help="for each network, instead of 6, 9 and 10")
    parser.add_argument("--core", type=int, help="core to run on; the last one that is allowed unless given")
    parser.add_argument("--output", type=Path, help="instead of benchmarks/results/overhead-<device>.json")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _sections(options: argparse.Namespace) -> list[sections.Section]:
    networks = ["mlp"] if options.quick else list(options.only or NETWORKS)
    found: list[sections.Section] = []
    if options.memory:
        found.append(("memory", "peak memory", lambda told: other.memory(networks, options.device, told)))
    if options.recording:
        found.append(("recording", "bytes per value", lambda told: other.recording(options.device, told)))
    if options.timing or not found:
        found += [_timing(network, options) for network in networks]
    return found


def _timing(network: str, options: argparse.Namespace) -> sections.Section:
    def run(told: sections.Told) -> dict[str, Any]:
        from overhead_timing import measure
        from overhead_workloads import WORKLOADS

        workload = WORKLOADS[network]
        minutes = options.minutes or (1.3 if options.quick else workload.minutes)
        repeats = 1 if options.quick else workload.direct[2]
        return {
            network: measure(workload, options.device, minutes, lambda seconds: told(seconds / 60 / minutes), repeats)
        }

    return f"timing.{network}", f"overhead on {network}", run


# -- what was promised


def checks(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Each requirement with its limit, the figure and whether it holds; only for what has been measured."""
    found: list[dict[str, Any]] = []

    def add(*what: Any, **how: Any) -> None:
        found.append(sections.checked(*what, **how))

    for network in NETWORKS:
        timing = results.get("timing", {}).get(network)
        if timing:
            _check_timing(network, timing, add)
        for steps, entries in results.get("memory", {}).get(network, {}).items():
            bare = entries["bare"].get("peak_mb")
            for contender in ("default", "every"):
                if bare and "over_bare_mb" in entries.get(contender, {}):
                    what = f"{network}, {steps.replace('_', ' ')}: memory over bare, {contender} [MB]"
                    add(what, entries[contender]["over_bare_mb"], round(max(10.0, 0.05 * bare), 1))
    for contender, entry in results.get("recording", {}).items():
        if contender != "machine":
            add(f"bytes per value kept, {contender}", entry["bytes_per_value"], 4.5)
    return found


def _check_timing(network: str, timing: dict[str, Any], add: Callable[..., None]) -> None:
    for steps in (1_000, 10_000):
        spread = timing["default"][f"spread_{steps}"]
        add(f"{network}: default over A/A, {steps:,} steps", spread["over_control"], 1.02)
        add(f"{network}: default, {steps:,} steps, upper 95 %", spread["ratio_95"][1], 1.05)
    every, audit = (timing["kinds"][key].get("ratio_median") for key in ("every", "audit"))
    add(f"{network}: every signal on every step", every, AIMS[network], aim=True)
    if network == "mlp" and audit:
        add("mlp: every signal on every step, against torch-audit", every, audit)


# -- tables


def show(results: dict[str, Any]) -> None:
    """Everything measured so far, as tables."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120)
    if "timing" in results:
        console.print(_timing_table(results["timing"]))
    for network, entries in results.get("memory", {}).items():
        if network != "machine":
            console.print(_memory_table(network, entries))
    console.print(sections.checks_table(results["checks"]))


def _timing_table(timing: dict[str, Any]) -> Any:
    from overhead_contenders import KINDS
    from rich.table import Table

    networks = [network for network in NETWORKS if network in timing]
    title = "time of a step over the bare loop: median, quartiles, n pairs"
    table = Table(title=title, caption="in ( ): 95 %")
    table.add_column("")
    for network in networks:
        table.add_column(f"{network}\n{timing[network]['bare_step_ms']:.1f} ms", justify="right")
    for key, kind in KINDS.items():
        table.add_row(kind.title, *(_ratio(timing[network]["kinds"][key]) for network in networks))
        if key == "control":
            for part in ("spread_1000", "spread_10000", "direct_first_steps", "spread_same_steps"):
                cells = (_spread(timing[network]["default"][part]) for network in networks)
                table.add_row(_PARTS[part], *cells)
    return table


_PARTS = {
    "spread_1000": "trainclinic, default, run of 1,000 steps",
    "spread_10000": "trainclinic, default, run of 10,000 steps",
    "direct_first_steps": "  default, measured directly",
    "spread_same_steps": "  default, same steps from the parts:",
}


def _ratio(entry: dict[str, Any]) -> str:
    if not entry["pairs"]:
        return entry.get("note", "-")
    (q1, q3), (low, high) = entry["ratio_quartiles"], entry["ratio_median_95"]
    return f"{entry['ratio_median']:.3f} {q1:.3f}-{q3:.3f} n={entry['pairs']}\n({low:.3f}-{high:.3f})"


def _spread(entry: dict[str, Any]) -> str:
    low, high = entry["ratio_95"]
    return f"{entry['ratio']:.4f} ({low:.3f}-{high:.3f})\n{entry['steps']:,} steps"


def _memory_table(network: str, entries: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(title=f"{network}: peak memory")
    for column in ("", "steps", "peak [MB]", "over bare [MB]", "over bare [%]"):
        table.add_column(column, justify="right" if column else "left")
    for steps, contenders in entries.items():
        for contender, entry in contenders.items():
            figures = (entry.get(key) for key in ("peak_mb", "over_bare_mb", "over_bare_percent"))
            table.add_row(contender, steps.split("_")[0], *("" if f is None else f"{f:.1f}" for f in figures))
    return table


if __name__ == "__main__":
    main()
