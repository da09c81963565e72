"""A sequence of random transforms over one image and its label."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lib.datasets.transforms.state import Operation, Shape, TransformState
from lib.utils.errors import DataError


class RandomTransform(Protocol):
    """Holds the ranges that a config names; draws operations from them."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> Operation:
        """One operation for a canvas of ``shape`` (H, W), with all its random values."""


class TransformSequence:
    """Apply each transform with its probability, in order.

    Flips, rotations, resizing, cropping and padding that follow each other are carried out as one warp;
    blur, noise and occluders among them act at the scale and in the order of the sequence. What is turned,
    flipped or cropped but not yet resized when they come still has the pixels of the frame, so they act
    there, before the warp, mapped back to it.

    Args:
        steps: transforms and the probability of each, in [0, 1].

    >>> from lib.datasets.transforms.geometric import RandomHFlip
    >>> image, label = np.array([[20, 30]], np.float32), np.array([[0, 1]], np.uint8)
    >>> mirrored, _, _ = TransformSequence([(RandomHFlip(), 1.0)])(image, label, np.random.default_rng(0))
    >>> mirrored.tolist()
    [[30.0, 20.0]]
    """

    def __init__(self, steps: Sequence[tuple[RandomTransform, float]]) -> None:
        self.steps = tuple(steps)

    def __call__(
        self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw operations and apply them; arguments and result as of :meth:`draw` and :meth:`apply`."""
        return self.apply(image, label, self.draw(rng, image.shape[:2]))

    def draw(self, rng: np.random.Generator, shape: Shape) -> tuple[Operation, ...]:
        """The operations that befall one frame of ``shape`` (H, W): everything that is random about it."""
        operations = []
        for transform, ratio in self.steps:
            if rng.random() < ratio:
                operations.append(transform.draw(rng, shape))
                shape = operations[-1].shape_after(shape)
        return tuple(operations)

    def apply(
        self, image: np.ndarray, label: np.ndarray, operations: Sequence[Operation]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Apply drawn operations.

        Args:
            image: (H, W[, C]) float32 deg C; stays as it is.
            label: (H, W) uint8, 255 = ignored; stays as it is.

        Returns:
            New arrays: image float32, label uint8, and valid, bool, False where a pixel comes from outside
            the frame (there the label is 255 and the image has the frame's nearest value).

        Raises:
            DataError: image and label don't fit each other.
        """
        if image.dtype != np.float32 or label.dtype != np.uint8 or image.shape[:2] != label.shape:
            raise DataError(
                f"expected image float32 (H, W[, C]) and label uint8 (H, W), got "
                f"{image.dtype} {image.shape} and {label.dtype} {label.shape}"
            )
        state = TransformState.of(np.ascontiguousarray(image), np.ascontiguousarray(label))
        for operation in operations:
            state = operation.apply(state)
        state = state.warped()
        valid = np.ones(state.label.shape, bool) if state.valid is None else state.valid
        return _apart_from(state.image, image), _apart_from(state.label, label), valid


def _apart_from(result: np.ndarray, given: np.ndarray) -> np.ndarray:
    return result.copy() if np.shares_memory(result, given) else result
