"""A catalogue is a folder; an entry is a file with one public class. Having the file is registering it.

The id of an entry is its file's stem with `-` for `_`, everywhere: API, CLI, JSON, URL. Other packages add
entries through the entry-point group `trainclinic.<folder>` (name = id, object = the class).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, ClassVar

from trainclinic.errors import CatalogError


class Entry:
    """What the class of every catalogue has: an id, and a page made of its docstring.

    Class attributes:
        sections: titles of the docstring's fixed sections, in their order.
    """

    sections: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def id(cls) -> str:
        """The file's stem with `-` for `_`."""
        return cls.__module__.rsplit(".", 1)[-1].replace("_", "-")

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(cls) or "").split("\n", 1)[0]

    @classmethod
    def page(cls) -> dict[str, str]:
        """Section title → text, from the docstring's fixed sections."""
        text: dict[str, list[str]] = {}
        title = ""
        for line in (inspect.getdoc(cls) or "").splitlines():
            if line.rstrip(":") in cls.sections and line.endswith(":"):
                title = line.rstrip(":")
                text[title] = []
            elif title:
                text[title].append(line)
        return {title: inspect.cleandoc("\n" + "\n".join(lines)).strip() for title, lines in text.items()}


@cache
def entries(package: str) -> dict[str, Any]:
    """Id → the class (or, for cases, the module) of every file in `package`, sorted by id.

    Args:
        package: the dotted name of the catalogue, such as "trainclinic.diagnose.problems".

    Raises:
        CatalogError: a file holds no public class, or more than one.
    """
    folder = importlib.import_module(package)
    found = {}
    for info in pkgutil.iter_modules(folder.__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"{package}.{info.name}")
            found[info.name.replace("_", "-")] = _entry(module)
    group = "trainclinic." + package.rsplit(".", 1)[-1]
    for point in entry_points(group=group):
        found[point.name] = point.load()
    return dict(sorted(found.items()))


def entry(package: str, name: str) -> Any:
    """One entry by its id; an unknown one is refused with the nearest ids."""
    found = entries(package)
    if name not in found:
        kind = package.rsplit(".", 1)[-1]
        near = get_close_matches(name, found, n=3, cutoff=0.4) or list(found)
        raise CatalogError(f"{kind}: no entry named {name!r}; did you mean {', '.join(near)}?")
    return found[name]


def _entry(module: ModuleType) -> Any:
    if hasattr(module, "faulty") and hasattr(module, "healthy"):
        return module  # a case is two functions, not a class
    own = [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    if len(own) != 1:
        names = ", ".join(value.__name__ for value in own) or "none"
        raise CatalogError(f"{module.__name__}: expected exactly one public class, found {names}")
    return own[0]
