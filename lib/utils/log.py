"""Logging: to the terminal, and as plain lines to a file; and other text for standard output."""

import io
import logging
import os
import sys
from contextlib import suppress
from logging.handlers import MemoryHandler, RotatingFileHandler
from pathlib import Path

from tqdm import tqdm

from lib.utils.errors import OutputError
from lib.utils.files import output_error

logger = logging.getLogger("samcl")


def open_standard_streams() -> None:
    """Let standard output and error take any text: what is closed goes nowhere, what can't be encoded is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  (until the process ends)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show(text: str) -> None:
    """Print text to standard output; where its reader has gone away, nothing happens.

    Raises:
        OutputError: it can't be written to, as its disk is full.
    """
    open_standard_streams()
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _give_up_output()
    except OSError as error:
        _give_up_output()
        raise OutputError(f"standard output can't be written to: {error.strerror}") from error


def _give_up_output() -> None:
    """Send the rest of standard output nowhere: Python would try once more at the end, and complain."""
    with suppress(OSError):  # one that is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


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
    open_standard_streams()
    _add(_Terminal(sys.stdout), level if is_main else "error", log_format)
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
        file = _File(path, maxBytes=half, backupCount=1, encoding="utf-8", errors="backslashreplace")
        handler = _add(file, level, log_format)
    except OSError as error:
        raise output_error(path, error) from error
    for early in [handler for handler in logger.handlers if isinstance(handler, _Early)]:
        early.setTarget(handler)
        early.close()
        logger.removeHandler(early)


class _Terminal(logging.StreamHandler):
    """Lines for standard output, above progress bars; where it is closed or its disk full, the run goes on without."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        try:
            tqdm.write(self.format(record), file=self.stream)
            self.flush()
        except Exception:  # as in logging: what a line says must not end the run
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (a name of logging)
        """Say why, once, instead of a traceback for every line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        _give_up_output()
        _complain(f"standard output can't be written to ({error.strerror}); the run goes on without")


class _File(RotatingFileHandler):
    """Lines for a file; while its disk is full, the run goes on without."""

    _is_told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (a name of logging)
        """Say why, once, instead of a traceback for every line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_told:
            self._is_told = True
            _complain(f"{self.baseFilename}: lines are missing from here on ({error.strerror}); the run goes on")


def _complain(message: str) -> None:
    with suppress(OSError):
        print(f"warning: {message}", file=sys.stderr, flush=True)


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
