"""Where landmarks of thermal frames are put, which is not quite where the same features are in the visible light.

In a thermal frame an eye is the narrow opening between its lids, a brow the lower edge of its hair above the bright
socket, and a mouth is marked by four points of its outline: the corners and the middles of both lips (the 54 points of
Kuzdeuov et al. 2022, *SF-TL54: A Thermal Facial Landmark Dataset with Visual Pairs*).
"""

from functools import lru_cache

import numpy as np

from lib.synthetic.mean_head import mean_landmarks

_EYES = (range(36, 42), range(42, 48))
_EYE_SIZE = (0.86, 0.77)  # across and down, relative to the fissure
_BROW_LOWER = (0.05, 0.3, 0.45, 0.45, 0.4)  # cm, from the temple to the nose
_MOUTH_WIDTH = 0.92
_MOUTH_HIGHER = 0.2  # cm, corners and upper lip
_NOSE_WIDTH = 0.93
_NASION_LOWER = 0.25  # cm


@lru_cache(maxsize=1)
def annotated_landmarks() -> np.ndarray:
    """The mean face's landmarks as annotators of thermal frames put them, float64 (68, 3), cm."""
    points = mean_landmarks().copy()
    for eye in _EYES:
        centre = points[eye].mean(0)
        points[eye, :2] = centre[:2] + (points[eye, :2] - centre[:2]) * _EYE_SIZE
    points[17:22, 1] += _BROW_LOWER
    points[22:27, 1] += _BROW_LOWER[::-1]
    points[27, 1] += _NASION_LOWER
    points[31:36, 0] *= _NOSE_WIDTH
    points[48:68, 0] *= _MOUTH_WIDTH
    points[[48, 51, 54], 1] -= _MOUTH_HIGHER
    points[[*range(49, 51), *range(52, 54), *range(55, 57), *range(58, 68)]] = points[[51, 57]].mean(0)
    return points
