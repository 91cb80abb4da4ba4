"""Keep pysaml2 out of keystone: 0.7 s of CPU at every start, for SAML federation alone.

keystone imports it at module level and touches it only when it acts as a SAML identity provider,
which the stack's does not. The stand-in lets the import pass and fails at the first use.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType


class _Absent(ModuleType):
    __path__: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"{self.__name__}.{name}: this keystone runs without SAML federation")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] != "saml2":
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Absent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


sys.meta_path.insert(0, _Finder())
