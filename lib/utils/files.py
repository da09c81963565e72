"""Writing files so that a final name only ever holds a whole file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "wb", **open_kwargs) -> Iterator:
    """Open a temporary file beside ``path``; on success flush it to disk and rename it to ``path``.

    Missing folders are made. If the body raises, the temporary file is removed and whatever stood at ``path`` stays.
    The temporary name is hidden and ends in ``.tmp``, so no reader mistakes it for a result.

    Args:
        path: the final name.
        mode: ``"wb"`` or ``"w"``.
        open_kwargs: passed to :func:`open`, e.g. ``newline=""``.

    Yields:
        The open file object.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, mode, **open_kwargs) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
