"""The polarity of grey pictures: warm things are bright (white hot) or dark (black hot)."""

import logging
from collections.abc import Callable

import numpy as np

logger = logging.getLogger("samcl")

MIN_AREA_FACTOR = 3.0
"""Pictures count as black hot where the network finds so many times more face after inverting them."""
MIN_FACE_AREA = 0.002
"""Share of a frame's pixels, 0 to 1, below which no face is in sight."""
MAX_DECIDING_FRAMES = 32
"""Frames with a face in sight after which the polarity of a sequence no longer changes."""


class Polarity:
    """Inverts the pictures of a sequence that is black hot: networks are trained on white hot ones.

    With ``auto`` the network segments each of the first frames as it is and inverted. Frames are inverted as long as
    the area of the face, summed over all frames so far, is clearly larger in the inverted ones: a frame that misleads
    the network then decides about few others.

    Args:
        setting: ``white_hot``, ``black_hot`` or ``auto``.
        face_area: returns the share of facial pixels, 0 to 1, that the network finds in an image (h, w) float32.
    """

    def __init__(self, setting: str, face_area: Callable[[np.ndarray], float]) -> None:
        self._black_hot = setting == "black_hot"
        self._undecided_frames = MAX_DECIDING_FRAMES if setting == "auto" else 0
        self._face_area = face_area
        self._area = self._inverted_area = 0.0

    def white_hot(self, image: np.ndarray) -> np.ndarray:
        """The image (h, w) float32, of any unit, inverted where the sequence is black hot; its value range stays."""
        if self._undecided_frames:
            self._compare(image)
        return _inverted(image) if self._black_hot else image

    def _compare(self, image: np.ndarray) -> None:
        area, inverted = self._face_area(image), self._face_area(_inverted(image))
        if max(area, inverted) < MIN_FACE_AREA:
            return
        self._undecided_frames -= 1
        self._area, self._inverted_area = self._area + area, self._inverted_area + inverted
        before, self._black_hot = self._black_hot, self._inverted_area > MIN_AREA_FACTOR * self._area
        if self._black_hot and not before:
            logger.info("more face is found with grey levels turned: taken for black hot (--polarity white_hot if not)")


def _inverted(image: np.ndarray) -> np.ndarray:
    return image.min() + image.max() - image
