"""Synthetic thermal faces in the raw layout of the Thermal Face Database.

There is no thermal data to ship, so the project draws its own: a head in 3-D with identity, expression and pose
(:mod:`~lib.synthetic.face`), skin temperatures (:mod:`~lib.synthetic.skin`), body and clothes
(:mod:`~lib.synthetic.body`), a room (:mod:`~lib.synthetic.background`), a camera (:mod:`~lib.synthetic.camera`).
Numbers measured on it are never comparable with numbers measured on people.
"""

from lib.synthetic.database import synthesize
from lib.synthetic.scene import draw_sequence, render_frame
from lib.synthetic.subject import Subject, draw_subject

__all__ = ["Subject", "draw_sequence", "draw_subject", "render_frame", "synthesize"]
