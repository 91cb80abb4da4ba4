"""Turns keys and bytes into values of options."""

from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from oslo_config_source_etcd.refusal import SourceError

Key = tuple[str, str]


def settings(snapshot: Mapping[str, bytes], prefix: str) -> dict[Key, str]:
    """(group, option) -> value; the option with underscores, as services read it.

    Keys of another shape are ignored. Raises SourceError.
    """
    found: dict[Key, str] = {}
    for key, value in sorted(snapshot.items()):
        group, _, option = key.partition("/")
        if not group or not option or "/" in option:
            continue
        name = (group, option.replace("-", "_"))
        if name in found:
            raise SourceError(
                f"{prefix}{key} is there twice, with a dash and with an underscore.",
                "Delete one of the two.",
            )
        try:
            text = value.decode()
        except UnicodeDecodeError:
            raise SourceError(f"{prefix}{key} is not UTF-8.", "Write it as text.") from None
        # `etcdctl put KEY < FILE` writes the file's last newline, too.
        found[name] = text.removesuffix("\n")
    if not found:
        raise SourceError(
            f"none of the {len(snapshot)} keys below {prefix} is a {prefix}GROUP/OPTION.",
            "Correct `prefix`, or the keys.",
        )
    return found


def raw(value: str, opt: cfg.Opt) -> Any:
    """The value in the form that a file gives: a list of lines for an option that may repeat."""
    if opt.multi:
        return [line for line in value.splitlines() if line.strip()]
    return value


def check(key: str, value: Any, opt: cfg.Opt) -> None:
    """Check that oslo.config can convert a value. Raises SourceError."""
    try:
        for one in value if opt.multi else [value]:
            opt.type(one)
    except ValueError as error:
        # The type's message quotes the value.
        said = "not shown, for it is secret" if opt.secret else str(error).rstrip(".")
        raise SourceError(
            f"the value of {key} is not {_kind(opt)}: {said}.", f"Correct it: etcdctl put {key}."
        ) from None


def _kind(opt: cfg.Opt) -> str:
    name = type(opt.type).__name__.lower()
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
