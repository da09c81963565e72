"""Lists in messages for people, and the order in which people number things."""

import re
from collections.abc import Sequence

SHOWN = 5


def first_few(items: Sequence[object], shown: int = SHOWN, separator: str = ", ") -> str:
    """The first ``shown`` items, and how many more there are.

    >>> first_few(["a", "b", "c", "d"], shown=2)
    'a, b and 2 more'
    """
    rest = len(items) - shown
    return separator.join(map(str, items[:shown])) + (f" and {rest} more" if rest > 0 else "")


def natural_order(name: str) -> tuple:
    """Sort key: runs of digits by their number.

    >>> sorted(["frame10", "frame2"], key=natural_order)
    ['frame2', 'frame10']
    """
    parts = re.split(r"(\d+)", name.lower())
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in parts], name
