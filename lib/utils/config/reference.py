"""The reference of all config keys, ``configs/README.md``, made of the schema and its docstrings.

``python -m lib.utils.config.reference configs/README.md`` brings the page up to date.
"""

import ast
import inspect
import json
import sys
import typing
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from lib.utils.config.base import Section, Unit
from lib.utils.config.schema import Config
from lib.utils.config.validate import field_at, section_at, section_in
from lib.utils.files import atomic_write

HEADING = "## Keys"
"""Of the part of the page that is made here, up to its end."""

_BOUNDS = {
    **{"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"},
    **{"ge": ">=", "gt": ">", "le": "<=", "lt": "<"},
}
"""JSON schema's words for bounds, and pydantic's where a value is converted first."""

LARGEST_BOUND = 1e6
"""Bounds beyond it keep out what no one means, and aren't shown."""


def description_of(key: str) -> str:
    """What the schema says of a dotted key, on one line; empty for an unknown key.

    >>> description_of("solver.max_iters")
    'Steps of the run.'
    """
    path, _, name = key.rpartition(".")
    section = section_at(path.split(".") if path else [])
    holders = [one for one in (section.__mro__ if section else ()) if issubclass(one, Section)]
    text = next((text for one in holders if (text := _docstrings(one).get(name))), "")
    return " ".join(text.split())


@cache
def _docstrings(section: type[Section]) -> dict[str, str]:
    """What stands below the fields of a section's class. Read from its source when asked for: pydantic would do it for
    every section at every start."""
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: str(text.value.value)
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def first_sentence(key: str) -> str:
    """The first sentence on a dotted key, for a line of help.

    >>> first_sentence("solver.max_iters")
    'Steps of the run'
    """
    text = description_of(key).replace("``", "").partition(". ")[0]
    return text if text.endswith("...") else text.removesuffix(".")


def key_reference() -> str:
    """Markdown of all keys by section: type, default, unit and meaning of each."""
    parts = [HEADING, "", "Made of the docstrings of the schema, `lib/utils/config/`.", ""]
    for prefix, section in _sections(Config, ""):
        schema = section.model_json_schema()
        own = [name for name, field in section.model_fields.items() if section_in(field.annotation) is None]
        if not own:
            continue
        title = f"### `{prefix.removesuffix('.')}`" if prefix else "### Top level"
        parts += [title, "", " ".join((section.__doc__ or "").split()), ""]
        parts += ["| key | type | default | unit | meaning |", "|---|---|---|---|---|"]
        parts += [_row(prefix + name, schema["properties"][name]) for name in own]
        parts.append("")
    return "\n".join(parts)


def _sections(section: type[Section], prefix: str) -> Iterator[tuple[str, type[Section]]]:
    """Every section with its dotted prefix, the outer before the inner."""
    yield prefix, section
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        if inner is not None:
            yield from _sections(inner, f"{prefix}{name}.")


def _row(key: str, schema: dict[str, Any]) -> str:
    field = field_at(key)
    assert field is not None
    meaning = description_of(key).replace("``", "`")
    cells = (f"`{key}`", _type(schema), f"`{json.dumps(field.default)}`", _unit(field), meaning)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _unit(field: Any) -> str:
    """The unit of a field's value, whether the field may be null or not."""
    marks = [*field.metadata, *(mark for part in typing.get_args(field.annotation) for mark in typing.get_args(part))]
    return next((mark.name for mark in marks if isinstance(mark, Unit)), "")


def _type(schema: dict[str, Any]) -> str:
    """A type in words, e.g. ``integer >= 1``.

    >>> _type({"type": "array", "items": {"type": "integer", "minimum": 0}})
    'list of (integer >= 0)'
    """
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema["items"])
        least, most = schema.get("minItems"), schema.get("maxItems")
        return (f"{least} x " if least and least == most else "list of ") + (f"({inner})" if " " in inner else inner)
    names = {"boolean": "yes or no", "string": "text", "null": "null"}
    if kind in names:
        return names[kind]
    shown = {sign: f"{schema[name]:g}" for name, sign in _BOUNDS.items() if abs(schema.get(name, 1e9)) < LARGEST_BOUND}
    if {">=", "<="} <= shown.keys():
        return f"{kind} {shown['>=']} to {shown['<=']}"
    return " ".join([str(kind), *(f"{sign} {bound}" for sign, bound in shown.items())])


def update(page: Path) -> None:
    """Put the present reference at the end of a page, from :data:`HEADING` on."""
    head = page.read_text().partition(HEADING)[0]
    with atomic_write(page, "w") as file:
        file.write(head + key_reference())


if __name__ == "__main__":
    update(Path(sys.argv[1]))
