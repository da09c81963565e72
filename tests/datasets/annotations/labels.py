"""Labels for the tests in this folder, and a way from shapes back to labels that is independent of the project's."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lib.datasets.annotations.shapes import Codes, draw

NAMES = ["background", "skin", "left eye", "nose"]
VALUES = {**{name: value for value, name in enumerate(NAMES)}, "ignore": 255}


def any_label(largest=9, enlarge=3):
    """Labels of blocks and single pixels, with regions within regions, diagonals, and ignored pixels."""
    sides = st.tuples(st.integers(1, largest), st.integers(1, largest))
    values = st.sampled_from([0, 1, 2, 3, 255])
    coarse = sides.flatmap(lambda size: arrays(np.uint8, size, elements=values))
    factors = st.integers(1, enlarge)
    return st.builds(lambda label, factor: np.kron(label, np.ones((factor, factor), np.uint8)), coarse, factors)


def disc(size, y, x, radius):
    """Bool mask of a disc."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def face(size=(60, 70)):
    """A face with two eyes, a nose, and a hole through which the background shows."""
    label = np.zeros(size, np.uint8)
    label[disc(size, 30, 33, 25)] = 1
    label[disc(size, 22, 24, 4) | disc(size, 22, 44, 4)] = 2
    label[disc(size, 34, 33, 5)] = 3
    label[disc(size, 47, 33, 4)] = 0
    return label


def label_of(shapes, size, values=VALUES):
    """The label that shapes draw."""
    codes = Codes()
    drawn = draw(shapes, size, codes)
    return np.array([0, *(values[name] for name in codes.first)], np.uint8)[drawn]


def least_iou(found, truth):
    """The smallest IoU of a value that is in either of two labels."""
    pairs = [(found == value, truth == value) for value in np.union1d(found, truth)]
    return min((a & b).sum() / (a | b).sum() for a, b in pairs)
