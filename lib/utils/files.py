"""Writing files so that a final name only ever holds a whole file."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lib.utils.errors import OutputError


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb", durable: bool = True, **open_kwargs) -> Iterator:
    """Open a temporary file beside ``path``; on success flush it to disk and rename it to ``path``.

    Missing folders are made. If the body raises, the temporary file is removed and whatever stood at ``path`` stays.
    The temporary name is hidden and ends in ``.tmp``, so no reader mistakes it for a result.

    Args:
        path: the final name.
        mode: ``"wb"`` or ``"w"``.
        durable: wait until the file is on the disk. Without, a power cut (not a killed process) may leave the latest
            files empty: for many files that can be made again.
        open_kwargs: passed to :func:`open`, e.g. ``newline=""``.

    Yields:
        The open file object.

    Raises:
        OutputError: the disk is full or read-only, or the folder can't be made or written to.
    """
    path = Path(path)
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, mode, **open_kwargs) as file:
            yield file
            if durable:
                sync(file)
        os.replace(temporary, path)
        if durable:
            _sync_folder(path.parent)
    except BaseException as error:
        # The disk may have become read-only; the fault itself says more than a failure to tidy up.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and _is_of_writing(error, temporary, path.parent):
            raise output_error(path, error) from error
        raise


def sync(file) -> None:
    """Have all that was written to an open file on the disk."""
    file.flush()
    os.fsync(file.fileno())


def output_error(path: str | os.PathLike, error: OSError) -> OutputError:
    """What keeps ``path`` from being written, with the space that its disk has left and the remedy."""
    reason = error.strerror or str(error)
    remedy = {
        errno.ENOSPC: "make room, or write to another disk",
        errno.EDQUOT: "make room within the quota, or write to another disk",
        errno.EROFS: "the disk is mounted read-only: write to another",
        errno.EACCES: "choose a folder that this user may write to",
        errno.EPERM: "choose a folder that this user may write to",
    }.get(error.errno or 0, "check that the folder's disk is there, or choose another folder")
    return OutputError(f"{path}: can't be written: {reason} ({_space_left(Path(path))}); {remedy}")


def _is_of_writing(error: OSError, *ours: Path) -> bool:
    """Whether an error is about the file being written rather than one that the body reads."""
    return not isinstance(error, OutputError) and (error.filename is None or Path(error.filename) in ours)


def _space_left(path: Path) -> str:
    folder = next((parent for parent in path.parents if parent.is_dir()), None)
    try:
        return f"{shutil.disk_usage(folder or '/').free / 1e6:.0f} MB free in {folder}"
    except OSError:
        return "free space unknown"


def _sync_folder(folder: Path) -> None:
    """Have a rename in ``folder`` on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    # Some network file systems can't, and need not.
    with suppress(OSError):
        os.fsync(descriptor)
    os.close(descriptor)


def keep_copy(path: Path, copy: Path) -> None:
    """Let ``copy`` be what ``path`` is, at no moment half of it; ``path`` stays. Nothing happens without ``path``."""
    if not path.exists():
        return
    temporary = _temporary(copy)
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, temporary)
    os.replace(temporary, copy)
    # Renaming a file to another name of itself leaves both names.
    temporary.unlink(missing_ok=True)


def remove_stale_temporaries(folder: Path, names: str) -> None:
    """Delete what killed writers of files in ``folder`` left; no writer of them may be at work.

    Args:
        folder: need not exist.
        names: regular expression of the final names.
    """
    pattern = re.compile(rf"\.(?:{names})\.\d+\.tmp")
    for name in os.listdir(folder) if folder.is_dir() else ():
        if pattern.fullmatch(name):
            (folder / name).unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """Hidden, and of this process alone."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")
