"""Whose frames these are, as far as their names tell."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_MARKED = re.compile(r"(?<![a-z0-9])(?:sub|subj|subject|person|participant|patient)[-_]?\d+(?!\d)", re.IGNORECASE)


class Subjects(NamedTuple):
    """The subjects of a set of frames.

    Attributes:
        of: subject by frame name; names that tell of none are left out.
        marked: whether the names say so (``irface_sub007_seq02_frm00086``, ``sub-07_ses-1``), or it is a guess.
    """

    of: dict[str, str]
    marked: bool


def subjects_of(names: Iterable[str]) -> Subjects:
    """The subject of every name.

    A part like ``sub007``, ``sub-07``, ``subject_7``, ``person7``, ``participant7`` or ``patient7`` is one, as in the
    Thermal Face Database. Where no name has any, the part before the first ``_`` is taken for it (``anna_001``), if
    that tells frames apart in groups: neither all the same (``frame_001``) nor all different. Upper and lower case are
    the same: ``SUB007`` is ``sub007``.
    """
    names = list(names)
    found = {name: match[0].casefold() for name in names if (match := _MARKED.search(name))}
    if found:
        return Subjects(found, True)
    first = {name: name.partition("_")[0].casefold() for name in names if "_" in name.strip("_")}
    groups = len(set(first.values()))
    return Subjects(first if len(first) == len(names) and 1 < groups < len(names) else {}, False)
