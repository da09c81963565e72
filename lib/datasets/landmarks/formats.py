"""The formats of landmark files by name: where a frame's landmarks are, how they are read and kept."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lib.datasets.landmarks.ljson import read_ljson
from lib.datasets.landmarks.points import Landmarks, read_bytes
from lib.datasets.landmarks.text import open_table, read_pts, read_yolo

TABLE = "landmarks.csv"


class LandmarkFormat(NamedTuple):
    """One format of landmark files.

    Attributes:
        ending: of the file of one frame, and of its copy beside prepared frames.
        read: (file, name of the frame, (H, W) of the frame in pixels) -> :class:`Landmarks`; raises a DataError that
            names the file.
        content: (file, name of the frame) -> what is kept beside the prepared frame: the file's bytes or its row.
        table: name of the one file of all frames; None where each frame has its own.
    """

    ending: str
    read: Callable[[Path, str, tuple[int, int]], Landmarks]
    content: Callable[[Path, str], bytes]
    table: str | None = None

    def path(self, folder: Path, frame: str) -> Path:
        """Where the landmarks of ``frame`` are, if they are in ``folder``."""
        return folder / (self.table or f"{frame}{self.ending}")


def _whole_file(path: Path, frame: str) -> bytes:
    return read_bytes(path)


FORMATS: dict[str, LandmarkFormat] = {
    "ljson": LandmarkFormat(".ljson", lambda path, frame, size: read_ljson(path), _whole_file),
    "pts": LandmarkFormat(".pts", lambda path, frame, size: read_pts(path), _whole_file),
    "yolo": LandmarkFormat(".txt", lambda path, frame, size: read_yolo(path, size), _whole_file),
    "csv": LandmarkFormat(
        ".csv",
        lambda path, frame, size: open_table(path).read(frame),
        lambda path, frame: open_table(path).excerpt(frame),
        TABLE,
    ),
}
"""By the name that ``--landmarks`` of the preparations takes."""
