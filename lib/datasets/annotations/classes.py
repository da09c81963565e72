"""From labels, as people write them in tools, to the classes of a network."""

import re
from collections.abc import Iterable, Mapping, Sequence

from lib.datasets.annotations.outlines import IGNORE_LABEL
from lib.datasets.labels import LabelMap
from lib.utils.errors import ConfigError, DataError
from lib.utils.labels import IGNORE
from lib.utils.text import first_few

BACKGROUND = "background"
_BACKGROUNDS = ("background", "_background_", "__background__", "0")
_IGNORED = ("ignore", "ignored", "_ignore_", "__ignore__", "void", "255")


class Labels:
    """The one way to write a label: what was renamed, colours as numbers, the names of background and ignored pixels.

    Args:
        renamed: new labels by old ones.
        colours: numbers of classes by colour ``#rrggbb``.
    """

    def __init__(self, renamed: Mapping[str, str], colours: Mapping[str, int]) -> None:
        self._renamed, self._colours = renamed, colours

    def canonical(self, label: str) -> str:
        """The label as classes are compared with; ``background`` and ``ignore`` for all words for these."""
        label = self._renamed.get(label, label).strip()
        if label in self._colours:
            label = str(self._colours[label])
        folded = label.casefold()
        return BACKGROUND if folded in _BACKGROUNDS else IGNORE_LABEL if folded in _IGNORED else label


def parse_renames(words: Iterable[str]) -> dict[str, str]:
    """New labels by old ones of ``OLD=NEW`` words.

    Raises:
        ConfigError: another word.

    >>> parse_renames(["left eye=eyes"])
    {'left eye': 'eyes'}
    """
    renamed = {}
    for word in words:
        old, equals, new = word.partition("=")
        if not (old and equals and new.strip()):
            raise ConfigError(f"--rename: expected OLD=NEW, got {word!r}")
        renamed[old] = new
    return renamed


def classes_of(declared: Iterable[str], found: Iterable[str], labels: Labels) -> list[str]:
    """Names of the classes where nobody says which there are: background, then the declared labels in their order, or
    those that were found, numbers before words.

    Raises:
        DataError: there is no label but the background, a colour that means no class, or more than 254.
    """
    names = [*map(labels.canonical, declared)] or sorted(map(labels.canonical, found), key=_numbers_first)
    names = list(dict.fromkeys(names))
    classes = [BACKGROUND, *(name for name in names if name not in (BACKGROUND, IGNORE_LABEL))]
    unnamed = [name for name in classes if re.fullmatch("#[0-9a-f]{6}", name)]
    if unnamed:
        raise DataError(
            f"the colours {first_few(unnamed)} have no name; put a labelmap.txt with lines name:r,g,b beside the "
            "masks, or say --rename '#rrggbb=name'"
        )
    if len(classes) < 2:
        raise DataError("all labels are background, so there is nothing to learn; label more, or see --rename")
    if len(classes) > IGNORE - 1:
        raise DataError(f"{len(classes)} different labels ({first_few(classes)}); there can be 254: are these classes?")
    return classes


def _numbers_first(name: str) -> tuple[bool, int, str]:
    return not name.isdecimal(), int(name[:9]) if name.isdecimal() else 0, name


class ClassTable:
    """The class of each label.

    Args:
        names: of the classes, the background first.
        labels: how labels are written.
        remap_classes: the class of each number, see ``data.remap_classes``; None = as they are.
    """

    def __init__(self, names: Sequence[str], labels: Labels, remap_classes: Sequence[int] | None = None) -> None:
        self._names, self._labels = list(names), labels
        self._numbers = LabelMap(len(self._names), remap_classes)

    def class_of(self, label: str, where: str) -> int:
        """The class, 255 where it is ignored.

        Raises:
            DataError: there is no such class; names the label, where it stands, and what to do.
        """
        name = self._labels.canonical(label)
        if name in self._names:
            return self._names.index(name)
        if name == BACKGROUND:
            return 0
        if name == IGNORE_LABEL:
            return IGNORE
        number = self._numbers.class_of(int(name)) if name.isdecimal() and len(name) <= 3 and int(name) < 256 else None
        if number is None:
            raise DataError(
                f"{where}: the label {label!r} is no class; the classes are {', '.join(self._names)}. Correct the "
                f"label, say --rename '{label}=CLASS' (or =ignore, =background), or name the class in data.class_names"
            )
        return number
