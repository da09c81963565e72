"""A network with its normalisation before it and a softmax behind it, in PyTorch's operations alone."""

from typing import Any

import numpy as np
from torch import Tensor, nn

from lib.thermal import normalize, normalize_tensor


class ExportableModel(nn.Module):
    """Frames in deg C to class probabilities.

    Args:
        network: from normalised images to :class:`lib.models.output.SegOutput`.
        **normalization: keyword arguments of :func:`lib.thermal.normalize`, as in training.
    """

    def __init__(self, network: nn.Module, **normalization: Any) -> None:
        super().__init__()
        self.network = network
        self._normalization = normalization

    def forward(self, frames: Tensor) -> Tensor:
        """(N, data.num_channels, H, W) float32 in deg C to probabilities (N, C, H, W) float32."""
        return self.network(normalize_tensor(frames, **self._normalization)).logits.softmax(1)

    def normalized(self, frames: np.ndarray) -> np.ndarray:
        """Normalise frames (N, C, H, W) float32 in deg C one by one, as training does, with NumPy."""
        images = [frame[0] if len(frame) == 1 else np.ascontiguousarray(frame.transpose(1, 2, 0)) for frame in frames]
        images = [normalize(image, **self._normalization) for image in images]
        return np.stack([image[None] if image.ndim == 2 else image.transpose(2, 0, 1) for image in images])
