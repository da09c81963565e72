"""Which part of the face each point of the head's grid belongs to."""

from functools import lru_cache

import numpy as np

from lib.datasets.landmarks import draw_labels
from lib.synthetic.annotation import annotated_landmarks
from lib.synthetic.mean_head import mean_head

_PER_CM = 40
_REACH = 20  # cm each way of the picture that the hulls are drawn in
_FRONT = -0.8  # cm: what lies further back is not part of a face


@lru_cache(maxsize=1)
def head_parts() -> np.ndarray:
    """Values 0-7 of the Thermal Face Database's labels, uint8 (ROWS, COLUMNS).

    They are the hulls of the mean face's landmarks, as thermal frames are annotated (see
    :func:`~lib.synthetic.annotation.annotated_landmarks`), seen from the front. A head that is
    drawn with them shows of every part what is really in sight, also from the side, where hulls of landmarks would
    take in what is turned away.
    """
    pixels = (annotated_landmarks()[:, 1::-1] + _REACH) * _PER_CM
    front = draw_labels(pixels, (2 * _REACH * _PER_CM, 2 * _REACH * _PER_CM))
    x, y, z = np.moveaxis(mean_head().points, -1, 0)
    column, row = (np.rint((value + _REACH) * _PER_CM).astype(int) for value in (x, y))
    return np.where(z > _FRONT, front[row, column], 0).astype(np.uint8)
