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
    sizes = cv2.connectedComponentsWithStats(face[_window(face)], connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    if len(sizes) < 2 or not min_component_ratio:
        return label
    reach = round(REACH * float(np.sqrt(sizes.max())))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    # Nothing reaches beyond this part of the frame, which is a fraction of it.
    window = _window(face, reach)
    face = np.ascontiguousarray(face[window])
    _, areas = cv2.connectedComponents(cv2.dilate(face, disc), connectivity=8)
    sizes = np.bincount((areas * face).ravel())
    sizes[0] = 0
    small = sizes < min_component_ratio * sizes.max()
    result = label.copy()
    result[window][(face & small[areas]) > 0] = 0
    return result


def _window(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice]:
    """The rows and columns that hold a mask, uint8, and a margin in pixels about it within the frame; of an empty mask
    the first pixel."""
    left, top, width, height = cv2.boundingRect(mask)
    rows = slice(max(0, top - margin), top + max(1, height) + margin)
    return rows, slice(max(0, left - margin), left + max(1, width) + margin)
