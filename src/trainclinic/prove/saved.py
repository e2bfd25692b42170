"""load: what was saved, read back: a recording, or a Cure from its JSON.

A Cure is read as records only. The code in the file is text to be shown and is never run: what `cure.make` applies is
derived anew, from the remedies' names and settings.
"""

from __future__ import annotations

import json
import math
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, overload

from trainclinic import ranks
from trainclinic.errors import RecordingError
from trainclinic.measure.run import Make
from trainclinic.prove.cure import Treated
from trainclinic.recording import Recording
from trainclinic.records import Cure

FORMAT = "trainclinic-cure"
SCHEMA = 1  # grows when a field changes its meaning or goes; new fields come without notice
NUMBERS = {None: math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # as strict JSON has them


@overload
def load(path: str | Path) -> Recording: ...
@overload
def load(path: str | Path, make: Make) -> Cure: ...
def load(path: str | Path, make: Make | None = None) -> Recording | Cure:
    """Read a recording, or a Cure that was saved as JSON.

    Args:
        path: a `.clinic` file (or the name that the files of all ranks share), or the `.json` of a Cure.
        make: the function whose Setups the Cure treats; without it `cure.make` is not to be had.

    Raises:
        RecordingError: there is no such file, it is neither, or a newer trainclinic wrote it.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        return ranks.load(path)
    try:
        return cure_of(json.loads(path.read_text(encoding="utf-8")), make)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise RecordingError(f"{path}: expected a Cure as tc.report(cure, {path.name!r}) writes it, but {error}; "
                             "write it again") from error  # fmt: skip


def cure_of(document: Any, make: Make | None = None) -> Cure:
    """The Cure that a JSON document holds.

    Raises:
        ValueError: it holds none.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT!r}")
    if document.get("schema", 0) > SCHEMA:
        raise ValueError(f"a newer trainclinic wrote it (schema {document['schema']}, known {SCHEMA})")
    cure: Cure = _record(Cure, document)
    if make is not None:
        object.__setattr__(cure, "_make", Treated(make, cure.treatment.remedies))
    return cure


def _record(kind: Any, values: Any) -> Any:
    """A record from plain data; fields that are not known are left out, as are those that no file holds."""
    hints = get_type_hints(kind, localns={"Recording": object})
    names = [field.name for field in fields(kind) if not field.name.startswith("_") and field.name in values]
    return kind(**{name: _value(hints[name], values[name]) for name in names})


def _value(kind: Any, value: Any) -> Any:
    origin, of = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record(kind, value)
    if origin in (Union, types.UnionType):
        return None if value is None else _value(of[0], value)
    if origin is tuple:
        kinds = [of[0]] * len(value) if of[-1] is Ellipsis else of
        return tuple(_value(one, entry) for one, entry in zip(kinds, value, strict=True))
    if kind is float:
        return NUMBERS[value] if value is None or isinstance(value, str) else float(value)
    allowed = value in of if origin is Literal else isinstance(value, origin or kind)
    if not allowed:
        raise ValueError(f"{value!r:.60} stands where {getattr(kind, '__name__', kind)} is expected")
    return value
