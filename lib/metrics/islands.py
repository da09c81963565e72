"""Facial areas that lie apart from the largest face and are small beside it: specks, and people far behind."""

import cv2
import numpy as np

REACH = 0.1
"""Areas closer than twice this are one, such as eyes and eyebrows; in square roots of the largest area's pixels."""


def without_islands(label: np.ndarray, least_share: float) -> np.ndarray:
    """A label in which facial areas smaller than ``least_share`` of the largest one are background.

    Args:
        label: (H, W) uint8 classes, 0 = background, 255 = ignored.
        least_share: 0 to 1; 0 keeps all.

    Returns:
        (H, W) uint8.
    """
    face = ((label > 0) & (label < 255)).astype(np.uint8)
    sizes = cv2.connectedComponentsWithStats(face, connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    if len(sizes) < 2 or not least_share:
        return label
    reach = round(REACH * float(np.sqrt(sizes.max())))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    _, areas = cv2.connectedComponents(cv2.dilate(face, disc), connectivity=8)
    sizes = np.bincount((areas * face).ravel())
    sizes[0] = 0
    small = sizes < least_share * sizes.max()
    return np.where(face & small[areas], 0, label).astype(np.uint8)
