"""Which way round the grey levels of pictures are: warm things bright (white hot) or dark (black hot)."""

import logging
from collections.abc import Callable

import numpy as np

logger = logging.getLogger("samcl")

LEAST_FACE = 0.002
"""Share of a frame's pixels below which no face is in sight, so that nothing can be decided from it."""
CLEARLY_MORE = 3.0
"""How many times the facial pixels the turned picture must have: networks are made for white hot ones."""
TRIES = 32
"""Frames without a face after which a sequence counts as white hot."""


class Polarity:
    """Turns black hot pictures; decides for a whole sequence, from the first frame that shows a face either way round.

    Args:
        setting: ``white_hot``, ``black_hot``, or ``auto`` to decide.
        face_area: the share of facial pixels that the network finds in an image (h, w) float32, 0 to 1.
    """

    def __init__(self, setting: str, face_area: Callable[[np.ndarray], float]) -> None:
        self._black_hot = {"auto": None, "white_hot": False, "black_hot": True}[setting]
        self._face_area = face_area
        self._tries = TRIES

    def upright(self, image: np.ndarray) -> np.ndarray:
        """The image, (h, w) float32 of any unit, with warm things bright; its least and greatest value stay."""
        if self._black_hot is None:
            self._decide(image)
        return _turned(image) if self._black_hot else image

    def _decide(self, image: np.ndarray) -> None:
        plain, turned = self._face_area(image), self._face_area(_turned(image))
        self._tries -= 1
        if max(plain, turned) >= LEAST_FACE:
            self._black_hot = turned > CLEARLY_MORE * plain
        elif not self._tries:
            self._black_hot = False
        if self._black_hot:
            logger.info("faces are found with grey levels turned: taken for black hot (--polarity white_hot if not)")


def _turned(image: np.ndarray) -> np.ndarray:
    return image.min() + image.max() - image
