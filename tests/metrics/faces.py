"""Drawn faces: labels of convex hulls of landmarks, as in the Thermal Face Database, turned any way."""

import cv2
import numpy as np

CLASS_NAMES = ["background", "chin & cheeks", "mouth", "eyes", "eyebrows", "nose"]

# Adult proportions in cm about the middle of the face, y down; the numbers of the 68-point scheme.
NOSE = {
    **{27: (0.0, -4.3), 28: (0.0, -2.9), 29: (0.0, -1.5), 30: (0.0, -0.2)},
    **{31: (-1.6, 0.7), 32: (-0.85, 1.0), 33: (0.0, 1.15), 34: (0.85, 1.0), 35: (1.6, 0.7)},
}
LEFT_EYE = [(-4.6, -3.9), (-3.7, -4.5), (-2.6, -4.5), (-1.6, -3.8), (-2.6, -3.5), (-3.7, -3.5)]
LEFT_BROW = [(-5.2, -5.4), (-3.5, -6.2), (-1.6, -5.6), (-3.5, -5.5)]
MOUTH = [(-2.5, 3.3), (-0.6, 2.4), (0.6, 2.4), (2.5, 3.3), (0.8, 4.4), (-0.8, 4.4)]
FACE = [(-7, -4), (-6.3, 2.2), (-4.5, 5.3), (0, 7.6), (4.5, 5.3), (6.3, 2.2), (7, -4)]


def draw_face(size, roll=0.0, scale=10.0, centre=None, without=()):
    """A label (H, W) uint8 of a face turned clockwise by ``roll`` degrees, and its nose's landmarks by number.

    Args:
        size: (H, W).
        scale: pixels per cm.
        centre: (x, y) of the face; the frame's without.
        without: parts to leave out: "left eye", "right eye", "mouth", "brows", "nose".
    """
    centre = np.array(centre if centre is not None else (size[1] / 2, size[0] / 2))
    angle = np.deg2rad(roll)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def place(points):
        return np.asarray(points, float) @ turn.T * scale + centre

    right_eye, right_brow = ([(-x, y) for x, y in points] for points in (LEFT_EYE, LEFT_BROW))
    label = np.zeros(size, np.uint8)
    parts = [("face", FACE, 1), ("mouth", MOUTH, 2), ("left eye", LEFT_EYE, 3), ("right eye", right_eye, 3)]
    parts += [("brows", LEFT_BROW, 4), ("brows", right_brow, 4), ("nose", list(NOSE.values()), 5)]
    for name, points, value in parts:
        if name not in without:
            hull = cv2.convexHull(np.round(place(points)).astype(np.int32))
            cv2.fillConvexPoly(label, hull, value)
    return label, {number: place([point])[0] for number, point in NOSE.items()}
