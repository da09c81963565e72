"""Sample inputs, on which an exported network is compared with the original."""

from pathlib import Path

import numpy as np

from lib.datasets.build import reading_of
from lib.datasets.dataset import find_samples, find_test_samples
from lib.synthetic import draw_sequence, draw_subject, render_frame
from lib.thermal import FrameReader, Letterbox
from lib.utils.config import Config

FRAMES = 3
"""Different frames that the batches are made of."""


def sample_batches(config: Config, size: tuple[int, int]) -> list[np.ndarray]:
    """Batches of frames of ``test.test_dir``, else of ``data.data_dir``/val, else of synthetic ones.

    Args:
        config: of the run.
        size: (H, W) of the first two batches; the third is higher and wider by 32 pixels.

    Returns:
        Three batches (N, data.num_channels, H, W) float32 in deg C, of 1, 3 and 2 frames.

    Raises:
        DataError: the folder holds no frames, or they can't be read.
    """
    frames = _frames(config)
    larger = (size[0] + 32, size[1] + 32)
    one, many = (np.stack([_letterboxed(frame, size) for frame in chosen]) for chosen in (frames[:1], frames))
    return [one, many, np.stack([_letterboxed(frame, larger) for frame in frames[:2]])]


def frame_folders(config: Config) -> list[Path]:
    """Folders that the frames may be read from."""
    roots = [config.test.test_dir] if config.test.test_dir else [Path(root, "val") for root in config.data.data_dir]
    return [Path(root, part) for root in roots for part in ("", "image", "label")]


def _frames(config: Config) -> list[np.ndarray]:
    """:data:`FRAMES` frames (H, W) or (H, W, channels) float32; fewer are repeated."""
    channels = config.data.num_channels
    if not (config.test.test_dir or config.data.data_dir):
        return [_synthetic_frame(config.seed + index, channels) for index in range(FRAMES)]
    if config.test.test_dir:
        samples = find_test_samples(config.test.test_dir)
    else:
        samples = find_samples(config.data.data_dir, ("val",))
    reader = FrameReader(reading_of(config.data), channels)
    chosen = [samples[index % len(samples)].image for index in range(FRAMES)]
    reader.decide(chosen, str(chosen[0].parent))
    return [reader.read(path).values for path in chosen]


def _synthetic_frame(seed: int, channels: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    frame, _ = render_frame(draw_subject(rng), draw_sequence(rng), rng, 192, 256)
    return frame if channels == 1 else np.dstack([frame + channel for channel in range(channels)])


def _letterboxed(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The frame scaled and padded to ``size``, (channels, H, W) float32."""
    letterbox = Letterbox(frame.shape[:2], size)
    planes = [frame] if frame.ndim == 2 else np.moveaxis(frame, 2, 0)
    return np.stack([letterbox.to_network(np.ascontiguousarray(plane))[0] for plane in planes])
