"""Frames: a person in a sequence (clothes, room, camera) in one moment (pose, expression, breath)."""

from dataclasses import dataclass

import cv2
import numpy as np

from lib.synthetic.accessories import Accessories, draw_accessories
from lib.synthetic.background import render_background
from lib.synthetic.body import Clothes, FrameState, Pose, draw_clothes, person_surfaces
from lib.synthetic.camera import Camera, apply_optics, draw_camera, read_sensor
from lib.synthetic.face import draw_expression, landmarks_of
from lib.synthetic.raster import View, render
from lib.synthetic.subject import Subject

_RANGE = (6.0, 49.0)  # deg C of the scene, so that readings stay within 5 to 50
_LEAST_HEIGHT = 384  # smaller frames are drawn at a multiple of their size and averaged


@dataclass(frozen=True)
class Sequence:
    """What stays the same over the frames of one recording.

    Attributes:
        unconstrained: whether heads turn further and may be cut off by the frame.
        ambient: deg C.
        clothes: of the person.
        camera: that records.
        room: seed of the background.
        things: number of objects in the background.
        distance: cm from camera to person.
        face_height: brows to chin of a frontal face, frame heights.
        facing: mean yaw and pitch of the sequence, rad.
        skin_shift: deg C, the skin warmer or cooler than at rest indoors.
    """

    unconstrained: bool
    ambient: float
    clothes: Clothes
    camera: Camera
    room: int
    things: int
    distance: float
    face_height: float
    facing: tuple[float, float]
    skin_shift: float


def draw_sequence(rng: np.random.Generator, unconstrained: bool = False) -> Sequence:
    """Draw a recording; ``unconstrained`` widens everything."""
    ambient = float(rng.uniform(5, 35) if unconstrained else rng.uniform(18, 26))
    cloth = ambient + rng.uniform(0.35, 0.6) * (32.5 - ambient)
    cloth = float(cloth if unconstrained else np.clip(cloth, 26, 30.5))
    accessories = draw_accessories(rng) if unconstrained else Accessories()
    outdoors = min(ambient - 18, 0) + max(ambient - 26, 0)  # how far the air is from a room's
    return Sequence(
        unconstrained=unconstrained,
        ambient=ambient,
        clothes=draw_clothes(rng, cloth, accessories),
        camera=draw_camera(rng, defocus=unconstrained and rng.random() < 0.2),
        room=int(rng.integers(2**32)),
        things=int(rng.integers(3, 11) if unconstrained else rng.integers(0, 6)),
        distance=float(rng.uniform(60, 130)),
        face_height=float(rng.uniform(0.22, 0.6) if unconstrained else rng.uniform(0.36, 0.5)),
        facing=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.06))),
        skin_shift=float(0.13 * outdoors + rng.normal(0, 0.12)),
    )


def draw_pose(sequence: Sequence, rng: np.random.Generator) -> Pose:
    """Yaw to about 40 degrees, pitch to 25, roll to 20; wider when unconstrained."""
    spread = 1.3 if sequence.unconstrained else 1.0
    yaw = np.clip(sequence.facing[0] + spread * rng.normal(0, 0.26), -0.7, 0.7)
    pitch = np.clip(sequence.facing[1] + spread * rng.normal(0, 0.12), -0.42, 0.42)
    roll = np.clip(spread * rng.normal(0, 0.08), -0.35, 0.35)
    body_yaw = 0.35 * yaw + rng.normal(0, 0.1)
    return Pose(float(yaw), float(pitch), float(roll), float(body_yaw))


def draw_frame_state(sequence: Sequence, rng: np.random.Generator) -> FrameState:
    """Pose, expression and breath of a frame; when unconstrained, a third hold something before the face."""
    pose, expression, breath = draw_pose(sequence, rng), draw_expression(rng), float(np.sin(rng.uniform(0, 2 * np.pi)))
    holds = sequence.unconstrained and rng.random() < 0.33
    return FrameState(pose, expression, breath, int(rng.integers(2**32)) if holds else None)


def render_frame(
    subject: Subject, sequence: Sequence, rng: np.random.Generator, height: int = 768, width: int = 1024
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one frame.

    Args:
        subject: the person.
        sequence: the recording.
        rng: source of the moment; the scene does not depend on the size of the frame, only the noise does.
        height, width: pixels.

    Returns:
        temperatures, float32 (height, width), deg C; and the 68 landmarks, float64 (68, 2), pixels as (y, x).
    """
    state = draw_frame_state(sequence, rng)
    place = rng.normal(0, (0.09, 0.05)) * (3.0 if sequence.unconstrained else 1.0)
    size = sequence.face_height * rng.uniform(0.95, 1.05) / 13.6

    more = -(-_LEAST_HEIGHT // height) if height < _LEAST_HEIGHT else 1
    view = View(height * more, width * more, (0.0, 0.0), float(size), sequence.distance)
    surfaces, face = person_surfaces(subject, sequence.clothes, state, sequence.ambient, sequence.skin_shift)
    landmarks = landmarks_of(face)
    view = _placed(view, landmarks, place, None if sequence.unconstrained else 0.04)
    room = np.random.default_rng(sequence.room)
    background = render_background(view.height, view.width, sequence.ambient, sequence.things, room)
    scene = np.clip(render(surfaces, view, sequence.ambient, background), *_RANGE)
    image = cv2.resize(apply_optics(scene, sequence.camera), (width, height), interpolation=cv2.INTER_AREA)
    points = (view.project(landmarks)[:, ::-1] + 0.5) / more - 0.5
    return read_sensor(image, sequence.camera, rng), points.astype(np.float64)


def _placed(view: View, landmarks: np.ndarray, place: np.ndarray, margin: float | None) -> View:
    """Shift the view so that the landmarks' box is about the frame's middle plus ``place`` (x, y; frame heights).

    With a margin (frame heights) the box is kept inside the frame, and inside the frame's middle 15/16 of width,
    which is what preparation keeps.
    """
    pixels = (view.project(landmarks) + 0.5) / view.height
    half = np.array([view.width * 15 / 16, view.height]) / 2 / view.height
    middle = np.array([view.width, view.height]) / 2 / view.height
    low, high = pixels.min(0) - middle, pixels.max(0) - middle
    shift = place - (low + high) / 2
    if margin is not None:
        shift = np.clip(shift, margin - half - low, half - margin - high)
    return View(view.height, view.width, (float(shift[0]), float(shift[1])), view.magnification, view.distance)
