"""The operations of TiAug as far as albumentations has them; it is no requirement of this project."""

import albumentations
import cv2
import numpy as np

RANGE = 100.0  # deg C; albumentations takes floats in [0, 1]


class AlbumentationsTiAug:
    """Flips, rotation, blur, noise, one or two rectangles (there are no polygons), scale, centre crop, padding.

    Args:
        size: (width, height) of the result, pixels.
        seed: of all draws.
    """

    def __init__(self, size: tuple[int, int] = (320, 256), seed: int = 0) -> None:
        width, height = size
        outside = {"border_mode": cv2.BORDER_CONSTANT, "fill_mask": 255}
        self.pipeline = albumentations.Compose(
            [
                albumentations.HorizontalFlip(p=0.5),
                albumentations.VerticalFlip(p=0.5),
                albumentations.Rotate((0, 360), p=1.0, **outside),
                albumentations.GaussianBlur(blur_limit=0, sigma_limit=(1.0, 1.2), p=0.5),
                albumentations.GaussNoise(std_range=(0, 0.1 / RANGE), p=0.5),
                albumentations.CoarseDropout((1, 2), (20, 50), (20, 50), fill="random_uniform", p=0.5),
                albumentations.RandomScale((-0.5, 1.0), p=1.0),
                albumentations.CenterCrop(height, width, pad_if_needed=True, pad_position="random", p=1.0, **outside),
            ],
            seed=seed,
        )

    def __call__(self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Image (H, W) float32, deg C, and label (H, W) uint8 -> the same at ``size``; ``rng`` is not used."""
        result = self.pipeline(image=image * np.float32(1 / RANGE), mask=label)
        return result["image"] * np.float32(RANGE), result["mask"]
