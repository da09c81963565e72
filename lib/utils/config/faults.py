"""What is wrong with a config, one fault per key, in words that lead to the remedy."""

import difflib
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lib.utils.errors import ConfigError

NOTHING = object()
LONGEST_SHOWN = 120
MOST_SHOWN = 100

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80
_repr.maxlong = 40
_repr.maxlevel = 3
_repr.maxdict = _repr.maxlist = 8


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a config.

    Attributes:
        key: dotted key, e.g. ``solver.max_iters``.
        expected: what would have been right, e.g. ``"an integer"``; empty if ``hint`` says it all.
        got: the value that came; ``NOTHING`` if there is none to show.
        hint: the remedy, e.g. ``"did you mean backbone?"``.
        others: dotted keys of values that this one was compared with; a fault of theirs silences this one.
        source: the file or option that the value came from, where that isn't the config file itself.
    """

    key: str
    expected: str = ""
    got: Any = NOTHING
    hint: str = ""
    others: tuple[str, ...] = ()
    source: str = ""

    @classmethod
    def unknown_name(cls, key: str, got: Any, valid: Iterable[str]) -> "Fault":
        """The fault of a name that nothing is registered under, or of no name at all, with the nearest valid one."""
        valid = sorted(valid)
        near = nearest(got, valid) if isinstance(got, str) else None
        return cls(key, f"one of {', '.join(valid)}", got, f"did you mean {near}?" if near else "")

    def __str__(self) -> str:
        parts = [f"expected {self.expected}"] if self.expected else []
        if self.got is not NOTHING:
            parts.append(f"got {shorten(self.got)}")
        if self.hint:
            parts.append(self.hint)
        origin = f" (from {printable(self.source)})" if self.source else ""
        return f"{shorten_text(self.key)}: {', '.join(parts)}{origin}"


def shorten(value: Any) -> str:
    """A value in at most ``LONGEST_SHOWN`` printable characters."""
    if type(value) in (int, float, str, bool, list, dict) or value is None:
        try:
            text = (
                "null"
                if value is None
                else str(value).lower()
                if value is True or value is False
                else _repr.repr(value)
            )
        except ValueError:
            text = "an integer of thousands of digits"
    else:
        text = f"a {type(value).__name__}"
    return shorten_text(text)


def shorten_text(text: str) -> str:
    """Text in at most ``LONGEST_SHOWN`` printable characters, on one line."""
    shown = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN // 2] + " ... " + text[-LONGEST_SHOWN // 3 :]
    return printable(shown)


def printable(text: str) -> str:
    """Text on one line, what can't be printed written as an escape."""
    return text if text.isprintable() else ascii(text)[1:-1]


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """``"did you mean backbone?"``, or the valid names where none is near.

    >>> did_you_mean("bakbone", ["backbone", "resume"])
    'did you mean backbone?'
    """
    valid = sorted(valid)
    near = nearest(name, valid)
    if near:
        return f"did you mean {near}?"
    return f"valid names: {', '.join(valid)}" if valid else "there are no valid names"


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that is most like ``name``, if one is."""
    names = {valid_name.lower(): valid_name for valid_name in valid}
    close = difflib.get_close_matches(name[:100].lower(), names, n=1)
    return names[close[0]] if close else None


def refuse(where: str, faults: Sequence[Fault]) -> None:
    """Raise one :class:`ConfigError` with all faults (of thousands, the first 100), if there are any.

    Args:
        where: the file or command line that they are in; the message's header.
        faults: the faults, in the order of the message.
    """
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = [f"{printable(where)}: {count}", *(f"  {fault}" for fault in faults[:MOST_SHOWN])]
        if len(faults) > MOST_SHOWN:
            lines.append(f"  and {len(faults) - MOST_SHOWN} more")
        raise ConfigError("\n".join(lines))
