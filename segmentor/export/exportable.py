"""A network with its normalisation before it and a softmax behind it, in PyTorch's operations alone."""

import numpy as np
import torch
from torch import Tensor, nn

from lib.thermal import normalize
from lib.thermal.normalize import RANGES, TINY
from lib.utils.config.data_sections import Normalize


class Deployed(nn.Module):
    """Frames in deg C to class probabilities.

    Args:
        network: from normalised images to :class:`lib.models.output.SegOutput`.
        section: the normalisation that it was trained with.
    """

    def __init__(self, network: nn.Module, section: Normalize) -> None:
        super().__init__()
        self.network = network
        self._section = section
        mean, std = (section.mean or [0.0]), (section.std or [1.0])
        self.register_buffer("_mean", torch.tensor(mean, dtype=torch.float32)[:, None, None])
        self.register_buffer("_std", torch.tensor(std, dtype=torch.float32)[:, None, None])

    def forward(self, frames: Tensor) -> Tensor:
        """(N, data.num_channels, H, W) float32 in deg C to probabilities (N, C, H, W) float32."""
        return self.network(self.normalized(frames)).logits.softmax(1)

    def normalized(self, frames: Tensor) -> Tensor:
        """As :func:`lib.thermal.normalize` does with each frame, all of whose pixels are real."""
        section = self._section
        if section.clip is not None:
            frames = frames.clamp(*section.clip)
        if section.norm_mode is None:
            return (frames / section.div_value - self._mean) / self._std
        low, high = RANGES[section.norm_mode]
        if section.window is not None:
            least, greatest = section.window
            return ((frames - least) * ((high - low) / (greatest - least)) + low).clamp(low, high)
        least, greatest = frames.amin((1, 2, 3), keepdim=True), frames.amax((1, 2, 3), keepdim=True)
        varies = greatest - least >= TINY
        factor = (high - low) / torch.where(varies, greatest - least, 1.0)
        return torch.where(varies, ((frames - least) * factor + low).clamp(low, high), (low + high) / 2)

    def reference(self, frames: np.ndarray) -> np.ndarray:
        """What :func:`lib.thermal.normalize` makes of frames (N, C, H, W) float32."""
        images = [frame[0] if len(frame) == 1 else np.ascontiguousarray(frame.transpose(1, 2, 0)) for frame in frames]
        images = [normalize(image, None, self._section) for image in images]
        return np.stack([image[None] if image.ndim == 2 else image.transpose(2, 0, 1) for image in images])
