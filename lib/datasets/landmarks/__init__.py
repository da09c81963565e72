"""Facial landmarks: files of several formats in, one kind of :class:`Landmarks` and the masks they enclose out."""

from lib.datasets.landmarks.formats import FORMATS, LandmarkFormat
from lib.datasets.landmarks.points import Landmarks, check_inside
from lib.datasets.landmarks.regions import HULLS, STANDARD_GROUPS, draw_labels, standard_groups

__all__ = [
    "FORMATS",
    "HULLS",
    "STANDARD_GROUPS",
    "LandmarkFormat",
    "Landmarks",
    "check_inside",
    "draw_labels",
    "standard_groups",
]
