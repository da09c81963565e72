"""Former versions of a checkpoint and of the config beside it."""

import os
import re
from pathlib import Path

from lib.utils.files import keep_copy


def previous_path(path: Path, age: int) -> Path:
    """Of the version ``age`` >= 1 before ``name_latest.pth``: ``name_previous.pth``, ``name_previous_2.pth``, ..."""
    stem = path.stem.removesuffix("_latest")
    return path.with_name(f"{stem}_previous{f'_{age}' if age > 1 else ''}{path.suffix}")


def previous_paths(path: Path) -> list[Path]:
    """The former versions of ``path`` that exist, newest first."""
    pattern = re.compile(re.escape(previous_path(path, 1).stem) + r"(?:_([1-9]\d*))?" + re.escape(path.suffix))
    matches = filter(None, map(pattern.fullmatch, os.listdir(path.parent) if path.parent.is_dir() else ()))
    return [path.with_name(match[0]) for match in sorted(matches, key=lambda match: int(match[1] or 1))]


def shift_versions(path: Path, keep: int) -> None:
    """Number the former versions of ``path`` one further, and make ``path``, which stays, the first of them.

    Args:
        path: about to be replaced by a new version.
        keep: how many versions there may be with the new one; older ones are deleted.
    """
    newest = previous_path(path, 1)
    # They are one file where the last call was made by a run that was killed before it replaced ``path``.
    if keep > 1 and path.exists() and not (newest.exists() and newest.samefile(path)):
        for age in range(keep - 2, 0, -1):
            _rename(previous_path(path, age), previous_path(path, age + 1))
        for suffix in _SUFFIXES:
            keep_copy(path.with_suffix(suffix), newest.with_suffix(suffix))
    kept = [previous_path(path, age) for age in range(1, keep)]
    for extra in set(previous_paths(path)).difference(kept):
        for suffix in _SUFFIXES:
            extra.with_suffix(suffix).unlink(missing_ok=True)


_SUFFIXES = (".pth", ".yaml")


def _rename(source: Path, target: Path) -> None:
    for suffix in _SUFFIXES:
        if source.with_suffix(suffix).exists():
            os.replace(source.with_suffix(suffix), target.with_suffix(suffix))
