"""A live view of a source that the test drives, through a network that the test is."""

import queue

import numpy as np
import pytest

from lib.metrics.regions import find_regions, measure
from lib.thermal import ThermalFrame
from lib.vis.palette import palette_of
from segmentor.live.session import LiveSession
from segmentor.live.sources import LiveFrame, Source

NAMES = ["background", "face", "nose"]


class Played:
    """A source that gives what a test puts into it, and ends with None.

    Args:
        waits: see :class:`~segmentor.live.sources.Source`.
    """

    def __init__(self, waits: bool = False) -> None:
        self._frames: queue.Queue = queue.Queue()
        self._count = 0
        self.source = Source("a test", self._each, waits)

    def put(self, *items) -> None:
        """Frames in deg C, exceptions to raise, None for the end."""
        for item in items:
            self._frames.put(item)

    def _each(self):
        while (item := self._frames.get()) is not None:
            if isinstance(item, Exception):
                raise item
            self._count += 1
            yield LiveFrame(f"frame{self._count}", self._count / 10, ThermalFrame(item, True, ""))


def face(celsius: float = 34.0) -> np.ndarray:
    """A warm face in a room of 22 deg C, (48, 64) float32."""
    frame = np.full((48, 64), 22, np.float32)
    frame[8:40, 16:48] = celsius
    frame[20:32, 28:36] = celsius - 2
    return frame


def find(name, frame):
    """Classes of :func:`face`."""
    label = np.zeros(frame.values.shape, np.uint8)
    label[frame.values > 30] = 1
    label[20:32, 28:36][label[20:32, 28:36] > 0] = 2
    probability = np.ones(label.shape, np.float32)
    regions = find_regions(label, NAMES)
    return label, [measure(region, area, frame.values, probability) for region, area in regions.items()]


@pytest.fixture
def played():
    return Played()


@pytest.fixture
def session(played):
    """Of the source ``played``."""
    with LiveSession(played.source, find, palette_of(3)) as running:
        yield running
        played.put(None)
