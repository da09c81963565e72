"""Logging: to the terminal, and as plain lines to a file."""

import logging
import os
import sys
from logging.handlers import MemoryHandler, RotatingFileHandler
from pathlib import Path

from lib.utils.files import output_error

logger = logging.getLogger("samcl")


def log_to_terminal(level: str, log_format: str, is_main: bool = True) -> None:
    """Send the project's log to standard output, and nowhere else.

    Args:
        level: least level that is shown (``debug info warning error critical``).
        log_format: of :mod:`logging`.
        is_main: False in all processes but the first; these show errors alone.
    """
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    _add(logging.StreamHandler(sys.stdout), level if is_main else "error", log_format)
    logger.addHandler(_Early())


def log_to_file(
    path: str | os.PathLike, level: str, log_format: str, rewrite: bool = False, max_mb: int | None = None
) -> None:
    """Send the project's log to a file as well, from the first line that went to the terminal.

    Args:
        path: appended to, or started anew with ``rewrite``; its folder is made.
        level: least level that is written.
        log_format: of :mod:`logging`.
        rewrite: start the file anew.
        max_mb: bound on the file and the one before it (``<path>.1``) together, in MB (1e6 bytes); None = no bound.

    Raises:
        OutputError: the file can't be written.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if rewrite:
            Path(path).unlink(missing_ok=True)
        half = int(max_mb * 1e6 / 2) if max_mb else 0
        handler = _add(RotatingFileHandler(path, maxBytes=half, backupCount=1), level, log_format)
    except OSError as error:
        raise output_error(path, error) from error
    for early in [handler for handler in logger.handlers if isinstance(handler, _Early)]:
        early.setTarget(handler)
        early.close()
        logger.removeHandler(early)


class _Early(MemoryHandler):
    """Keeps the lines from before the log file is opened; where none is, the first of them and no more."""

    def __init__(self) -> None:
        super().__init__(capacity=1000)

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.buffer) < self.capacity:
            self.buffer.append(record)


def _add(handler: logging.Handler, level: str, log_format: str) -> logging.Handler:
    handler.setLevel(level.upper())
    handler.setFormatter(logging.Formatter(log_format))
    logger.addHandler(handler)
    return handler
