"""Standard input for threads."""

from typing import BinaryIO


def open_standard_input() -> BinaryIO:
    """The bytes of standard input, for a thread that may still wait for them when the process ends.

    With ``sys.stdin.buffer`` such an end is a fatal error: Python closes that, and the thread holds its lock.

    Raises:
        OSError: it is closed.
    """
    return open(0, "rb", closefd=False)
