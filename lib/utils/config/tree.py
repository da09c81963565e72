"""Reading and changing plain trees (what JSON and YAML hold) by dotted keys."""

from typing import Any

from lib.utils.config.faults import NOTHING

Tree = dict[str, Any]


def get(tree: Tree, key: str, default: Any = None) -> Any:
    """The value at a dotted key; ``default`` where there is none.

    >>> get({"solver": {"max_iters": 3}}, "solver.max_iters")
    3
    """
    value: Any = tree
    for name in key.split("."):
        if not isinstance(value, dict) or name not in value:
            return default
        value = value[name]
    return value


def get_text(tree: Tree, key: str) -> str:
    """The text at a dotted key; empty where there is none."""
    value = get(tree, key)
    return value if isinstance(value, str) else ""


def put(tree: Tree, key: str, value: Any) -> None:
    """Set a dotted key; where something else than a section is in the way, that stays.

    >>> tree = {}
    >>> put(tree, "solver.max_iters", 3)
    >>> tree
    {'solver': {'max_iters': 3}}
    """
    *sections, name = key.split(".")
    for section in sections:
        inner = tree.setdefault(section, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[name] = value


def take(tree: Tree, key: str) -> Any:
    """Remove a dotted key and return its value; NOTHING where there is none."""
    section, _, name = key.rpartition(".")
    holder = get(tree, section) if section else tree
    return holder.pop(name, NOTHING) if isinstance(holder, dict) else NOTHING
