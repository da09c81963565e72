"""Config files and values: JSON and YAML as plain trees, and ``_base_`` inheritance.

YAML is read as YAML 1.2 has it: ``1e-3`` is a number; ``1:30``, dates, ``yes`` and ``no`` are text. Only
plain data comes out: no tags, no aliases that refer to themselves, no duplicate keys.
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lib.utils.config.faults import printable, shorten_text
from lib.utils.errors import ConfigError

LARGEST_FILE = 2 * 2**20  # bytes; YAML is read at some 300 KB a second
MOST_VALUES = 5_000
DEEPEST = 32
BASE_KEY = "_base_"

_PLAIN_TYPES = (dict, list, str, int, float, bool, type(None))
_PREFIX = "tag:yaml.org,2002:"
_PATTERNS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
}


class Dumper(yaml.SafeDumper):
    """Writes YAML that :func:`parse_yaml` reads as the same tree."""

    yaml_implicit_resolvers = {}

    def represent_list(self, data: Iterable[Any]) -> yaml.SequenceNode:
        """Lists of plain values on one line."""
        inline = not any(isinstance(item, (list, dict)) for item in data)
        return self.represent_sequence(_PREFIX + "seq", data, flow_style=inline)

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal lists out, rather than as references to each other."""
        return True


class _Loader(yaml.SafeLoader):
    """Composes nodes of YAML 1.2's plain types; refuses a document of too many values while it is read."""

    yaml_implicit_resolvers = {}

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        self.values = getattr(self, "values", 0) + 1
        if self.values > MOST_VALUES:
            raise ConfigError(f"expected at most {MOST_VALUES} values, got more")
        return super().compose_node(parent, index)


Dumper.add_representer(list, Dumper.represent_list)
for _tag, (_pattern, _first) in _PATTERNS.items():
    for _class in (Dumper, _Loader):
        _class.add_implicit_resolver(_PREFIX + _tag, re.compile(rf"^(?:{_pattern})$"), _first)


class _Builder:
    """Turns YAML nodes into a plain tree; bounded in depth and in values, aliases written out."""

    def __init__(self) -> None:
        self.values = 0

    def build(self, node: yaml.Node, depth: int = 0) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            raise ConfigError(f"expected at most {MOST_VALUES} values, aliases written out, got more")
        if depth > DEEPEST:
            raise ConfigError(f"expected at most {DEEPEST} levels, got more (does an alias refer to itself?)")
        if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
            return [self.build(item, depth + 1) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        raise ConfigError(f"expected plain data, got the tag {shorten_text(node.tag)}{_line(node)}")

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"expected a name as key, got a list or mapping{_line(key_node)}")
            value = self.build(value_node, depth + 1)
            if key_node.value == "<<" and key_node.style is None:
                for part in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(part, dict):
                        raise ConfigError(f"expected a mapping to merge at <<, got something else{_line(key_node)}")
                    merged |= part
            elif key_node.value in own:
                raise ConfigError(f"key {shorten_text(key_node.value)} stands twice{_line(key_node)}")
            else:
                own[key_node.value] = value
        return merged | own


def _line(node: yaml.Node) -> str:
    return f" in line {node.start_mark.line + 1}"


def _scalar(node: yaml.ScalarNode) -> Any:
    """The value of a scalar; its tag is one of the plain ones."""
    kind = node.tag.removeprefix(_PREFIX)
    text = node.value
    if kind == "str":
        return text
    if kind not in _PATTERNS or not re.fullmatch(_PATTERNS[kind][0], text):
        raise ConfigError(f"expected plain data, got the tag {shorten_text(node.tag)}{_line(node)}")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        if len(text) > 1000:
            raise ConfigError(f"expected a number of at most 1000 digits, got {len(text)}{_line(node)}")
        return int(text, 16 if text.startswith("0x") else 10)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def parse_yaml(text: str) -> Any:
    """The plain tree of one YAML document.

    >>> parse_yaml("solver: {max_iters: 4e4}")
    {'solver': {'max_iters': 40000.0}}

    Raises:
        ConfigError: no YAML, a tag, a key that stands twice, too deep or too large.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        return None if node is None else _Builder().build(node)
    except RecursionError:
        raise ConfigError(f"expected at most {DEEPEST} levels, got more") from None
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"not YAML: {shorten_text(str(problem))}{line}") from None


def parse_json(text: str) -> Any:
    """The plain tree of one JSON document; raises as :func:`parse_yaml`."""
    try:
        tree = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ConfigError(f"expected at most {DEEPEST} levels, got more") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError("expected numbers of at most 1000 digits, got more") from None
    check_plain(tree)
    return tree


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if key in tree:
            raise ConfigError(f"key {shorten_text(key)} stands twice in one section")
        tree[key] = value
    return tree


def check_plain(tree: Any) -> None:
    """Refuse what no JSON or YAML file can hold, as a checkpoint's config may, and what is too deep or too large.

    Raises:
        ConfigError: another type than those of plain data, a key that is no text, or more values or levels than a file
            may have.
    """
    level, values = [tree], 0
    for _ in range(DEEPEST + 1):
        values += len(level)
        if values > MOST_VALUES:
            raise ConfigError(f"expected at most {MOST_VALUES} values, got more")
        for part in level:
            if type(part) not in _PLAIN_TYPES:
                raise ConfigError(f"expected plain data, got a {type(part).__name__}")
            if type(part) is dict and not all(type(key) is str for key in part):
                raise ConfigError("expected names as keys, got others")
        parts = [part for part in level if isinstance(part, (dict, list))]
        level = [value for part in parts for value in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return
    raise ConfigError(f"expected at most {DEEPEST} levels, got more")


def parse_value(text: str) -> Any:
    """A value of the command line: a YAML scalar, or a list or mapping in ``[...]`` or ``{...}``.

    >>> parse_value("1e-3"), parse_value("yes"), parse_value("[320, 256]"), parse_value("null")
    (0.001, 'yes', [320, 256], None)

    Raises:
        ConfigError: what begins as a list, mapping or quoted text isn't one.
    """
    if not text or len(text) > LARGEST_FILE:
        return text or None
    if text[0] in "[{\"'":
        return parse_yaml(text)
    for kind in ("null", "bool", "int", "float"):
        if re.fullmatch(_PATTERNS[kind][0], text) and not (kind == "int" and len(text) > 1000):
            return _scalar(yaml.ScalarNode(_PREFIX + kind, text))
    return text


def read_file(path: Path) -> dict[str, Any]:
    """The tree of one config file, ``_base_`` unresolved.

    Raises:
        ConfigError: missing, unreadable, not JSON or YAML, or no mapping; the message begins with the path.
    """
    try:
        if not os.path.isfile(path):
            raise ConfigError("no such file")
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"expected a config of at most {LARGEST_FILE} bytes, got {path.stat().st_size}")
        text = path.read_bytes().decode("utf-8-sig")
        parsers = {".json": parse_json, ".yaml": parse_yaml, ".yml": parse_yaml}
        if path.suffix.lower() not in parsers:
            raise ConfigError(f"expected a file ending in {', '.join(parsers)}, got {path.suffix or 'no ending'}")
        tree = parsers[path.suffix.lower()](text)
        if not isinstance(tree, dict):
            raise ConfigError(
                "expected a mapping of sections, got " + ("nothing" if tree is None else type(tree).__name__)
            )
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{printable(str(path))}: expected UTF-8 text, got other bytes at position {error.start}"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{printable(str(path))}: {reason}") from None
    return tree


def read_with_bases(path: Path, open_files: tuple[str, ...] = ()) -> list[tuple[str, dict[str, Any]]]:
    """The layers that a config file consists of, bases first, itself last.

    Args:
        path: the config file.
        open_files: the files whose ``_base_`` led here.

    Returns:
        (path as text, tree without ``_base_``) per layer; later ones win.

    Raises:
        ConfigError: as :func:`read_file`; a cycle of bases; a missing base, with the file that asks for it.
    """
    tree = read_file(path)
    shown, real = printable(str(path)), os.path.realpath(path)
    if real in open_files:
        chain = " -> ".join(printable(file) for file in (*open_files, real))
        raise ConfigError(f"{shown}: the bases form a cycle: {chain}")
    if len(open_files) > DEEPEST:
        raise ConfigError(f"{shown}: {BASE_KEY}: expected at most {DEEPEST} levels, got more")
    bases = tree.pop(BASE_KEY, [])
    bases = [bases] if isinstance(bases, str) else bases
    if not isinstance(bases, list) or not all(isinstance(base, str) and base and "\0" not in base for base in bases):
        raise ConfigError(f"{shown}: {BASE_KEY}: expected a file name or a list of file names")
    layers: list[tuple[str, dict[str, Any]]] = []
    for base in bases:
        base_path = path.parent / os.path.expanduser(base)
        if not os.path.isfile(base_path):
            raise ConfigError(f"{shown}: {BASE_KEY}: no such file: {printable(str(base_path))}")
        layers += read_with_bases(base_path, (*open_files, real))
        if len(layers) > 1000:
            raise ConfigError(f"{shown}: {BASE_KEY}: expected at most 1000 files, got more")
    return [*layers, (str(path), tree)]
