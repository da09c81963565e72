"""A lock between processes that ends with its process, however that ends."""

import errno
import fcntl
import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from lib.utils.errors import CheckpointError
from lib.utils.files import output_error

logger = logging.getLogger("samcl")


class RunLock:
    """Keeps other processes from what a file stands for, until its context or this process ends.

    A POSIX record lock: the kernel drops it with the process, worker processes don't inherit it, and NFS passes it on
    between machines. Where a file system knows no locks, a warning says so. The small file stays, unless the lock is
    withdrawn.

    Args:
        path: of the lock file; made, with its folder, if missing.
        what: that is locked, for the message.

    Raises:
        CheckpointError: another process holds it; names that process and its machine.
        OutputError: the file can't be made.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what
        self._file: int | None = None
        # From the innermost on.
        self._made = [folder for folder in path.parents if not folder.exists()]
        self._is_new = not path.exists()
        while self._file is None:
            self._file = self._locked()

    def _locked(self) -> int | None:
        """The locked file; None where its last holder has withdrawn it while this process opened it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise output_error(self._path, error) from error
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(file, self._path):
                os.close(file)
                return None
            os.ftruncate(file, 0)
            os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise CheckpointError(
                    f"{self._what} is being written by {_holder(file)}; wait for it or stop it, or choose another name "
                    f"with --checkpoints_name"
                ) from error
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                os.close(file)
                raise output_error(self._path, error) from error
            logger.warning("%s: no locks on this file system; start no second run of this name", self._path)
        return file

    def withdraw(self) -> None:
        """Let others in, and remove the file and the folders that were made for it, as far as they are empty."""
        if self._file is None:
            return
        with suppress(OSError):
            if self._is_new:
                self._path.unlink()
            for folder in self._made:
                folder.rmdir()
        self.release()

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()


def _is_at(file: int, path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _holder(file: int) -> str:
    """Who holds the lock, as the file says; closes it."""
    holder = os.read(file, 200).decode(errors="replace")
    os.close(file)
    return holder or "another process"
