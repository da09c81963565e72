"""Frames of ordinary video files, which hold grey levels, not temperatures."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

logger = logging.getLogger("samcl")

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")


def read_video(path: Path, reading: Reading) -> Stored:
    """A video that OpenCV can decode; colours as their brightness."""
    with _opened(path) as video:
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = video.get(cv2.CAP_PROP_FPS)

    def frames() -> Iterator[np.ndarray]:
        count = 0
        with _opened(path) as video:
            while True:
                there, frame = video.read()
                if not there:
                    break
                count += 1
                yield frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        if not count:
            raise DataError(f"{path}: no frame of this video can be decoded; it is damaged or of an unknown codec")
        if count < promised:
            logger.warning("%s: ends after %d of the %d frames that it promises", path, count, promised)

    return Stored(promised if promised > 0 else None, frames(), fps=fps if 0 < fps < float("inf") else None)


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise DataError(f"{path}: not a video that OpenCV can read, or a damaged one")
        yield video
    finally:
        video.release()
