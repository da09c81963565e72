"""Connected components of facial pixels: small ones beside the largest face are specks, and people far behind."""

import cv2
import numpy as np

from lib.utils.labels import IGNORE

REACH = 0.1
"""Areas closer than twice this are one, such as eyes and eyebrows; in square roots of the largest area's pixels."""


def remove_small_components(label: np.ndarray, min_component_ratio: float) -> np.ndarray:
    """Make facial components smaller than a share of the largest one background.

    Components are of all facial classes together, and those within a tenth of the face's size of each other are one,
    so a face keeps the eyes and eyebrows that touch nothing else.

    Args:
        label: (H, W) uint8 classes, 0 = background, 255 = ignored.
        min_component_ratio: of the largest component's pixels, 0 to 1; 0 keeps all.

    Returns:
        (H, W) uint8.

    >>> label = np.zeros((40, 40), np.uint8)
    >>> label[5:25, 5:25] = 1
    >>> label[36:38, 36:38] = 2
    >>> np.unique(remove_small_components(label, 0.1)).tolist()
    [0, 1]
    """
    face = ((label > 0) & (label != IGNORE)).astype(np.uint8)
    sizes = cv2.connectedComponentsWithStats(face, connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    if len(sizes) < 2 or not min_component_ratio:
        return label
    reach = round(REACH * float(np.sqrt(sizes.max())))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    _, areas = cv2.connectedComponents(cv2.dilate(face, disc), connectivity=8)
    sizes = np.bincount((areas * face).ravel())
    sizes[0] = 0
    small = sizes < min_component_ratio * sizes.max()
    return np.where(face & small[areas], 0, label).astype(np.uint8)
