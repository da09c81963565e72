"""Statistics of scores over seeds or frames: means, and paired differences with their confidence intervals."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

Scores = Mapping[Hashable, float]
"""A score by seed, or by frame."""


@dataclass(frozen=True)
class Summary:
    """A mean over seeds.

    Attributes:
        count: of seeds.
        mean: over them.
        std: sample standard deviation (n - 1); None of a single seed.
    """

    count: int
    mean: float
    std: float | None


@dataclass(frozen=True)
class Difference(Summary):
    """A mean of differences within seeds.

    Attributes:
        interval: holds the mean with the confidence asked for, under normally distributed differences (Student's t);
            None of a single seed.
    """

    interval: tuple[float, float] | None


def summarise(scores: Scores) -> Summary | None:
    """Mean and standard deviation; None without a score.

    >>> summarise({0: 76.0, 1: 78.0, 2: 80.0})
    Summary(count=3, mean=78.0, std=2.0)
    """
    if not scores:
        return None
    count, mean = len(scores), sum(scores.values()) / len(scores)
    if count == 1:
        return Summary(count, mean, None)
    return Summary(count, mean, math.sqrt(sum((score - mean) ** 2 for score in scores.values()) / (count - 1)))


def paired_difference(scores: Scores, baseline: Scores, confidence: float = 0.95) -> Difference | None:
    """``scores`` - ``baseline`` over the seeds that have both; None if there are none.

    Args:
        scores, baseline: of runs that share, seed by seed, their start and their stream of batches.
        confidence: of the interval, in (0, 1).

    >>> difference = paired_difference({0: 77.0, 1: 79.5, 2: 81.5}, {0: 76.0, 1: 78.0, 2: 80.0})
    >>> round(difference.mean, 2), [round(end, 2) for end in difference.interval]
    (1.33, [0.62, 2.05])
    """
    from scipy.special import stdtrit  # only tables need it

    summary = summarise({seed: scores[seed] - baseline[seed] for seed in scores if seed in baseline})
    if summary is None:
        return None
    if summary.std is None:
        return Difference(summary.count, summary.mean, None, None)
    half = float(stdtrit(summary.count - 1, (1 + confidence) / 2)) * summary.std / math.sqrt(summary.count)
    return Difference(summary.count, summary.mean, summary.std, (summary.mean - half, summary.mean + half))
