"""How a watch scales: `scale.py [--quick] [--long] [--layers] [--wide] [--resume]`.

Bare trainings and watched ones run by turns in one process, on one thread and one core, as in `overhead.py`, whose
pieces do the timing.

**long**: 100,000 steps of a tiny network (2 hidden layers of 32, a step of 0.2 ms), the default untouched. All steps of
both trainings are timed, in chunks of 100: from step 500 on each chunk holds one look. Every chunk's ratio is to the
bare chunks around it; reported for stretches of the run, with pairs, quartiles and the 95 % interval of the median.
Every 1,000 steps: the resident memory of the process, which holds both trainings, and the size of the recording
with what SQLite keeps beside it while it is open. The watch writes once a second of clock time; as the bare training
runs in between, it writes twice as often per step as it would alone.

**layers**: networks of 10, 100 and 1,000 layers Linear 16 + ReLU, batch 8: so small that the cost is all calls.
**wide**: one Linear with 100 million parameters, and an Embedding with as many and sparse gradients: here it is all
bytes. (About 9 GB of memory: ten of them are trained by turns.) For each network

    plain_over_bare_us     what a step that is not looked at takes, over the A/A control
    look_ms                what one look takes: 2 x (every second step looked at - plain)
    window_over_plain_ms   what a step in a dead-unit window takes more
    default.spread_N       the default over a run of N steps, added up as in `overhead.py`
    memory_over_bare_mb    peak resident memory of a process that trains watched over one that trains bare
    processes.default      of that process: seconds to attach, close, read, diagnose and report; sizes

The modules of trainclinic, NumPy's file reading and SQLite are in `memory_over_bare_mb`.

Each network is written to `benchmarks/results/scale.json` as soon as it is done; `--resume` leaves out what is
there. `--quick` takes three rounds of each, into `scale-quick.json`. Keys end in their unit; ratios and counts are
pure numbers.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

import scale_measure as measure
import sections

RESULTS = Path(__file__).with_name("results")
LAYERS = ("layers-10", "layers-100", "layers-1000")
WIDE = ("wide", "embedding")
QUICK_STEPS = 5_000


def main() -> None:
    options = _options()
    if options.child:
        import json

        name, contender, steps = options.child
        print(json.dumps(measure.child(name, contender, int(steps), options.device)))
        return
    core = sections.pin(options.core)
    import torch

    torch.set_num_threads(1)
    path = options.output or RESULTS / f"scale{'-quick' if options.quick else ''}.json"
    results = sections.run(path, _sections(options, sections.read(path)), options.device, core, _complete)
    show(results)
    print(f"written to {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How a watch scales; method: see this file's docstring.")
    parser.add_argument("--quick", action="store_true", help="about 3 min, into a file of its own")
    parser.add_argument("--long", action="store_true", help="100,000 steps; about 2 min")
    parser.add_argument("--layers", action="store_true", help="10, 100 and 1,000 layers; about 6 min")
    parser.add_argument("--wide", action="store_true", help="100 million parameters; about 5 min")
    parser.add_argument("--resume", action="store_true", help="leave out what the file has already")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--core", type=int, help="core to run on; the last one that is allowed unless given")
    parser.add_argument("--output", type=Path, help="instead of benchmarks/results/scale.json")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def _sections(options: argparse.Namespace, known: sections.Results) -> list[sections.Section]:
    everything = not (options.long or options.layers or options.wide)
    found: list[sections.Section] = []
    if (options.long or everything) and not (options.resume and "long" in known):
        steps = QUICK_STEPS if options.quick else measure.LONG
        found.append(("long", f"{steps:,} steps", lambda told: measure.long(options.device, told, steps)))
    names = (LAYERS if options.layers or everything else ()) + (WIDE if options.wide or everything else ())
    for name in names:
        if not (options.resume and name in known.get("networks", {})):
            found.append((f"networks.{name}", name, functools.partial(_network, name, options)))
    return found


def _network(name: str, options: argparse.Namespace, told: sections.Told) -> dict[str, Any]:
    return {name: measure.network(name, options.device, told, options.quick)}


def _complete(results: sections.Results) -> None:
    results["method"] = "see the docstring of benchmarks/scale.py"
    results["checks"] = checks(results)


def checks(results: sections.Results) -> list[dict[str, Any]]:
    """Each requirement with its limit, the figure and whether it holds; only for what has been measured."""
    found = _check_long(results["long"]) if "long" in results else []
    networks = results.get("networks", {})
    for name in (*LAYERS, *WIDE):
        if name in networks:
            limit = 80.0 if name == "layers-1000" else 25.0
            found.append(
                sections.checked(f"{name}: memory over bare [MB]", networks[name]["memory_over_bare_mb"], limit)
            )
    if "layers-1000" in networks:
        process = networks["layers-1000"]["processes"]["default"]
        seconds = sum(process[key] for key in ("load_s", "diagnose_s", "html_s"))
        found.append(sections.checked("1,000 layers: from the file to the page [s]", seconds, 10.0))
        found.append(sections.checked("1,000 layers: the page [MB]", process["html_kb"] / 1e3, 8.0))
    return found


def _check_long(entry: dict[str, Any]) -> list[dict[str, Any]]:
    if entry["steps"] < measure.LONG:
        return []
    early, late = (entry["stretches"][str(begin)]["ratio_median"] for begin in (10_000, measure.STRETCHES[-1]))
    held = {point["step"]: point["resident_mb"] for point in entry["points"]}
    growth = held[measure.LONG] - held[10_000]
    return [
        sections.checked("a step around 95,000 over one around 15,000", late / early, 1.05),
        sections.checked("memory that 90,000 further steps add [MB]", growth, 5.0),
    ]


# -- tables


def show(results: sections.Results) -> None:
    """Everything measured so far, as tables."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120)
    if "long" in results:
        console.print(_long_table(results["long"]))
    if "networks" in results:
        console.print(_networks_table(results["networks"]))
    console.print(sections.checks_table(results["checks"]))


def _long_table(entry: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(title="the long run, tiny network; at the end of each stretch")
    for column in ("step", "over bare", "watched [us]", "bare [us]", "resident [MB]", "file [kB]"):
        table.add_column(column, justify="right")
    begins = [int(begin) for begin in entry["stretches"]]
    for begin, end in zip(begins, [*begins[1:], entry["steps"]], strict=True):
        point = next(point for point in entry["points"] if point["step"] == end)
        ratio = entry["stretches"][str(begin)]
        figures = (point[key] for key in ("watched_step_us", "bare_step_us", "resident_mb", "file_kb"))
        said = f"{ratio['ratio_median']:.3f} ({ratio['ratio_median_95'][0]:.3f}-{ratio['ratio_median_95'][1]:.3f})"
        table.add_row(f"{end:,}", said, *(f"{figure:.1f}" for figure in figures))
    return table


def _networks_table(networks: dict[str, Any]) -> Any:
    from rich.table import Table

    names = [name for name in (*LAYERS, *WIDE) if name in networks]
    table = Table(title="large networks")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    for key in ("bare_step_ms", "plain_over_bare_us", "look_ms", "window_over_plain_ms", "memory_over_bare_mb"):
        table.add_row(key, *(f"{networks[name][key]:.3g}" for name in names))
    for steps in ("1000", "10000"):
        spreads = (networks[name]["default"][f"spread_{steps}"]["ratio"] for name in names)
        table.add_row(f"default over bare, {int(steps):,} steps", *(f"{ratio:.3f}" for ratio in spreads))
    for key in ("steps", "attach_s", "close_s", "load_s", "diagnose_s", "html_s", "file_kb", "html_kb", "json_kb"):
        table.add_row(key, *(f"{networks[name]['processes']['default'][key]:g}" for name in names))
    return table


if __name__ == "__main__":
    main()
