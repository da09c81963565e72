"""Frames of video files: counts where they are grey of more than 8 bits, else grey levels."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from lib.thermal.formats.colours import Colours, one_channel
from lib.thermal.formats.names import utf8_name
from lib.thermal.formats.orientation import UPRIGHT, upright
from lib.thermal.frame import Reading, Stored
from lib.utils.errors import DataError

logger = logging.getLogger("samcl")

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
_DEEP_COLOURS = (b"RGB0", b"BGR0", b"RBA@", b"BRA@", b"0RGB", b"0BGR", b"@RBA", b"@BRA", b"G3\0", b"G4\0")
"""How FFmpeg's codes of pixels of 16 bits a colour begin."""
_PNG_CODEC = b"MPNG"
_ORIENTATIONS = {90: 6, 180: 3, 270: 8}
"""EXIF's orientation by the degrees that a video says to turn its frames clockwise."""
_REMEDY = "convert it with: ffmpeg -i VIDEO -c:v ffv1 -pix_fmt gray16le VIDEO.mkv"


def read_video(path: Path, reading: Reading) -> Stored:
    """A video that OpenCV can decode: grey of up to 16 bits as counts, colours as grey levels."""
    with _opened(path) as video:
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = video.get(cv2.CAP_PROP_FPS)
        deep = _is_deep(video, path)
    colours = Colours(path)

    def frames() -> Iterator[np.ndarray]:
        count = 0
        with _opened(path) as video:
            for frame in _deep_frames(video, path) if deep else _frames(video, colours):
                count += 1
                yield frame
        if not count:
            raise DataError(f"{path}: no frame of this video can be decoded; it is damaged or of an unknown codec")
        if count < promised:
            logger.warning("%s: ends after %d of the %d frames that it promises", path, count, promised)

    known_fps = fps if 0 < fps < float("inf") else None
    return Stored(promised if promised > 0 else None, frames(), fps=known_fps, found=colours.notes)


def _is_deep(video: cv2.VideoCapture, path: Path) -> bool:
    """Whether frames are grey of more than 8 bits, by FFmpeg's code of a pixel's format."""
    code = int(video.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)).to_bytes(4, "little", signed=True)
    if code.startswith(_DEEP_COLOURS) and not _is_png(video):
        raise DataError(f"{path}: has colours of more than 8 bits, which OpenCV would cut; if they are grey, {_REMEDY}")
    # Little-endian grey is Y, 1, 0, bits; big-endian the reverse.
    little, big = code[:3] == b"Y1\0" and code[3] > 8, code[1:] == b"\x001Y" and code[0] > 8
    return little or big or code.startswith(_DEEP_COLOURS)


def _is_png(video: cv2.VideoCapture) -> bool:
    return int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True) == _PNG_CODEC


def _frames(video: cv2.VideoCapture, colours: Colours) -> Iterator[np.ndarray]:
    while True:
        there, frame = video.read()
        if not there:
            return
        yield frame if frame.ndim == 2 else colours.levels(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def _deep_frames(video: cv2.VideoCapture, path: Path) -> Iterator[np.ndarray]:
    """Counts (H, W) uint16, undecoded from OpenCV where it is a sequence of PNGs, which it would cut to 8 bits."""
    as_png = _is_png(video)
    if as_png:
        video.set(cv2.CAP_PROP_FORMAT, -1)
    else:
        video.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    orientation = _ORIENTATIONS.get(int(video.get(cv2.CAP_PROP_ORIENTATION_META)) % 360, UPRIGHT)
    while True:
        there, frame = video.read()
        if not there:
            return
        decoded = cv2.imdecode(frame.reshape(-1), cv2.IMREAD_UNCHANGED) if as_png else frame
        if decoded is None or decoded.dtype != np.uint16:
            raise DataError(f"{path}: has more than 8 bits a pixel, in an order that OpenCV doesn't read; {_REMEDY}")
        alpha = int(decoded.ndim == 3 and decoded.shape[2] == 4)
        yield upright(one_channel(decoded, alpha, str(path)), orientation)


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    with utf8_name(path) as name:
        video = cv2.VideoCapture(name)
        try:
            if not video.isOpened():
                raise DataError(f"{path}: not a video that OpenCV can read, or a damaged one")
            yield video
        finally:
            video.release()
