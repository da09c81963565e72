"""Logging: to the terminal, and as plain lines to a file."""

import logging
import sys
from pathlib import Path

logger = logging.getLogger("samcl")


def start_logging(
    log_file: str | None = None,
    *,
    stdout_level: str = "info",
    logfile_level: str = "info",
    log_format: str = "%(asctime)s %(levelname)-7s %(message)s",
    rewrite: bool = False,
    speak: bool = True,
) -> None:
    """Send the project's log to standard output and, if named, to ``log_file``.

    Args:
        log_file: appended to, or started anew with ``rewrite``; its folder is made.
        stdout_level: least level shown on the terminal (``debug info warning error``).
        logfile_level: the same for the file.
        log_format: of :mod:`logging`.
        rewrite: start the file anew.
        speak: False in all processes but the main one, which show errors alone.
    """
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    terminal = logging.StreamHandler(sys.stdout)
    terminal.setLevel(stdout_level.upper() if speak else "ERROR")
    handlers: list[logging.Handler] = [terminal]
    if log_file and speak:
        Path(log_file).parent.mkdir(parents=True, exist_ok=True)
        to_file = logging.FileHandler(log_file, mode="w" if rewrite else "a")
        to_file.setLevel(logfile_level.upper())
        handlers.append(to_file)
    for handler in handlers:
        handler.setFormatter(logging.Formatter(log_format))
        logger.addHandler(handler)
