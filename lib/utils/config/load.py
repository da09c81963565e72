"""From files, flags and pairs to one checked config; all faults are reported together."""

import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from lib.utils.config.crosscheck import cross_check
from lib.utils.config.faults import Fault, refuse
from lib.utils.config.published import rename, renamed, translate
from lib.utils.config.read import check_plain, parse_value, read_with_bases
from lib.utils.config.schema import Config
from lib.utils.config.validate import field_at, validate
from lib.utils.errors import ConfigError

Check = Callable[[Config], list[Fault]]


def load_config(
    path: str | PathLike,
    flags: Mapping[str, Any] | None = None,
    pairs: Sequence[str] = (),
    checks: Sequence[Check] = (),
    base: Mapping[str, Any] | None = None,
) -> tuple[Config, list[str]]:
    """Read, merge and check a config: bases < file < flags < pairs.

    Args:
        path: a JSON or YAML file; empty for none.
        flags: values by dotted key, from the command line's flags.
        pairs: ``"section.key=value"``, from the command line; the value is a YAML scalar, list or mapping.
        checks: what the schema can't know, e.g. names against registries; each gets a config whose values are
            of the right type and returns its faults.
        base: a tree that file and command line are put over, such as a checkpoint's.

    Returns:
        The config, and notes: what of it has no effect, or another meaning than it says.

    Raises:
        ConfigError: with all faults, one a line, under a header that names the file.

    >>> config, notes = load_config("", {"solver.max_iters": 10}, ["samcl.margin=0.5"])
    >>> config.solver.max_iters, config.samcl.margin, notes
    (10, 0.5, [])
    """
    path = os.path.expanduser(path)
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    faults: list[Fault] = []
    if base:
        try:
            check_plain(base)
        except ConfigError as error:
            raise ConfigError(f"the checkpoint's config: {error}") from None
        faults += _add(tree, base, "the checkpoint", origins)
    for source, layer in read_with_bases(Path(path)) if path else ():
        faults += _add(tree, layer, source if source != str(path) else "", origins)
    for key, value in (flags or {}).items():
        faults += _assign(tree, key, value, "the command line", origins)
    for pair in pairs:
        key, equals, text = pair.partition("=")
        value, faults_of_value = value_for(key, text)
        if not equals:
            faults_of_value = [Fault(key, "section.key=value", pair, source="the command line")]
        faults += faults_of_value or _assign(tree, key, value, "the command line", origins)

    given = {key for key, source in origins.items() if source == "the command line"}
    notes, faults_of_names = translate(tree, given)
    config, faults_of_types = validate(tree)
    faults += faults_of_names + faults_of_types
    _refuse(config, faults, checks, str(path or "the command line"), origins)
    return config, notes


def check_tree(tree: dict[str, Any], where: str, checks: Sequence[Check] = ()) -> Config:
    """The config that a whole tree of today's keys says, such as that of a changed config.

    Args:
        tree: plain data; not changed.
        where: what it was made of, for the error.
        checks: as of :func:`load_config`.

    Raises:
        ConfigError: with all faults.
    """
    config, faults = validate(tree)
    _refuse(config, faults, checks, where, {})
    return config


def _refuse(config: Config, faults: list[Fault], checks: Sequence[Check], where: str, origins: dict[str, str]) -> None:
    """Raise all faults together: those that are known, and those between values that are right each for itself."""
    bad = [fault.key.partition("[")[0] for fault in faults]
    for check in (cross_check, *checks):
        faults = faults + [fault for fault in check(config) if not _concerns(fault, bad)]
    refuse(where, [replace(fault, source=fault.source or _origin(fault.key, origins)) for fault in faults])


def value_for(key: str, text: str) -> tuple[Any, list[Fault]]:
    """The value that ``text`` means for a dotted key: itself where the key holds text, YAML otherwise."""
    try:
        value = parse_value(text)
    except ValueError as error:
        return None, [Fault(key, "a value", text, str(error), source="the command line")]
    plain = text[:1] not in ("[", "{", '"', "'")
    field = field_at(renamed(key))
    as_text = value is not None and plain and field is not None and _holds_text(field.annotation)
    return text if as_text else value, []


def _holds_text(annotation: Any) -> bool:
    """Whether a field of this type takes text or a list of texts."""
    origin = typing.get_origin(annotation)
    if annotation is str:
        return True
    if origin is typing.Annotated:
        return _holds_text(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType, list):
        return any(_holds_text(part) for part in typing.get_args(annotation))
    return False


def _add(tree: dict, layer: Mapping, source: str, origins: dict[str, str]) -> list[Fault]:
    """Put one layer of a config over ``tree``, its keys under the names of today."""
    layer, faults = rename(layer)
    _merge(tree, layer, source, origins)
    return [replace(fault, source=source) for fault in faults]


def _merge(tree: dict, layer: Mapping, source: str, origins: dict[str, str], prefix: str = "") -> None:
    """Put ``layer`` over ``tree`` in place: mappings deeply, all else replaced; note the origins."""
    for key, value in layer.items():
        name = prefix + key
        if isinstance(tree.get(key), dict):
            if isinstance(value, Mapping):
                _merge(tree[key], value, source, origins, name + ".")
                continue
            for inner in [inner for inner in origins if inner.startswith(name + ".")]:
                del origins[inner]
        tree[key] = deepcopy(value)
        origins[name] = source


def _assign(tree: dict, key: str, value: Any, source: str, origins: dict[str, str]) -> list[Fault]:
    """Put one value at a dotted key; sections on the way that are missing or null come into being."""
    names = key.split(".")
    if not all(names) or len(names) > 8:
        return [Fault(key, "section.key", key, source=source)]
    layer: Any = value
    for name in reversed(names):
        layer = {name: layer}
    return _add(tree, layer, source, origins)


def _concerns(fault: Fault, bad: list[str]) -> bool:
    """Whether a cross-check's fault only follows from another fault."""
    return any(
        key == other or key.startswith((other + ".", other + "[")) or other.startswith(key + ".")
        for key in (fault.key, *fault.others)
        for other in bad
    )


def _origin(key: str, origins: dict[str, str]) -> str:
    """Where the value of a key came from: that of the longest key that it begins with."""
    while key and key not in origins:
        key = key.rpartition(".")[0]
    return origins.get(key, "")
