"""What other tools do in the trainings of `tests/robustness/scenarios`: `robustness.py [--tool NAME] [--row NAME]`.

Each (tool, row) is a process of its own that runs the scenario bare, then with the tool, from the same seed, and says:

    ok                    it went through, and every parameter and buffer is the same to the bit
    crash: …              the first line of the error that reached the training
    changes the training  other weights, or other random numbers
    sees nothing          no value was recorded
    anything else         what the scenario itself noticed, such as graph breaks or a copy that is watched too

`seen` is what a tool recorded, where it lets itself be asked. The result goes to `benchmarks/results/robustness.json`;
trainclinic's own column comes from its tests (`make robustness`).
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import random
import re
import sys
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "robustness.json"
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "robustness")]
FAMILIES = ("compiled", "precision", "layers", "outputs", "parameters", "steps", "gradients", "hooks", "copies",
            "contexts", "processes", "failing")  # fmt: skip
PATIENCE = 120  # seconds for one row


def main() -> None:
    parser = argparse.ArgumentParser(description="Other tools in the trainings of tests/robustness.")
    parser.add_argument("--tool", action="append", help="this one; may be repeated")
    parser.add_argument("--row", action="append", help="this row; may be repeated")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()

    import torch
    from robustness_tools import TOOLS, versions

    tools, rows = options.tool or list(TOOLS), options.row or list(scenarios())
    found = json.loads(options.output.read_text()) if options.output.exists() else {}
    found |= {"torch": torch.__version__, "tools": versions()}
    notes = found.setdefault("rows", {})
    for tool, row in _with_progress([(tool, row) for row in rows for tool in tools]):
        notes.setdefault(row, {})[tool] = run(tool, row)
        options.output.write_text(json.dumps(found, indent=1) + "\n")


def scenarios() -> dict[str, Any]:
    """Row → scenario."""
    from scenarios import SCENARIOS

    for family in FAMILIES:
        importlib.import_module(f"scenarios.{family}")
    return SCENARIOS


def run(tool: str, row: str) -> str:
    """What that tool does in that row."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "rich"])
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(tool, row, sender))
    child.start()
    sender.close()
    note = "crash: the process hangs" if not receiver.poll(PATIENCE) else _received(receiver, child)
    child.kill()
    child.join()
    return note


def _received(receiver: Any, child: Any) -> str:
    try:
        return str(receiver.recv())
    except EOFError:
        child.join(5)
        return f"crash: the process ended with {child.exitcode}"


def _child(tool: str, row: str, sender: Any) -> None:
    import torch
    from robustness_tools import TOOLS
    from scenarios import Tool

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    scenario = scenarios()[row]
    bare = _arm(scenario, lambda *_: Tool())
    attached: list[Tool] = []

    def attach(*given: Any) -> Tool:
        attached.append(TOOLS[tool](*given))
        return attached[-1]

    sender.send(_note(scenario, attach, bare, attached))


def _note(scenario: Any, attach: Any, bare: Any, attached: list[Any]) -> str:
    from scenarios import Wrong

    try:
        watched = _arm(scenario, attach)
    except Wrong as wrong:
        return str(wrong)
    except Exception as error:  # whatever the tool did to the training
        first = re.sub(r" at 0x[0-9a-f]+", "", str(error).strip().split("\n")[0])
        return f"crash: {type(error).__name__}: {first[:120]}".rstrip(": ")
    if watched != bare:
        return "changes the training"
    return "sees nothing" if any(one.seen() == 0 for one in attached) else "ok"


def _arm(scenario: Any, attach: Any) -> list[Any]:
    """The bytes of everything that the training left."""
    import torch

    random.seed(0)
    torch.manual_seed(0)
    trained = scenario(attach)
    found: list[Any] = []
    for model in trained if isinstance(trained, list) else [trained]:
        for name, value in (*model.named_parameters(), *model.named_buffers()):
            found.append((name, value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()))
    return [*found, torch.get_rng_state().numpy().tobytes(), random.getstate()]


def _with_progress(pairs: list[tuple[str, str]]) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns) as bar:
        task = bar.add_task("", total=len(pairs))
        for tool, row in pairs:
            bar.update(task, description=f"{tool}: {row}")
            yield tool, row
            bar.advance(task)


if __name__ == "__main__":
    main()
