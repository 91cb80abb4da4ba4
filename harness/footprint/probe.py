"""Runs in the Python of an image, from standard input: imports a module, and prints what that took.

    python -X importtime - MODULE < probe.py

The probe imports nothing of the harness, and nothing that an interpreter has not loaded, so that
the modules that it counts are the image's. The result is one line of JSON on standard output.
Python's own table of import times is on standard error.
"""

import builtins
import sys
import time

# Typing takes a tenth of a second to import, which would be counted.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

MARK = "footprint: "


class Imports:
    """Notes which module imports which: importer -> imported."""

    def __init__(self) -> None:
        self.importers: dict[str, dict[str, None]] = {}
        self._import = builtins.__import__

    def watch(self) -> None:
        builtins.__import__ = self._note

    def forget(self) -> None:
        builtins.__import__ = self._import

    def _note(
        self,
        name: str,
        globals: "Any" = None,
        locals: "Any" = None,
        fromlist: "Any" = (),
        level: int = 0,
    ) -> "ModuleType":
        module = self._import(name, globals, locals, fromlist, level)
        importer = (globals or {}).get("__name__")
        if importer:
            full = name
            if level:
                package = ((globals or {}).get("__package__") or "").split(".")
                full = ".".join([*package[: len(package) - level + 1], name]).strip(".")
            names = self.importers.setdefault(importer, {})
            names[full] = None
            submodules = (f"{full}.{part}" for part in fromlist or ())
            names.update((part, None) for part in submodules if part in sys.modules)
        return module


class Options:
    """Notes every option that is read from oslo.config."""

    def __init__(self) -> None:
        self._read: set[tuple[str, str]] = set()
        self._configurations: list[Any] = []

    def watch(self) -> None:
        try:
            from oslo_config import cfg
        except ImportError:
            return
        made, got = cfg.ConfigOpts.__init__, cfg.ConfigOpts._get

        def make(configuration: "Any", *args: "Any", **kwargs: "Any") -> None:
            made(configuration, *args, **kwargs)
            self._configurations.append(configuration)

        def get(
            configuration: "Any", name: str, group: "Any" = None, *args: "Any", **kwargs: "Any"
        ) -> "Any":
            of = getattr(group, "name", group) or "DEFAULT"
            self._read.add((of, name.replace("-", "_")))
            return got(configuration, name, group, *args, **kwargs)

        cfg.ConfigOpts.__init__ = make  # type: ignore[method-assign,assignment]
        cfg.ConfigOpts._get = get  # type: ignore[method-assign,assignment]

    def rows(self) -> "list[list[Any]]":
        """[group, option, where its value comes from, value, default, whether it was read]."""
        read = {*self._read}
        rows = {}
        for configuration in self._configurations:
            groups = {group.name: group for group in configuration._groups.values()}
            known = [("DEFAULT", info["opt"]) for info in configuration._opts.values()]
            for group in groups.values():
                known += [(group.name, info["opt"]) for info in group._opts.values()]
            for name, option in known:
                try:
                    at = None if name == "DEFAULT" else name
                    location = configuration.get_location(option.dest, at)
                    where = location.location.name if location else "opt_default"
                    value = configuration._get(option.dest, groups.get(name))
                except Exception as error:
                    # An option may be required, and not be set.
                    where, value = "unset", type(error).__name__
                # A URL may hold a password.
                secret = option.secret or "://" in str(value)
                shown = "(secret)" if secret else repr(value)
                was_read = (name, option.dest) in read
                row = [name, option.dest, where, shown, repr(option.default), was_read]
                rows[name, option.dest] = row
        return [*rows.values()]


def memory() -> dict[str, int]:
    """Bytes of this process in memory: resident, and with shared pages counted in proportion."""
    sizes = {}
    try:
        with open("/proc/self/smaps_rollup") as file:
            for line in file:
                name, *words = line.split()
                if name in ("Rss:", "Pss:"):
                    sizes[name[:-1].lower()] = int(words[0]) * 1024
    except OSError:
        pass
    return sizes


def main(name: str) -> None:
    imports, options = Imports(), Options()
    before = time.process_time()
    imports.watch()
    options.watch()
    error = None
    try:
        __import__(name)
    except BaseException as raised:
        error = f"{type(raised).__name__}: {raised}"
    seconds = time.process_time() - before
    imports.forget()
    modules = {}
    for key, module in [*sys.modules.items()]:
        if key != "__main__":
            origin = getattr(getattr(module, "__spec__", None), "origin", None)
            modules[key] = getattr(module, "__file__", None) or origin
    size = memory()
    import json

    result = {
        "python": sys.version.split()[0],
        "error": error,
        "seconds": seconds,
        "modules": modules,
        "importers": {importer: [*names] for importer, names in imports.importers.items()},
        "memory": size,
        "settings": options.rows(),
    }
    print(MARK + json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
