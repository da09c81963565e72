"""A synthetic face that turns, blinks and breathes before a thermal camera; its last frame leads to its first."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from lib.synthetic import Subject, draw_sequence, draw_subject
from lib.synthetic.background import render_background
from lib.synthetic.body import FrameState, Pose, person_surfaces
from lib.synthetic.camera import apply_optics, read_sensor
from lib.synthetic.face import Expression, landmarks_of
from lib.synthetic.raster import View, render
from lib.synthetic.scene import Sequence

BREATHS = 3
"""In one round of movement."""
FACE_HEIGHT = 0.46
"""Brows to chin, frame heights."""
NETD = 0.04
"""Noise of the camera, K; its slow drift is taken off, as cameras do."""
_REST = FrameState(Pose(0, 0, 0, 0), Expression(), 0.0)
_LEAST_HEIGHT = 384  # smaller frames are drawn at a multiple of their size and averaged


class Scene(NamedTuple):
    """What stays the same: person, recording, camera's place, room (height, width) float32 deg C."""

    subject: Subject
    sequence: Sequence
    view: View
    room: np.ndarray


def states(count: int, turning: float = 1.0) -> list[FrameState]:
    """``count`` states of one smooth round of turning, nodding, smiling and blinking with :data:`BREATHS` breaths.

    Args:
        count: of states.
        turning: 1 turns the head by 15 degrees to either side, 0 not at all.
    """
    rounds = 2 * np.pi * np.arange(count) / count
    found = []
    for angle in rounds:
        yaw, pitch, roll = 0.26 * np.sin(angle), 0.05 * np.sin(2 * angle + 1), 0.05 * np.sin(angle + 2)
        pose = Pose(turning * yaw, turning * pitch - 0.1, turning * roll, 0)
        blink = sum(np.exp(-0.5 * ((angle - at) / 0.09) ** 2) for at in (1.2, 4.4))
        face = Expression(smile=float(0.25 - 0.25 * np.cos(angle)), blink=float(blink))
        found.append(FrameState(replace(pose, body_yaw=0.2 * pose.yaw), face, float(np.sin(BREATHS * angle))))
    return found


def set_up(height: int, width: int, seed: int) -> Scene:
    """A person in the middle of a frame of ``height`` x ``width`` pixels, drawn at a multiple of that size."""
    rng = np.random.default_rng(seed)
    subject, sequence = draw_subject(rng), draw_sequence(rng)
    sequence = replace(sequence, camera=replace(sequence.camera, netd=NETD, drift=0.0))
    more = max(1, -(-_LEAST_HEIGHT // height))
    view = View(height * more, width * more, (0.0, 0.0), FACE_HEIGHT / 13.6, sequence.distance)
    _, face = person_surfaces(subject, sequence.clothes, _REST, sequence.ambient, sequence.skin_shift)
    pixels = view.project(landmarks_of(face))
    shift = ((view.width, view.height) - pixels.min(0) - pixels.max(0)) / 2 / view.height
    view = replace(view, centre=(float(shift[0]), float(shift[1])))
    room = render_background(view.height, view.width, sequence.ambient, sequence.things, rng)
    return Scene(subject, sequence, view, room)


def film(
    scene: Scene, count: int, size: tuple[int, int], seed: int, rounds: int = 1, turning: float = 1.0
) -> Iterator[np.ndarray]:
    """``rounds`` times ``count`` frames float32 (height, width) of ``size``, deg C; see :func:`states`."""
    rng = np.random.default_rng([seed, 1])
    subject, sequence, view, room = scene
    scenes = []
    for state in states(count, turning):
        surfaces, _ = person_surfaces(subject, sequence.clothes, state, sequence.ambient, sequence.skin_shift)
        image = apply_optics(render(surfaces, view, sequence.ambient, room), sequence.camera)
        scenes.append(cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA))
    # Each round is drawn once; only the camera's noise is new.
    for image in scenes * rounds:
        yield read_sensor(image, sequence.camera, rng)
