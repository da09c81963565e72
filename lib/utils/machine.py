"""What this machine offers a process, and what a process has taken of it."""

import ctypes
import os
import platform
import resource
import shutil
import sys
from contextlib import suppress
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Parameters of glibc's ``mallopt``."""


def available_cores() -> int:
    """CPU cores that this process may run on: the limits of a cluster's job count, not the machine's size.

    >>> available_cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


SHARED_MEMORY = Path("/dev/shm")
"""Where Linux keeps memory that processes share."""


def free_shared_memory() -> int | None:
    """Bytes that processes can still share, which a container may have few of; None where the system has no bound."""
    return shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else None


def processor_name() -> str:
    """The CPU's model, as the system names it; its architecture where the system doesn't."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def peak_memory() -> float:
    """The greatest resident size of this process so far, in MB.

    Linux keeps that of the process itself apart from ``ru_maxrss``, which begins at the size of the parent.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    if kilobytes:
        return kilobytes[0] / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def keep_freed_memory() -> None:
    """Have the C library keep what is freed for the next allocation, where it is glibc; nothing happens elsewhere.

    By default it hands blocks of 32 MB and more back to the system at once, and the system clears every page of the
    next one: a network's features, made anew in each pass, then cost more time in the system than some layers take.
    """
    with suppress(OSError, AttributeError):
        c_library = ctypes.CDLL("libc.so.6")
        c_library.mallopt(M_MMAP_MAX, 0)
        c_library.mallopt(M_TRIM_THRESHOLD, -1)
        c_library.mallopt(M_ARENA_MAX, 1)
