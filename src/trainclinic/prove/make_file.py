"""A `make` function in a file: it travels to another process as path and name."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from trainclinic.errors import ScriptError, TrainclinicError
from trainclinic.measure.shadow import generators_kept
from trainclinic.prove.streams import seed_all
from trainclinic.setup import Setup


@dataclass(frozen=True)
class MakeFile:
    """The function `name` of the file at `path`, as a `make`.

    The file is run once in each process, from a fixed seed and with the random numbers kept: what it draws is the same
    everywhere.
    """

    path: str
    name: str

    def __call__(self, seed: int) -> Setup:
        """The Setup that the function gives.

        Raises:
            ScriptError: the file or the function cannot be used, the function raises, or it gives something else.
        """
        with generators_kept():
            make = self.function()
        try:
            setup = make(seed)
        except TrainclinicError:
            raise
        except Exception as error:
            raise ScriptError(f"{self}({seed}): expected a Setup, but it raised {_said(error, self.path)}") from error
        if not isinstance(setup, Setup):
            raise ScriptError(f"{self}: expected it to return a trainclinic.Setup, got {type(setup).__name__}; "
                              "return tc.Setup(model, loss_fn, optimizer, train_loader, …)")  # fmt: skip
        return setup

    def function(self) -> Callable[[int], Any]:
        """The function itself.

        Raises:
            ScriptError: the file cannot be run, or holds no such function.
        """
        module = _module(self.path, _changed(self.path))
        found = getattr(module, self.name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
        names = [name for name, value in vars(module).items()
                 if inspect.isfunction(value) and value.__module__ == module.__name__]  # fmt: skip
        there = f"its functions are {', '.join(names)}; name one, as in {self.path}:{names[0]}" if names else (
            "it defines no function; write one that returns a tc.Setup")  # fmt: skip
        raise ScriptError(f"{self.path}: expected a function {self.name}(seed), found none; {there}")

    def __str__(self) -> str:
        return f"{self.path}:{self.name}"


def make_file(where: str) -> MakeFile:
    """The `make` that FILE or FILE:NAME names; it is looked up at once.

    Raises:
        ScriptError: there is no such file or function.
    """
    path, colon, name = where.rpartition(":")
    if not colon or Path(where).is_file() or not name.isidentifier():
        path, name = where, "make"
    found = MakeFile(str(Path(path)), name)
    with generators_kept():
        found.function()
    return found


def _changed(path: str) -> int:
    if not Path(path).is_file():
        raise ScriptError(f"{path}: expected a Python file with a make(seed) function, found no file there; "
                          "check the path")  # fmt: skip
    return Path(path).stat().st_mtime_ns


@cache
def _module(path: str, changed: int) -> ModuleType:
    """The file as a module: what lies beside it can be imported, but hides no other module from a worker."""
    file = Path(path).resolve()
    name = file.stem if file.stem not in sys.modules else f"{file.stem}_{changed}"
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ScriptError(f"{path}: expected a Python file, which ends in .py; rename it")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    arguments, sys.argv = sys.argv, [path]
    seed_all(0, "build")
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ScriptError(f"{path}: expected a file that can be imported, but it raised {_said(error, path)}; put the "
                          'training itself under `if __name__ == "__main__":`') from error  # fmt: skip
    finally:
        sys.argv = arguments
    return module


def _said(error: BaseException, path: str) -> str:
    """The error with the last line of the user's file that led to it."""
    file = Path(path).resolve()
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == file]
    return f"{type(error).__name__}: {error}" + (f" (line {lines[-1]})" if lines else "")
