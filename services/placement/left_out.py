"""Explains imports of modules that were cut from this image, in place of a bare error.

Python asks this finder last, so an import of a module that is in the image never reaches it. The
list beside this file (left_out.txt, written by cut.py) has a line for each module that was cut, and
late.txt one for each that is there and is imported when it is used for the first time:

    unopened NAME    no process of placement has ever imported it: an import ends in CutError
    guarded NAME     its importers do without it: an import ends in CutError, which they expect
    standin NAME     imported, and nothing of it is used: an empty module takes its place, of which
                     every use ends in CutError
    late NAME        imported, and used by no request: the first use imports it

Nothing can be an instance of a class that is not there, and nothing can raise it: isinstance and
except of such a class are no use, and are false.
"""

import _thread
import importlib.machinery
import os
import sys

LIST, LATE = "left_out.txt", "late.txt"
REASONS = {
    "unopened": "no process of placement has imported it in any suite",
    "guarded": "placement's libraries do without it",
    "standin": "placement's libraries import it, and use nothing of it",
}


class CutError(ModuleNotFoundError):
    """A module that was cut from the image is wanted after all."""


def error(module: str, kind: str, use: str = "") -> CutError:
    wanted = f"{use} is used" if use else f"{module} is imported"
    return CutError(
        f"{wanted}, and {module} was cut from this image, since {REASONS[kind]}. To keep it, add "
        f"the line {module} to services/placement/keep.txt, and build the image again."
    )


class Finder:
    """Finds modules that were cut; the last entry of sys.meta_path."""

    def __init__(self, lines: "list[str] | None" = None) -> None:
        self._lines = lines
        self._kinds: dict[str, str] | None = None

    @property
    def kinds(self) -> "dict[str, str]":
        """The list: module -> kind. The file is read when the first module is missing."""
        if self._kinds is None:
            lines = self._lines
            if lines is None:
                with open(os.path.join(os.path.dirname(__file__), LIST)) as file:
                    lines = file.readlines()
            words = (line.strip().partition(" ") for line in lines)
            self._kinds = {name: kind for kind, _, name in words}
        return self._kinds

    def find_spec(
        self, name: str, path: object = None, target: object = None
    ) -> "importlib.machinery.ModuleSpec | None":
        kinds, above = self.kinds, name
        while above and above not in kinds:
            above = above.rpartition(".")[0]
        if not above:
            return None
        kind = kinds[above]
        if kind == "late":
            return importlib.machinery.ModuleSpec(name, LateLoader(self, above), is_package=True)
        if kind != "standin":
            raise error(above, kind)
        return importlib.machinery.ModuleSpec(name, Loader(), is_package=True)


class Loader:
    """Makes stand-ins."""

    def create_module(self, spec: "importlib.machinery.ModuleSpec") -> "StandIn":
        return StandIn(spec.name)

    def exec_module(self, module: object) -> None:
        """Nothing of the module is there."""


class StandIn(type(sys)):  # type: ignore[misc]
    """A module of which nothing is there but names."""

    def __getattr__(self, name: str) -> "Nothing":
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} was cut from this image: it has no {name}")
        return nothing(self.__name__, name)


class Nothing(type):
    """A name of a module that was cut. Whatever uses it gets CutError."""

    # What was cut; classes derived from it have these, too.
    _module: str
    _name: str

    def _used(cls, *_: object, **__: object) -> "object":
        raise error(cls._module, "standin", f"{cls._module}.{cls._name}")

    def __getattr__(cls, name: str) -> "Nothing":
        if name.startswith("_"):
            raise AttributeError(f"{cls._module} was cut from this image: it has no {name}")
        return nothing(cls._module, f"{cls._name}.{name}")

    def __instancecheck__(cls, _: object) -> bool:
        return False

    def __subclasscheck__(cls, _: object) -> bool:
        return False

    __hash__ = type.__hash__
    __call__ = __eq__ = __ne__ = __bool__ = __iter__ = __len__ = __getitem__ = _used  # type: ignore[assignment]
    __contains__ = __lt__ = __gt__ = __le__ = __ge__ = __enter__ = __exit__ = _used


def nothing(module: str, name: str) -> Nothing:
    # An exception, since `except` takes nothing else.
    return Nothing(name, (Exception,), {"__module__": module, "_module": module, "_name": name})


class LateLoader(Loader):
    """Makes modules that are imported when they are used."""

    def __init__(self, finder: Finder, top: str) -> None:
        self._finder = finder
        self._top = top
        self._lock = _thread.RLock()

    def create_module(self, spec: "importlib.machinery.ModuleSpec") -> "LateModule":
        return LateModule(spec.name)

    def load(self, name: str) -> object:
        """Import the module itself."""
        with self._lock:
            if self._finder.kinds.pop(self._top, None):
                below = f"{self._top}."
                for other, module in [*sys.modules.items()]:
                    if f"{other}.".startswith(below) and isinstance(module, LateModule):
                        del sys.modules[other]
            __import__(name)
            return sys.modules[name]


class LateModule(type(sys)):  # type: ignore[misc]
    """A module that has not been imported yet."""

    def __getattr__(self, name: str) -> "Late":
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} is imported when it is used: it has no {name}")
        return Late(self.__spec__.loader, self.__name__, name)


class Late:
    """A name of a module that has not been imported yet. Whatever uses it imports the module."""

    def __init__(self, loader: LateLoader, module: str, name: str) -> None:
        self._place = (loader, module, name)

    def _use(self) -> "object":
        loader, module, name = self._place
        real = loader.load(module)
        if not hasattr(real, name):
            loader.load(f"{module}.{name}")
        return getattr(real, name)

    def __getattr__(self, name: str) -> object:
        return getattr(self._use(), name)

    def __call__(self, *arguments: object, **named: object) -> object:
        return self._use()(*arguments, **named)  # type: ignore[operator]

    def __mro_entries__(self, bases: "tuple[object, ...]") -> "tuple[object, ...]":
        return (self._use(),)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self._use())  # type: ignore[arg-type]

    def __eq__(self, other: object) -> bool:
        return bool(self._use() == other)

    def __hash__(self) -> int:
        return hash(self._use())

    def __bool__(self) -> bool:
        return bool(self._use())


def install() -> None:
    """Explain what is missing, after every other finder has been asked."""
    # A virtual environment's directory is met twice, as lib and as lib64.
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())  # type: ignore[arg-type]
        path = os.path.join(os.path.dirname(__file__), LATE)
        if os.path.exists(path):
            with open(path) as file:
                sys.meta_path.insert(0, Finder(file.readlines()))  # type: ignore[arg-type]
