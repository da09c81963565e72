"""Lists in messages for people."""

from collections.abc import Sequence

SHOWN = 5


def first_few(items: Sequence[object], shown: int = SHOWN, separator: str = ", ") -> str:
    """The first ``shown`` items, and how many more there are.

    >>> first_few(["a", "b", "c", "d"], shown=2)
    'a, b and 2 more'
    """
    rest = len(items) - shown
    return separator.join(map(str, items[:shown])) + (f" and {rest} more" if rest > 0 else "")
