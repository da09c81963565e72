"""Scores: one confusion matrix over a set, and the scores of single frames, of their outlines too."""

from lib.metrics.boundary import BoundaryScores, boundary_scores, usual_tolerance
from lib.metrics.confusion import ConfusionMatrix, format_scores
from lib.metrics.frame_scores import FrameScores, frame_scores, set_boundary_scores

__all__ = [
    "BoundaryScores",
    "ConfusionMatrix",
    "FrameScores",
    "boundary_scores",
    "format_scores",
    "frame_scores",
    "set_boundary_scores",
    "usual_tolerance",
]
