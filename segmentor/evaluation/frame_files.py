"""The files of a predicted frame: mask, picture and probabilities, written in threads beside the network's work."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np

from lib import vis
from lib.datasets.labels import LabelMap
from lib.utils.config import Config
from lib.utils.files import atomic_write
from lib.utils.manifest import Manifest

FRAME_FILES = (("label", ".png"), ("vis", ".png"), ("prob", ".npy"))
"""Folder and suffix of the files of each frame."""


class Background:
    """A thread pool as a context, with a bounded queue, so that memory stays bounded.

    With one thread, calls are made in the order in which they were submitted. Leaving the ``with`` block waits for all
    of them, unless an error is the reason.

    Args:
        threads: number of threads.
        max_pending: calls that may be unfinished before :meth:`submit` waits.
        start_thread: called first in every thread, if there is something to set up.
    """

    def __init__(self, threads: int, max_pending: int, start_thread: Callable[[], None] | None = None) -> None:
        self._pool = ThreadPoolExecutor(threads, initializer=start_thread)
        self._max_pending = max_pending
        self._pending: deque[Future] = deque()

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=error is not None)
        if error is None:
            self._collect(0)

    def submit(self, work: Callable[..., Any], *args: Any) -> Future:
        """Queue the call ``work(*args)``; raises the error of a call queued earlier, if there was one."""
        future = self._pool.submit(work, *args)
        self._pending.append(future)
        self._collect(self._max_pending)
        return future

    def _collect(self, max_pending: int) -> None:
        while len(self._pending) > max_pending:
            self._pending.popleft().result()


class FrameFiles:
    """Writes a frame's ``label/<name>.png``, with ``test.save_vis`` ``vis/<name>.png``, and with ``test.save_prob``
    ``prob/<name>.npy``.

    Args:
        config: of the run.
        manifest: of the folder that gets the three; lists the files.
    """

    def __init__(self, config: Config, manifest: Manifest) -> None:
        self.save_vis, self.save_prob = config.test.save_vis, config.test.save_prob
        self._names = config.data.names
        self._manifest = manifest
        data = config.data
        self._palette = vis.palette_of(data.num_classes, data.palette)
        self._values = np.arange(data.num_classes, dtype=np.uint8)
        if config.test.raw_labels:
            self._values = LabelMap(data.num_classes, data.remap_classes).values()
        self._palette_of_values = np.zeros((256, 3), np.uint8)
        self._palette_of_values[self._values] = self._palette

    def write(
        self, name: str, frame: np.ndarray, label: np.ndarray, probability: np.ndarray | None
    ) -> np.ndarray | None:
        """Write the files of one frame; returns the picture in ``vis/``, (H', W', 3) uint8 RGB, or None without it.

        Args:
            name: of the files, without suffix.
            frame: (H, W) or (H, W, channels) float32, deg C.
            label: (H, W) uint8 predicted classes.
            probability: (H, W, C) float32 of the classes; needed with ``save_prob`` alone.
        """
        wanted = (True, self.save_vis, self.save_prob)
        paths = [self._manifest.folder / part / f"{name}{end}" for part, end in FRAME_FILES]
        label_path, picture_path, probability_path = paths
        picture = None
        with self._manifest.writing(*(path for path, is_wanted in zip(paths, wanted, strict=True) if is_wanted)):
            vis.save_label(label_path, self._values[label], self._palette_of_values)
            if self.save_vis:
                picture = vis.save_overlay(picture_path, frame, label, self._names, self._palette)
            if self.save_prob:
                with atomic_write(probability_path, durable=False) as file:
                    np.save(file, np.ascontiguousarray(probability))
        return picture
