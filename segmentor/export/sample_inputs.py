"""Frames to try an exported network on."""

import numpy as np

from lib.datasets.dataset import find_samples, find_test_samples
from lib.datasets.frames import read_image
from lib.synthetic import draw_sequence, draw_subject, render_frame
from lib.thermal import Letterbox
from lib.utils.config import Config

FRAMES = 3


def trial_batches(config: Config, size: tuple[int, int]) -> list[np.ndarray]:
    """Frames of ``test.test_dir``, else of ``data.data_dir``/val, else generated ones, in batches of several shapes.

    Args:
        config: of the run.
        size: (H, W) of the first two batches; the third is higher and wider by 32 pixels.

    Returns:
        (N, data.num_channels, H, W) float32 in deg C, for three N.

    Raises:
        DataError: there are no frames, or they can't be read.
    """
    frames = _frames(config)
    larger = (size[0] + 32, size[1] + 32)
    one, many = (np.stack([_fitted(frame, size) for frame in chosen]) for chosen in (frames[:1], frames))
    return [one, many, np.stack([_fitted(frame, larger) for frame in frames[:2]])]


def _frames(config: Config) -> list[np.ndarray]:
    """:data:`FRAMES` frames (H, W) or (H, W, channels) float32; fewer are repeated."""
    channels = config.data.num_channels
    if not (config.test.test_dir or config.data.data_dir):
        return [_generated(config.seed + index, channels) for index in range(FRAMES)]
    if config.test.test_dir:
        samples = find_test_samples(config.test.test_dir)
    else:
        samples = find_samples(config.data.data_dir, ("val",))
    return [read_image(samples[index % len(samples)].image, channels) for index in range(FRAMES)]


def _generated(seed: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    frame, _ = render_frame(draw_subject(rng), draw_sequence(rng), rng, 192, 256)
    return frame if channels == 1 else np.dstack([frame + channel for channel in range(channels)])


def _fitted(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(channels, H, W) of ``size``."""
    letterbox = Letterbox(frame.shape[:2], size)
    planes = [frame] if frame.ndim == 2 else np.moveaxis(frame, 2, 0)
    return np.stack([letterbox.to_network(np.ascontiguousarray(plane))[0] for plane in planes])
