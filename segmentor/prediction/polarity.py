"""Which way round the grey levels of pictures are: warm things bright (white hot) or dark (black hot)."""

import logging
from collections.abc import Callable

import numpy as np

logger = logging.getLogger("samcl")

CLEARLY_MORE = 3.0
"""How many times the facial pixels turned pictures must have: networks are made for white hot ones."""
LEAST_FACE = 0.002
"""Share of a frame's pixels below which no face is in sight."""
LOOKS = 32
"""Frames with a face in sight after which a sequence is decided for good."""


class Polarity:
    """Turns black hot pictures of a sequence that is one or the other.

    Each of the first frames is looked at both ways round, and turned if in all so far the network found clearly more
    face turned than not: one frame that misleads it misleads it about few others.

    Args:
        setting: ``white_hot``, ``black_hot``, or ``auto`` to decide.
        face_area: the share of facial pixels that the network finds in an image (h, w) float32, 0 to 1.
    """

    def __init__(self, setting: str, face_area: Callable[[np.ndarray], float]) -> None:
        self._black_hot = setting == "black_hot"
        self._looks = LOOKS if setting == "auto" else 0
        self._face_area = face_area
        self._plain = self._turned = 0.0

    def upright(self, image: np.ndarray) -> np.ndarray:
        """The image, (h, w) float32 of any unit, with warm things bright; its least and greatest value stay."""
        if self._looks:
            self._look(image)
        return _turned(image) if self._black_hot else image

    def _look(self, image: np.ndarray) -> None:
        plain, turned = self._face_area(image), self._face_area(_turned(image))
        if max(plain, turned) < LEAST_FACE:
            return
        self._looks -= 1
        self._plain, self._turned = self._plain + plain, self._turned + turned
        before, self._black_hot = self._black_hot, self._turned > CLEARLY_MORE * self._plain
        if self._black_hot and not before:
            logger.info("more face is found with grey levels turned: taken for black hot (--polarity white_hot if not)")


def _turned(image: np.ndarray) -> np.ndarray:
    return image.min() + image.max() - image
