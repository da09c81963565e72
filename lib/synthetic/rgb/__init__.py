"""Tiny drawn stand-ins for the benchmarks of colour pictures, in the layout of each one's download.

No benchmark's pictures may be shipped, so these take their place where the way from a download to scores is tried.
Scores on them say nothing about a network.
"""

from lib.synthetic.rgb.database import synthesize_benchmark

__all__ = ["synthesize_benchmark"]
