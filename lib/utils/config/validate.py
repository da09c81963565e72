"""A plain tree against the schema: every fault, and the config that is left with defaults in their place."""

import re
import types
import typing
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from lib.utils.config.base import Section
from lib.utils.config.faults import MOST_SHOWN, NOTHING, Fault, did_you_mean, nearest
from lib.utils.config.schema import Config

_PLAIN = {
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_unicode": "text in UTF-8; for a file whose name is in another encoding, its folder, or - and its name on "
    "standard input",
    "list_type": "a list",
    "finite_number": "a finite number",
    "model_type": "a section, i.e. a mapping of keys",
    "none_required": "null",
}


def validate(tree: dict[str, Any]) -> tuple[Config, list[Fault]]:
    """Check a tree against the schema.

    Args:
        tree: plain data, as read from files; not changed.

    Returns:
        The config in which each faulty key has its default, and one fault per faulty key. All values
        are of the right type and in range then, so cross-checks can go on with it.
    """
    faults: list[Fault] = []
    for _ in range(8):
        try:
            return Config.model_validate(tree), faults
        except ValidationError as error:
            fields: dict[tuple[str, ...], list[dict[str, Any]]] = {}
            for detail in error.errors(include_url=False):
                fields.setdefault(_field_path(detail["loc"]), []).append(dict(detail))
        for path, details in fields.items():
            faults.append(_fault(tree, path, details, explain=len(faults) < MOST_SHOWN))
            tree = _without(tree, path)
    return Config(), faults


def field_at(key: str) -> FieldInfo | None:
    """The field of the schema at a dotted key; None where there is no such field.

    >>> field_at("solver.max_iters").default
    40000
    """
    section, _, name = key.rpartition(".")
    holder = section_at(section.split(".") if section else [])
    return holder.model_fields.get(name) if holder else None


def section_at(path: list[str] | tuple[str, ...]) -> type[Section] | None:
    """The model of the section at a path; None where there is none."""
    holder: type[Section] | None = Config
    for name in path:
        field = holder.model_fields.get(name) if holder else None
        holder = section_in(field.annotation) if field else None
    return holder


def all_keys(section: type[Section] = Config, prefix: str = "") -> list[str]:
    """Every dotted key of the schema, sections left out."""
    keys = []
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        keys += all_keys(inner, f"{prefix}{name}.") if inner else [prefix + name]
    return keys


def section_in(annotation: Any) -> type[Section] | None:
    """The section that a field of this type holds, null or not."""
    parts = [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = list(typing.get_args(annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, Section)), None)


def _field_path(location: tuple) -> tuple[str, ...]:
    """The part of an error's location that leads to a field, not into a list or a branch of its type."""
    for depth in range(len(location)):
        if section_at(location[:depth]) is None:
            return location[:depth]
    return location


def _fault(tree: dict, path: tuple[str, ...], details: list[dict], explain: bool) -> Fault:
    """One fault for all that pydantic says of a field; to look for near names takes a while, hence ``explain``."""
    key = ".".join(path)
    detail = details[0]
    if detail["type"] == "extra_forbidden":
        return Fault(key, hint=f"unknown key, {_where_else(path)}" if explain else "unknown key")
    expected = list(dict.fromkeys(_expected(each) for each in details))
    value = detail["input"] if len(expected) == 1 else _value_at(tree, path)
    inside = [part for part in detail["loc"][len(path) :] if isinstance(part, int)]
    if len(expected) == 1:
        key += "".join(f"[{index}]" for index in inside)
    return Fault(key, " or ".join(expected), value, hint=_remedy(detail, value))


def _expected(detail: dict) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    comparisons = {
        "greater_than": ("gt", "a number above {}"),
        "greater_than_equal": ("ge", "a number of at least {}"),
        "less_than": ("lt", "a number below {}"),
        "less_than_equal": ("le", "a number of at most {}"),
        "too_short": ("min_length", "a list of at least {} entries"),
        "too_long": ("max_length", "a list of at most {} entries"),
        "string_too_long": ("max_length", "text of at most {} characters"),
    }
    if kind in comparisons:
        name, text = comparisons[kind]
        bound = context[name]
        return text.format(f"{bound:g}" if isinstance(bound, float) else bound)
    if kind == "literal_error":
        return f"one of {', '.join(_choices(context['expected']))}"
    if kind == "value_error":
        return str(context["error"])
    return _PLAIN.get(kind, detail["msg"])


def _choices(expected: str) -> list[str]:
    """The values in pydantic's "'sgd', 'adam' or 'adamw'"."""
    return [choice.strip("'") for choice in re.split(r", | or ", expected)]


def _remedy(detail: dict, value: Any) -> str:
    if detail["type"] == "literal_error" and isinstance(value, str):
        near = nearest(value, _choices(detail["ctx"]["expected"]))
        return f"did you mean {near}?" if near else ""
    if detail["type"] == "string_type" and isinstance(value, (int, float)):
        return "write it in quotes"
    return ""


def _where_else(path: tuple[str, ...]) -> str:
    """The same name elsewhere for an unknown key, else the nearest one among its siblings."""
    section = section_at(path[:-1])
    siblings = list(section.model_fields) if section else []
    elsewhere = [key for key in all_keys() if key.rpartition(".")[2] == path[-1]]
    if elsewhere:
        return f"did you mean {' or '.join(elsewhere[:3])}?"
    return did_you_mean(path[-1], siblings)


def _value_at(tree: dict, path: tuple[str, ...]) -> Any:
    value: Any = tree
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return NOTHING
        value = value[name]
    return value


def _without(tree: dict, path: tuple[str, ...]) -> dict:
    """A copy of the tree without the key at ``path``; unchanged where there is no such key."""
    if not path or path[0] not in tree:
        return tree
    copy = dict(tree)
    if len(path) > 1 and isinstance(copy[path[0]], dict):
        copy[path[0]] = _without(copy[path[0]], path[1:])
    else:
        del copy[path[0]]
    return copy
