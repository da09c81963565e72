"""Videos: grey of 16 bits as temperatures, ordinary ones as grey levels."""

import struct

import cv2
import numpy as np
import pytest

from lib.thermal import Reading, open_sequence
from tests.thermal.files import centikelvin, scene

FRAMES = [centikelvin(scene(seed, 48, 64)) for seed in range(3)]


def written(path, fourcc, frames):
    """A video without loss; of 16 bits if its frames are."""
    deep = frames[0].dtype == np.uint16
    options = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U if deep else cv2.CV_8U]
    options += [cv2.VIDEOWRITER_PROP_IS_COLOR, int(frames[0].ndim == 3)]
    code = cv2.VideoWriter_fourcc(*fourcc)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 10, (64, 48), options)
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@pytest.mark.parametrize(("suffix", "fourcc"), [(".mkv", "FFV1"), (".avi", "FFV1"), (".avi", "MPNG"), (".mov", "png ")])
def test_grey_of_16_bits_keeps_them(tmp_path, suffix, fourcc):
    read = list(open_sequence(written(tmp_path / f"a{suffix}", fourcc, FRAMES)))
    assert len(read) == 3
    for (_, frame), seed in zip(read, range(3), strict=True):
        assert frame.radiometric
        assert np.abs(frame.values - scene(seed, 48, 64)).max() < 0.006


def test_16_bits_without_temperatures_are_read_when_said_so(tmp_path):
    path = written(tmp_path / "a.mkv", "FFV1", FRAMES)
    _, frame = next(iter(open_sequence(path, Reading(preset="none"))))
    assert not frame.radiometric
    assert (frame.values == FRAMES[0]).all()


def test_videos_without_loss_of_8_bits_stay_grey_levels(tmp_path):
    grey = [(frame >> 8).astype(np.uint8) for frame in FRAMES]
    _, frame = next(iter(open_sequence(written(tmp_path / "a.mkv", "FFV1", grey))))
    assert not frame.radiometric
    assert (frame.values == grey[0]).all()


@pytest.mark.parametrize(("matrix", "quarters"), [((0, 1, -1, 0), -1), ((-1, 0, 0, -1), 2), ((0, -1, 1, 0), 1)])
def test_videos_that_say_how_they_are_turned_come_out_upright(tmp_path, matrix, quarters):
    grey = np.zeros((48, 64), np.uint8)
    grey[:24, :32] = 200
    path = written(tmp_path / "a.mp4", "mp4v", [np.dstack([grey] * 3)] * 2)
    content = bytearray(path.read_bytes())
    a, b, c, d = (65536 * value for value in matrix)
    # ISO 14496-12, track header: 40 bytes of other fields after the box's name, then the matrix.
    struct.pack_into(">9i", content, content.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    _, frame = next(iter(open_sequence(path)))
    expected = np.rot90(grey, quarters)
    assert frame.values.shape == expected.shape
    assert np.abs(frame.values - expected).mean() < 8
