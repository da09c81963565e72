"""Decoded frames in memory, kept once for all processes that read them."""

import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import reduction
from typing import Any, BinaryIO

import numpy as np

READY = 1
"""State of a frame that is in the memory; 0 before."""


class FrameCache:
    """Keeps frames and labels from their first reading on.

    Worker processes, forked or spawned, share one block of memory. It has no name, so killed processes leave nothing
    behind, and the system gives its pages only as they are filled. Each frame is locked by itself while it is filled
    and looked up; the system unlocks what a killed process held.

    Args:
        sizes: (H, W) of each frame in pixels; None for one that is not kept.
        num_channels: C of the frames.
        labelled: whether they have labels.
        max_bytes: of memory; frames that don't fit, the last ones, are not kept.

    Attributes:
        nbytes: of memory when every frame that fits is in it.
        count: number of frames that fit.
    """

    def __init__(
        self, sizes: Sequence[tuple[int, int] | None], num_channels: int, labelled: bool, max_bytes: float
    ) -> None:
        self._shapes = [size and (*size, num_channels)[: 2 if num_channels == 1 else 3] for size in sizes]
        self._labelled = labelled
        self._starts: list[int | None] = []  # of each frame's values in the memory, behind a byte of state for each
        self.nbytes, self.count = _aligned(len(sizes)), 0
        for size in sizes:
            needed = _aligned(size[0] * size[1] * (4 * num_channels + labelled)) if size else 0
            fits = size is not None and self.nbytes + needed <= max_bytes
            self._starts.append(self.nbytes if fits else None)
            self.nbytes += needed if fits else 0
            self.count += fits
        self._file = _nameless_file(self.nbytes)
        self._map()

    def _map(self) -> None:
        self._memory = mmap.mmap(self._file.fileno(), max(self.nbytes, 1))

    def get(self, index: int) -> tuple[np.ndarray, np.ndarray | None] | None:
        """Image float32 (H, W[, C]) and label uint8 (H, W) or None, both read-only; None if they aren't kept (yet)."""
        with self._locked(index, fcntl.LOCK_SH) as locked:
            ready = locked and self._memory[index] == READY
        if not ready:
            return None
        image, label = self._views(index)
        for view in (image, label):
            if view is not None:
                view.flags.writeable = False
        return image, label

    def put(self, index: int, image: np.ndarray, label: np.ndarray | None) -> None:
        """Keep a frame, if it fits and no other process keeps it at this moment; arguments as :meth:`get` returns."""
        with self._locked(index, fcntl.LOCK_EX) as locked:
            if not locked or self._memory[index] == READY:
                return
            for view, values in zip(self._views(index), (image, label), strict=True):
                if view is not None:
                    view[...] = values
            self._memory[index] = READY

    @contextmanager
    def _locked(self, index: int, kind: int) -> Iterator[bool]:
        """Whether the frame has a place and this process may look at it (``LOCK_SH``) or fill it (``LOCK_EX``) now."""
        if self._starts[index] is None:
            yield False
            return
        try:
            fcntl.lockf(self._file, kind | fcntl.LOCK_NB, 1, index)
        except (BlockingIOError, PermissionError):  # another process has the lock
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, index)

    def _views(self, index: int) -> tuple[np.ndarray, np.ndarray | None]:
        shape, start = self._shapes[index], self._starts[index]
        assert shape is not None
        assert start is not None
        count = int(np.prod(shape))
        image = np.frombuffer(self._memory, np.float32, count, start).reshape(shape)
        if not self._labelled:
            return image, None
        return image, np.frombuffer(self._memory, np.uint8, shape[0] * shape[1], start + 4 * count).reshape(shape[:2])

    def __getstate__(self) -> dict[str, Any]:
        """For a process that is being spawned: it gets the same memory."""
        state = self.__dict__ | {"_file": reduction.DupFd(self._file.fileno())}
        del state["_memory"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state | {"_file": os.fdopen(state["_file"].detach(), "r+b", buffering=0)}
        self._map()


def _aligned(count: int) -> int:
    """``count`` bytes, rounded up to whole float32 values."""
    return -(-count // 4) * 4


def _nameless_file(size: int) -> BinaryIO:
    """A file of ``size`` zero bytes that no other program sees; in memory where the system has such files (Linux)."""
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("frames"), "r+b", buffering=0)
    else:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    file.truncate(max(size, 1))
    return file
