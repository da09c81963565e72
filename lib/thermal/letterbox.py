"""Frames of any size to the size that a network was trained at, and its maps back."""

import cv2
import numpy as np
from torch import Tensor
from torch.nn import functional as F

from lib.thermal.resize import resize_image

Size = tuple[int, int]


class Letterbox:
    """Scales frames so that they fill a network's size in one direction and lie in its middle in the other.

    Pixels are areas: the frame's outer edges go to the outer edges of :attr:`inner`, so nothing shifts. What is left
    beside the frame gets its nearest pixel's value, as in training, which leaves the least and the greatest value of
    the frame what they are.

    Args:
        frame_size: (H, W) of the frames in pixels.
        network_size: (height, width) of the network's input in pixels.

    Attributes:
        inner: (height, width) of the scaled frame.
        top, left: where it begins in the network's input.

    >>> box = Letterbox((120, 160), (256, 320))
    >>> box.inner, box.top, box.left
    ((240, 320), 8, 0)
    """

    def __init__(self, frame_size: Size, network_size: Size) -> None:
        (height, width), (high, wide) = frame_size, network_size
        self.frame_size: Size = (height, width)
        self.network_size: Size = (high, wide)
        scale = min(high / height, wide / width)
        self.inner: Size = (min(high, max(1, round(height * scale))), min(wide, max(1, round(width * scale))))
        self.top, self.left = (high - self.inner[0]) // 2, (wide - self.inner[1]) // 2

    def to_network(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale and pad a frame.

        Args:
            frame: (H, W) float32 of ``frame_size``, any unit.

        Returns:
            Image float32 of ``network_size``, and valid, bool, False beside the frame.

        Raises:
            ValueError: the frame has another size.
        """
        if frame.shape != self.frame_size:
            raise ValueError(f"expected a frame (H, W) of {self.frame_size}, got {frame.shape}")
        image = frame if self.inner == self.frame_size else resize_image(frame, self.inner)
        below, right = (
            outer - inner - before
            for outer, inner, before in zip(self.network_size, self.inner, (self.top, self.left), strict=True)
        )
        image = cv2.copyMakeBorder(image, self.top, below, self.left, right, cv2.BORDER_REPLICATE)
        valid = np.zeros(self.network_size, bool)
        valid[self._rows, self._columns] = True
        return image, valid

    def to_frame(self, maps: Tensor) -> Tensor:
        """Maps of the network's size, such as logits, in the frame's own size; labels come from these by argmax.

        Args:
            maps: (N, C, height, width) float of ``network_size``.

        Returns:
            (N, C, H, W) of ``frame_size``, bilinear between pixel centres.
        """
        inside = maps[..., self._rows, self._columns]
        if self.inner == self.frame_size:
            return inside
        return F.interpolate(inside, self.frame_size, mode="bilinear", align_corners=False)

    @property
    def _rows(self) -> slice:
        return slice(self.top, self.top + self.inner[0])

    @property
    def _columns(self) -> slice:
        return slice(self.left, self.left + self.inner[1])
