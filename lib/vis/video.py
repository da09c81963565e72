"""Videos of pictures."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

logger = logging.getLogger("samcl")

CODECS = ("avc1", "mp4v")
"""H.264, which browsers show, where OpenCV's build has an encoder of it; else MPEG-4 part 2, which all builds have."""


class VideoFile:
    """Writes pictures to an MP4 file, which is there only once it is whole; a single picture makes no video.

    The first picture says how large the video is; others are fitted into that, in the middle of black. Where OpenCV
    can't write videos, a warning says so, and there is none.

    Args:
        path: the file; written under a hidden name beside it, and renamed when the ``with`` block ends without error.
        fps: pictures per second.
    """

    def __init__(self, path: str | os.PathLike, fps: float) -> None:
        self._path, self._fps = Path(path), fps
        # The name's end tells OpenCV the format.
        self._temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp.mp4")
        self._writer: cv2.VideoWriter | None = None
        self._first: np.ndarray | None = None
        self._size = (0, 0)  # (W, H) in pixels, known from the first picture on

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._writer is None:
            return
        self._writer.release()
        if error is None and self._temporary.exists():
            os.replace(self._temporary, self._path)
        else:
            self._temporary.unlink(missing_ok=True)

    def write(self, picture: np.ndarray) -> None:
        """Append a picture, (H, W, 3) uint8 RGB."""
        if self._first is None:
            height, width = picture.shape[:2]
            self._first, self._size = picture, (width + width % 2, height + height % 2)  # encoders want even sides
            return
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._open()
            self._append(self._writer, self._first)
        self._append(self._writer, picture)

    def _append(self, writer: cv2.VideoWriter, picture: np.ndarray) -> None:
        writer.write(cv2.cvtColor(_fitted(picture, self._size), cv2.COLOR_RGB2BGR))

    def _open(self) -> cv2.VideoWriter:
        for codec in CODECS:
            with _silent():
                writer = cv2.VideoWriter(str(self._temporary), cv2.VideoWriter.fourcc(*codec), self._fps, self._size)
            if writer.isOpened():
                return writer
        logger.warning("no %s: OpenCV can't write videos here (%s tried)", self._path, ", ".join(CODECS))
        return writer


def _fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture in the middle of a canvas of ``size`` (W, H), made smaller if need be."""
    width, height = size
    scale = min(1.0, width / picture.shape[1], height / picture.shape[0])
    if scale < 1:
        inner = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    rows, columns = height - picture.shape[0], width - picture.shape[1]
    if not rows and not columns:
        return picture
    return cv2.copyMakeBorder(
        picture, rows // 2, rows - rows // 2, columns // 2, columns - columns // 2, cv2.BORDER_CONSTANT
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Keep standard error, where FFmpeg complains of every codec that a build lacks, quiet for the time."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
