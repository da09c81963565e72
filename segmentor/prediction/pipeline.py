"""How the frames of a prediction share the cores of a machine, and in which groups they go through the network."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import cv2
import torch
from torch import Tensor

from lib.thermal import Letterbox, ThermalFrame

MAX_WORKERS = 8
"""Threads that predict; more would wait for each other's Python."""
CPU_BATCH = 4
"""Frames that a CPU computes at once: of more, the features don't fit in its caches."""


class PreparedFrame(NamedTuple):
    """A frame with the image that the network gets.

    Attributes:
        name: unique among the frames.
        position: 0, 1, ... in the sequence, files that were left out counted.
        frame: as read, of its own size.
        image: (1, h, w) float32, normalised; letterboxed but with ``sscrop_test``.
        letterbox: leads back to the frame's size; None where ``image`` has that size.
    """

    name: str
    position: int
    frame: ThermalFrame
    image: Tensor
    letterbox: Letterbox | None


@dataclass(frozen=True)
class Pipeline:
    """What works at the same time.

    On a CPU each worker takes a batch from the network's input to the finished files, with cores of its own. This keeps
    all cores busy, while a network that computes on all of them would wait, layer by layer, for the core that is
    writing files. On other devices the network has one batch at a time, and the workers write the others' files.

    Attributes:
        workers: threads that take batches.
        threads: that PyTorch computes with in each of them.
        batch_size: greatest number of frames in a batch.
        network_turn: a context in which the network is called.
    """

    workers: int
    threads: int
    batch_size: int
    network_turn: AbstractContextManager

    @property
    def ahead(self) -> int:
        """Frames that are read before the network needs them."""
        return 2 * self.batch_size

    @contextmanager
    def computing(self) -> Iterator[None]:
        """A context in which this thread, and OpenCV in all of them, compute as workers do."""
        before = torch.get_num_threads(), cv2.getNumThreads()
        self.start_thread()
        cv2.setNumThreads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            cv2.setNumThreads(before[1])

    def start_thread(self) -> None:
        """What a new thread calls first: OpenMP counts its threads anew for each."""
        torch.set_num_threads(self.threads)


def plan_pipeline(device: torch.device, batch_size: int) -> Pipeline:
    """A pipeline for as many cores as PyTorch may compute with in this thread.

    Args:
        device: of the network.
        batch_size: greatest number of frames in a batch.
    """
    cores = torch.get_num_threads()
    workers = min(cores, MAX_WORKERS)
    if device.type == "cpu":
        return Pipeline(workers, cores // workers, min(batch_size, CPU_BATCH), nullcontext())
    return Pipeline(workers, 1, batch_size, Lock())


def batches_of(frames: Iterable[PreparedFrame], size: int) -> Iterator[list[PreparedFrame]]:
    """Batches of consecutive frames, at most ``size``, whose images have the same shape."""
    batch: list[PreparedFrame] = []
    for frame in frames:
        if batch and (len(batch) == size or frame.image.shape != batch[0].image.shape):
            yield batch
            batch = []
        batch.append(frame)
    if batch:
        yield batch


def prefetched(items: Iterable, count: int, start_thread: Callable[[], None]) -> Iterator:
    """The items in order, fetched by a thread, up to ``count`` ahead of the caller; it calls ``start_thread`` first."""
    iterator, end = iter(items), object()
    pool = ThreadPoolExecutor(1, initializer=start_thread)
    try:
        fetched = deque(pool.submit(next, iterator, end) for _ in range(count))
        while (item := fetched.popleft().result()) is not end:
            fetched.append(pool.submit(next, iterator, end))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
