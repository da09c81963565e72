"""What is measured: scores of masks, and what masks say about a face.

- scores of a set (:mod:`~lib.metrics.confusion`), of single frames (:mod:`~lib.metrics.frame_scores`), of outlines
  (:mod:`~lib.metrics.boundary`), against boxes (:mod:`~lib.metrics.boxes`);
- components, regions and breathing of a face (:mod:`~lib.metrics.components`, :mod:`~lib.metrics.regions`,
  :mod:`~lib.metrics.breathing`);
- a run's history and statistics over runs (:mod:`~lib.metrics.history`, :mod:`~lib.metrics.statistics`).
"""

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
