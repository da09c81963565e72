"""One confusion matrix over the whole set, and the scores that come from it."""

from lib.metrics.confusion import ConfusionMatrix, format_scores

__all__ = ["ConfusionMatrix", "format_scores"]
