"""A lock between processes that ends with its process, however that ends."""

import errno
import fcntl
import logging
import os
import socket
from pathlib import Path
from types import TracebackType

from lib.utils.errors import CheckpointError
from lib.utils.files import output_error

logger = logging.getLogger("samcl")


class RunLock:
    """Keeps other processes from what a file stands for, until its context or this process ends.

    A POSIX record lock: the kernel drops it with the process, worker processes don't inherit it, and NFS passes it on
    between machines. Where a file system knows no locks, a warning says so. The small file stays; the lock counts.

    Args:
        path: of the lock file; made, with its folder, if missing.
        what: that is locked, for the message.

    Raises:
        CheckpointError: another process holds it; names that process and its machine.
        OutputError: the file can't be made.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._file: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise output_error(path, error) from error
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.write(self._file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise CheckpointError(
                    f"{what} is being written by {self._holder(self._file)}; wait for it or stop it, or choose another "
                    f"name with --checkpoints_name"
                ) from error
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise output_error(path, error) from error
            logger.warning("%s: no locks on this file system; start no second run of this name", path)

    def release(self) -> None:
        """Let others in; a second call does nothing."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()

    def _holder(self, file: int) -> str:
        holder = os.read(file, 200).decode(errors="replace")
        self.release()
        return holder or "another process"

    def __del__(self) -> None:
        self.release()
