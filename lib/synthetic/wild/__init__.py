"""Synthetic thermal frames of a world far wider than the Thermal Face Database's.

Any number of people, at any distance and turned any way, dressed for any weather, in rooms and outdoors, among warm
things, seen by good and bad cameras. Labels hold what is in sight: what is turned away or covered is background. A
network that is to find faces in frames of unknown origin learns from these.
"""

from lib.synthetic.wild.database import synthesize_wild
from lib.synthetic.wild.scene import render_wild_frame

__all__ = ["render_wild_frame", "synthesize_wild"]
