"""The look at the enlarged face of a video: one pass a frame, and the face isn't lost."""

import numpy as np
import pytest
import torch

from segmentor.evaluation.zoom import zoomed
from segmentor.live.tracking import FRAMES_BETWEEN, FaceTracker

HEIGHT, WIDTH, MARGIN = 96, 128, 1.5


def image(x: float, y: float = 48, radius: float = 14) -> torch.Tensor:
    """A bright disc on dark ground, (1, 1, 96, 128), with soft edges."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(rows - y, columns - x)
    return torch.from_numpy(np.tanh(radius - distance)).float()[None, None]


class Counting:
    """A network that finds what is bright, and counts its passes."""

    def __init__(self):
        self.passes = 0

    def __call__(self, images):
        self.passes += 1
        return 5 * torch.cat([-images, images], 1)


def found(logits):
    return logits.argmax(1)[0] == 1


def test_a_face_that_moves_is_found_as_by_two_looks_for_one_a_frame():
    network = Counting()
    tracker = FaceTracker(network, MARGIN)
    for index in range(20):
        frame = image(30 + 3 * index)
        expected = found(zoomed(Counting(), frame, 1.0, MARGIN))
        here = found(tracker(frame))
        assert (here & expected).sum() / (here | expected).sum() > 0.97
    assert network.passes == 21  # the first frame takes two


def test_a_face_that_jumps_away_is_found_again_in_the_next_frame_but_one():
    tracker = FaceTracker(Counting(), MARGIN)
    tracker(image(24))
    assert not found(tracker(image(100))).any()
    assert found(tracker(image(100))).sum() == pytest.approx(np.pi * 14**2, rel=0.1)


def test_a_face_at_the_edge_of_the_window_is_looked_for_in_the_whole_image():
    tracker = FaceTracker(Counting(), MARGIN)
    tracker(image(40))
    assert found(tracker(image(52))).any()
    assert found(tracker(image(52))).sum() == pytest.approx(np.pi * 14**2, rel=0.1)


def test_a_larger_face_is_noticed_after_a_while():
    tracker = FaceTracker(Counting(), MARGIN)
    small = image(24, radius=10)
    tracker(small)
    both = torch.maximum(small, image(96, radius=20))
    seen = [found(tracker(both))[:, 64:].any().item() for _ in range(FRAMES_BETWEEN)]
    assert seen == [False] * (FRAMES_BETWEEN - 1) + [True]


def test_images_of_another_size_begin_anew():
    tracker = FaceTracker(Counting(), MARGIN)
    tracker(image(24))
    assert tracker(image(24)[..., :80, :100]).shape == (1, 2, 80, 100)
