"""Which files of a folder runs of this project wrote: a later run replaces or removes those, and no other file."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from lib.utils.errors import ConfigError, OutputError
from lib.utils.files import output_error
from lib.utils.text import first_few

FORMER_FILES = (
    *("label/{}.png", "vis/{}.png", "prob/{}.npy", "metrics.json", "frames.csv", "report.html", "overlay.mp4"),
    *("regions.csv", "regions.png", "breathing.csv", "breathing.json", "breathing.png"),
)
"""What a line of former versions, the name of a frame, stands for."""
REMEDY = "name another folder with --out_dir"
"""Of phases."""
MAX_TIME_DIFFERENCE = 2.0
"""Seconds by which file systems may round or delay a file's time of modification."""

Stamp = tuple[int, float] | None
"""Size in bytes and time of modification in seconds of a finished file; None of one that was only begun."""


class Manifest:
    """Lists the files that runs write into a folder, in hidden files ``.written-*.jsonl`` beside them.

    A name says nothing about who wrote a file: a label drawn by hand may be called as a predicted one. So a file is a
    run's own if it is listed and since it was finished hasn't changed its size and time of modification.

    Threads and processes may list files at the same time.

    Args:
        folder: need not exist.
        kind: of the files. Runs see those of their own kind only; those of ``results`` include what former versions
            listed.
        rank: of this process, which has a listing of its own.
    """

    def __init__(self, folder: Path, kind: str, rank: int = 0) -> None:
        self.folder, self._kind, self._rank = folder, kind, rank

    @contextmanager
    def writing(self, *paths: Path) -> Iterator[None]:
        """A context in which files of the folder are written: they are listed before, and again when they are whole."""
        # Before, so that what a killed run wrote is known, too.
        self._append([self._name(path)] for path in paths)
        yield
        self.add(*paths)

    def add(self, *paths: Path) -> None:
        """List files that a run has written; those that don't exist are left out."""
        self._append([self._name(path), *_stamp(path)] for path in paths if path.exists())

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def own_files(self) -> list[Path]:
        """The files in the folder that runs wrote and nobody has changed since."""
        return [path for path, stamp in self._listed().items() if path.is_file() and _is_unchanged(path, stamp)]

    def refuse_others(self, paths: Iterable[Path], remedy: str) -> None:
        """Check that of some files those that exist are runs' own.

        Args:
            paths: that will be written or removed.
            remedy: what to do instead, for the message.

        Raises:
            OutputError: some are not; names the first of them.
        """
        own = set(self.own_files())
        # A power cut may leave files empty and unlisted.
        others = sorted(path for path in paths if path not in own and path.exists() and path.stat().st_size)
        if others:
            listed = first_few([path.relative_to(self.folder) for path in others], 3)
            raise OutputError(
                f"{self.folder}: holds files that no run of this project wrote, or that were changed since ({listed}); "
                f"they are neither replaced nor removed: {remedy}"
            )

    def clear(self) -> None:
        """Remove the files that runs wrote, and nothing else."""
        for path in self.own_files():
            path.unlink(missing_ok=True)
        for listing in self._listings():
            listing.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Whether a run has listed files here."""
        return bool(self._listings())

    def _listings(self) -> list[Path]:
        former = self.folder.glob(".written-[0-9]*.jsonl") if self._kind == "results" else ()
        return sorted({*self.folder.glob(f".written-{self._kind}-*.jsonl"), *former})

    def _listed(self) -> dict[Path, Stamp]:
        found: dict[Path, Stamp] = {}
        for listing in self._listings():
            try:
                lines = listing.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:  # another process has just removed it, after its files
                continue
            for line in lines:
                found.update((self.folder / name, stamp) for name, stamp in _entries(line))
        return found

    def _append(self, entries: Iterable[list]) -> None:
        path = self.folder / f".written-{self._kind}-{self._rank}.jsonl"
        content = "".join(f"{json.dumps(entry)}\n" for entry in entries)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # One call each, so that lines of several processes don't mix.
            with open(path, "ab", buffering=0) as file:
                file.write(content.encode())
        except OSError as error:
            raise output_error(path, error) from error


def refuse_sources(out_dir: Path, parts: Iterable[str], sources: Iterable[Path], remedy: str) -> None:
    """Check that results don't go into a folder that is read from: they would replace its files or be taken for them.

    Args:
        out_dir: folder of the results; need not exist.
        parts: of its subfolders that are written to.
        sources: folders that are read.
        remedy: what to do instead, for the message.

    Raises:
        ConfigError: they would.
    """
    targets = [out_dir, *(out_dir / part for part in parts)]
    for source in sources:
        if any(is_same(target, source) for target in targets):
            raise ConfigError(
                f"{out_dir}: {source} is read from, and results written there would replace its files or be taken for "
                f"them, masks for the truth; {remedy}"
            )


def is_same(first: Path, second: Path) -> bool:
    """Whether two paths, which need not exist, lead to the same file or folder."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return first.resolve() == second.resolve()


def _entries(line: str) -> list[tuple[str, Stamp]]:
    """Names and stamps in a line of a listing; none in one that was cut off when its process was killed."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return []
    found: list[tuple[str, Stamp]]
    if isinstance(entry, str):
        found = [(pattern.format(entry), None) for pattern in FORMER_FILES if PurePosixPath(entry).name == entry]
    elif isinstance(entry, list) and len(entry) in (1, 3) and isinstance(entry[0], str):
        found = [(entry[0], tuple(entry[1:]) or None)]
    else:
        return []
    return [(name, stamp) for name, stamp in found if not {"..", "/"} & set(PurePosixPath(name).parts)]


def _stamp(path: Path) -> tuple[int, float]:
    status = path.stat()
    return status.st_size, status.st_mtime


def _is_unchanged(path: Path, stamp: Stamp) -> bool:
    if stamp is None:
        return True
    size, time = _stamp(path)
    # A power cut may leave a file cut off.
    return not size or size <= stamp[0] and abs(time - stamp[1]) <= MAX_TIME_DIFFERENCE
