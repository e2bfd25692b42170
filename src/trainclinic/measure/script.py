"""Watch an unmodified script: find its model and optimizer as it runs, and stay out of its way.

The script runs as `__main__`, with its own argv, stdin, output and tracebacks. An optimizer is noticed when it is
made; its model is the outermost module that runs forward with a gradient and holds parameters of that optimizer. A
script that compiles bears no hook on all modules: there it is the outermost module that exists.
"""

from __future__ import annotations

import functools
import gc
import sys
import traceback
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import Optimizer

from trainclinic.errors import RecordingError, ScriptError, TrainingStoppedError
from trainclinic.measure.distributed import named_parameters
from trainclinic.measure.live import Live
from trainclinic.measure.watch import Watch
from trainclinic.recording import Recording

_HERE = Path(__file__).parent
_PASS_ON = (  # functions of ours that call what the script called
    "__torch_function__", "call_activation", "backward", "loss", "noticed", "scale", "step", "compile", "told",
)  # fmt: skip
SETTLED = 3  # optimizer steps after which no further model is looked for, until another optimizer is made


@dataclass
class ScriptRun:
    """What came of a script.

    Attributes:
        recordings: one for each model that was trained, the largest first.
        exit_code: as the script alone would have given it.
        missed: why there is no recording, or "".
    """

    exit_code: int
    recordings: list[Recording] = field(default_factory=list)
    missed: str = ""


def run_script(
    script: str | Path,
    args: Sequence[str] = (),
    *,
    folder: str | Path = "clinic",
    every: int | None = None,
    live: Live | None = None,
) -> ScriptRun:
    """Run a training script, watched.

    Args:
        script: path of the Python file.
        args: its command-line arguments.
        folder: where the recording goes, as `<script stem>.clinic` (`-2`, … for further models).
        every: see `trainclinic.watch`.
        live: what to do at a finding while the script runs.

    Raises:
        ScriptError: there is no such script, or it cannot be compiled.
    """
    script = Path(script)
    code = _compiled(script)
    finder = _Finder(Path(folder) / script.stem, every, live)
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=str(script), __builtins__=__builtins__, __cached__=None)
    sys.argv, sys.path[0] = [str(script), *args], str(script.resolve().parent)
    sys.modules["__main__"] = module
    finder.begin()
    ended, exit_code = "completed", 0
    try:
        exec(code, module.__dict__)
    except SystemExit as stop:
        exit_code = _exit_code(stop)
        ended = "completed" if not exit_code else f"exit code {exit_code}"
    except KeyboardInterrupt as interrupt:
        ended, exit_code = "interrupted", 130
        _own_traceback(interrupt)
    except TrainingStoppedError as stop:
        ended, exit_code = f"stopped: {stop}", 1
        print(f"trainclinic stopped {script}: {stop}", file=sys.stderr)
    except BaseException as error:
        ended, exit_code = f"error: {type(error).__name__}: {error}", 1
        _own_traceback(error)
    finally:
        recordings = finder.end(ended)
        sys.argv, sys.path[:], sys.modules["__main__"] = before
    return ScriptRun(exit_code, recordings, finder.missed(recordings))


class _Finder:
    """Attaches a Watch to each model that the script trains."""

    def __init__(self, stem: Path, every: int | None, live: Live | None) -> None:
        self._stem, self._every, self._live = stem, every, live
        self._watches: list[Watch] = []
        self._optimizers: list[Optimizer] = []
        self._known: set[int] = set()  # modules that are being watched
        self._hook: Any = None
        self._compiles = False
        self._init, self._compile = Optimizer.__init__, torch.compile

    def begin(self) -> None:
        original = self._init
        finder = self

        @functools.wraps(original)
        def noticed(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            finder._optimizers.append(optimizer)
            finder._look()

        @functools.wraps(self._compile)
        def compile(*args: Any, **kwargs: Any) -> Any:
            if finder._compiles:
                return finder._compile(*args, **kwargs)
            finder._compiles = True
            finder._rest()
            finder._search()
            return torch.compile(*args, **kwargs)  # a watch that was just made wants to hear of it

        Optimizer.__init__ = noticed  # type: ignore[method-assign,assignment]
        torch.compile = compile

    def end(self, ended: str) -> list[Recording]:
        Optimizer.__init__ = self._init  # type: ignore[method-assign]
        self._rest()
        recordings = [watch.close(ended) for watch in self._watches]
        torch.compile = self._compile
        for watch in self._watches:
            watch.model = nn.Module()  # the script's objects are not kept alive
        return sorted(recordings, key=lambda recording: -recording.environment["parameters"])

    def missed(self, recordings: list[Recording]) -> str:
        if not self._optimizers:
            return "the script made no torch optimizer"
        if not recordings:
            return "no model that holds the optimizer's parameters ran forward with a gradient"
        if not any(recording.steps for recording in recordings):
            return "the optimizer made no step"
        return ""

    def _look(self) -> None:
        if self._compiles:
            self._search()
        elif self._hook is None:
            self._hook = register_module_forward_pre_hook(self._module_called)

    def _rest(self) -> None:
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _module_called(self, module: nn.Module, args: Any) -> None:
        """The first call that reaches here with a parameter of an optimizer is the outermost one."""
        if torch.compiler.is_compiling():
            return
        if id(module) in self._known or not torch.is_grad_enabled():
            if self._watches and all(watch.step >= SETTLED for watch in self._watches):
                self._rest()
            return
        watch = self._watch(module)
        if watch is not None:
            watch.began(args)

    def _search(self) -> None:
        """Watch the outermost modules there are that hold parameters of an optimizer."""
        held = {id(p) for one in self._optimizers for group in one.param_groups for p in group["params"]}
        found = [
            thing
            for thing in (gc.get_objects() if held else ())
            if issubclass(type(thing), nn.Module) and any(id(parameter) in held for parameter in thing.parameters())
        ]
        inner = {id(part) for module in found for part in module.modules() if part is not module}
        for module in found:
            if id(module) not in inner | self._known:
                self._watch(module)

    def _watch(self, module: nn.Module) -> Watch | None:
        """Watch `module` if it holds parameters of an optimizer."""
        own = {id(parameter) for _, parameter in named_parameters(module)}
        optimizers = [
            optimizer
            for optimizer in self._optimizers
            if any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"])
        ]
        if not optimizers:
            return None
        number = len(self._watches) + 1
        path = self._stem.with_name(f"{self._stem.name}{f'-{number}' if number > 1 else ''}.clinic")
        watch = Watch(module, optimizers, path=_prepared(path), every=self._every, live=self._live)
        self._watches.append(watch)
        self._known.update(id(part) for part in module.modules())
        return watch


def _prepared(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{path.parent}: cannot be made ({error}); choose another --output folder") from error
    return path


def _compiled(script: Path) -> types.CodeType:
    if not script.is_file():
        raise ScriptError(f"{script}: expected a Python script, found no file there; check the path")
    try:
        return compile(script.read_bytes(), str(script), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise ScriptError(f"{script}, line {error.lineno}: {error.msg}; the script cannot be run") from error
    except (OSError, ValueError) as error:
        raise ScriptError(f"{script}: expected a Python script, it cannot be read ({error})") from error


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    print(stop.code, file=sys.stderr)
    return 1


def _own_traceback(error: BaseException) -> None:
    """Print what Python would have printed: the script's frames, not ours."""
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = _without_ours(one.__traceback__)
            queue += [one.__cause__, one.__context__]
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(error), error, error.__traceback__)
    else:
        traceback.print_exception(type(error), error, error.__traceback__)


def _without_ours(trace: types.TracebackType | None) -> types.TracebackType | None:
    if trace is None:
        return None
    following = _without_ours(trace.tb_next)
    code = trace.tb_frame.f_code
    if Path(code.co_filename).parent == _HERE and (trace.tb_next is not None or code.co_name in _PASS_ON):
        return following  # else the error is our own
    return types.TracebackType(following, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
