"""The unit that the lines above a table say."""

import re
from collections.abc import Iterable, Sequence

from lib.thermal.units import CELSIUS, PRESETS, Unit
from lib.utils.errors import DataError

# Degree signs of UTF-8, GBK and code page 437 that were read as Latin-1, and look-alikes.
_DEGREES = {
    "\u00a1\u00e6": "\u00b0C",
    "\u00a1\u00e3": "\u00b0",
    "\u2103": "\u00b0C",
    "\u2109": "\u00b0F",
    "\u212a": "K",
}
_LETTER = r"[\s_]*([CFK])(?![A-Za-z0-9])"
_SPELLINGS = (
    re.compile(r"(?:[\u00b0\u00ba\u02da\u2218\u00f8\u00a1\ufffd?]|&deg;|(?<![a-z])deg(?:ree)?s?\.?)" + _LETTER, re.I),
    re.compile(r"[\[(]\s*([CFK])\s*[\])]"),
    re.compile(
        r"(?<![A-Za-z])(?:(?i:in|units?|einheit|temperatures?|temp)(?:\W{1,4}|_)|T\s*[/_]\s*)([CFK])(?![\w:\\/])"
    ),
)
_WORD = re.compile(r"(?<![a-z])(centi|deci|milli)?[-_ ]?(celsius|centigrade|fahrenheit|kelvin)(?![a-z])", re.IGNORECASE)
_MEASURED = re.compile(r"[-+]?\d+(?:[.,]\d+)?\s*([CFK])")
_PATH = re.compile(r"\\|\.\w{3,4}$|^/|/\w+/")
_BY_LETTER = {"C": CELSIUS, "F": PRESETS["fahrenheit"], "K": PRESETS["kelvin"]}
_BY_WORD = {
    **{"celsius": CELSIUS, "centigrade": CELSIUS, "fahrenheit": PRESETS["fahrenheit"], "kelvin": PRESETS["kelvin"]},
    **{name.replace("_", ""): PRESETS[name] for name in PRESETS if name.endswith(("celsius", "ikelvin"))},
}


def unit_in_header(lines: Iterable[Sequence[str]], where: str) -> Unit | None:
    """The unit of temperature in the lines above a table; None if they say none.

    Args:
        lines: the cells of each line. Names of files don't count.
        where: the file, for messages.

    Raises:
        DataError: they name several units.

    >>> unit_in_header([["All temperatures in \\u00b0F."]], "a.csv").name
    'fahrenheit'
    >>> unit_in_header([["File:", "C:/in/F.jpg"], ["Emissivity", "0.95"]], "a.csv")
    """
    found: dict[Unit, str] = {}
    for line in lines:
        cells = [cell.strip() for cell in line if not _PATH.search(cell.strip())]
        text = " ".join(cells)
        found.update((unit, text) for unit in _units_in(text))
        if "temp" in text.lower():
            measured = filter(None, map(_MEASURED.fullmatch, cells))
            found.update((_BY_LETTER[match.group(1)], text) for match in measured)
    if len(found) > 1:
        several = " and ".join(f"{unit.name} ({text!r})" for unit, text in found.items())
        raise DataError(
            f"{where}: its header names several units, {several}: say with --temp_preset which one its numbers are in, "
            "or --temp_scale 1 for deg C"
        )
    return next(iter(found), None)


def _units_in(text: str) -> list[Unit]:
    for other, usual in _DEGREES.items():
        text = text.replace(other, usual)
    letters = [letter.upper() for spelling in _SPELLINGS for letter in spelling.findall(text)]
    words = ["".join(parts).lower() for parts in _WORD.findall(text)]
    return [_BY_LETTER[letter] for letter in letters] + [_BY_WORD[word] for word in words if word in _BY_WORD]
