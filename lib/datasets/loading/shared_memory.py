"""The memory that batches take on their way from the processes that load them, of which a container may have little."""

from typing import Any

import torch

from lib.utils.errors import DataError
from lib.utils.machine import SHARED_MEMORY, free_shared_memory

AHEAD = 2
"""Batches that each worker reads ahead."""
REMEDY = (
    "give the container more shared memory (docker run --shm-size 8g, or --ipc host), or load in the main process with "
    "--workers 0"
)


def check_shared_memory(workers: int, needed: int, taken: int) -> None:
    """Check that the batches on their way from workers fit into the shared memory that is left.

    Args:
        workers: number of processes that load.
        needed: bytes of these batches, at most.
        taken: bytes that the batches of another loader will take.

    Raises:
        DataError: they don't; says what does.
    """
    free = free_shared_memory()
    if free is not None and needed and needed + taken > free:
        raise DataError(
            f"{SHARED_MEMORY} has {free / 1e6:.0f} MB left for batches, and {workers} loading processes take up to "
            f"{(needed + taken) / 1e6:.0f} MB of it; {REMEDY}"
        )


def in_shared_memory(batch: dict[str, Any]) -> dict[str, Any] | DataError:
    """A batch with its tensors where the main process finds them; an error in its place where there is no room.

    Left to the thread that hands batches over, the error would reach nobody, and the main process wait forever.
    """
    try:
        for value in batch.values():
            if isinstance(value, torch.Tensor):
                value.share_memory_()
    except (RuntimeError, OSError) as error:
        return DataError(f"a process that loads frames can't hand a batch over ({error}); {REMEDY}")
    return batch
