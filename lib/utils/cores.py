"""How much of the machine this process may use."""

import os


def available_cores() -> int:
    """CPU cores that this process may run on: the limits of a cluster's job count, not the machine's size."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
