"""Flips, rotation, resizing, cropping and padding: each adds to the pending warp of a state."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.datasets.transforms.state import Operation, Shape, TransformState, translation
from lib.utils.errors import ConfigError, DataError


class Geometric(Operation):
    """An operation that only moves pixels."""

    def affine(self, shape: Shape) -> tuple[np.ndarray, Shape]:
        """Of a canvas of ``shape``: (3, 3) float64 matrix from new to old coordinates and the new (H, W)."""
        raise NotImplementedError

    def apply(self, state: TransformState) -> TransformState:
        """Add to the pending warp; no pixel is touched yet."""
        return replace(state, warp=state.warp.then(*self.affine(state.warp.shape)))

    def shape_after(self, shape: Shape) -> Shape:
        """(H, W) of the canvas that it makes of one of ``shape``."""
        return self.affine(shape)[1]


@dataclass(frozen=True)
class HorizontalFlip(Geometric):
    """Mirror left and right, exactly as ``np.fliplr``.

    Args:
        swaps: pairs of classes that become each other in the label.

    >>> HorizontalFlip().affine((4, 6))[0][0].tolist()
    [-1.0, 0.0, 5.0]
    """

    swaps: tuple[tuple[int, int], ...] = ()

    def apply(self, state: TransformState) -> TransformState:
        """Add to the pending warp, and swap the classes."""
        if self.swaps:
            table = np.arange(256, dtype=np.uint8)
            for first, second in self.swaps:
                table[[first, second]] = second, first
            state = replace(state, label=table[state.label])
        return super().apply(state)

    def affine(self, shape: Shape) -> tuple[np.ndarray, Shape]:
        """See :meth:`Geometric.affine`: x becomes W - 1 - x."""
        return np.array([[-1.0, 0.0, shape[1] - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), shape


@dataclass(frozen=True)
class VerticalFlip(Geometric):
    """Mirror top and bottom, exactly as ``np.flipud``."""

    def affine(self, shape: Shape) -> tuple[np.ndarray, Shape]:
        """See :meth:`Geometric.affine`: y becomes H - 1 - y."""
        return np.array([[1.0, 0.0, 0.0], [0.0, -1.0, shape[0] - 1.0], [0.0, 0.0, 1.0]]), shape


@dataclass(frozen=True)
class Rotation(Geometric):
    """Turn counter-clockwise by ``angle`` degrees about ((W-1)/2, (H-1)/2); the canvas keeps its shape.

    A multiple of 90 degrees on a square canvas equals ``np.rot90`` exactly.
    """

    angle: float

    def affine(self, shape: Shape) -> tuple[np.ndarray, Shape]:
        """See :meth:`Geometric.affine`: a turn about the centre."""
        # Rounded so that right angles are exact.
        cos = round(math.cos(math.radians(self.angle)), 12)
        sin = round(math.sin(math.radians(self.angle)), 12)
        x, y = (shape[1] - 1) / 2, (shape[0] - 1) / 2
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return translation(x, y) @ turn @ translation(-x, -y), shape


@dataclass(frozen=True)
class Resize(Geometric):
    """Stretch to ``shape`` (H, W) so that the canvas's outer edges match (``align_corners=False``)."""

    shape: Shape

    def affine(self, shape: Shape) -> tuple[np.ndarray, Shape]:
        """See :meth:`Geometric.affine`: a scale for each axis, between outer edges."""
        y, x = (old / new for old, new in zip(shape, self.shape, strict=True))
        return np.array([[x, 0.0, (x - 1) / 2], [0.0, y, (y - 1) / 2], [0.0, 0.0, 1.0]]), self.shape


@dataclass(frozen=True)
class Window(Geometric):
    """What a window of ``shape`` (H, W) at (top, left) shows: a crop, or where it lies outside a pad."""

    top: int
    left: int
    shape: Shape

    def affine(self, shape: Shape) -> tuple[np.ndarray, Shape]:
        """See :meth:`Geometric.affine`: a translation."""
        return translation(self.left, self.top), self.shape


@dataclass(frozen=True)
class RandomHFlip:
    """Mirror left and right, and swap these pairs of classes."""

    swap_pair: Sequence[Sequence[int]] = ()

    def __post_init__(self) -> None:
        # A config has lists, and the same transform is equal to itself however it was made.
        object.__setattr__(self, "swap_pair", tuple((first, second) for first, second in self.swap_pair))

    def draw(self, rng: np.random.Generator, shape: Shape) -> HorizontalFlip:
        """A flip; whether it happens is up to the sequence."""
        return HorizontalFlip(tuple((first, second) for first, second in self.swap_pair))


@dataclass(frozen=True)
class RandomVFlip:
    """Mirror top and bottom."""

    def draw(self, rng: np.random.Generator, shape: Shape) -> VerticalFlip:
        """A flip; whether it happens is up to the sequence."""
        return VerticalFlip()


@dataclass(frozen=True)
class RandomRotate:
    """Turn by an angle drawn uniformly between two limits in degrees, counter-clockwise."""

    low_limit_angle: float = 0.0
    high_limit_angle: float = 360.0

    def draw(self, rng: np.random.Generator, shape: Shape) -> Rotation:
        """A rotation by one angle."""
        return Rotation(rng.uniform(self.low_limit_angle, self.high_limit_angle))


@dataclass(frozen=True)
class FixedResize:
    """Stretch to ``target_size`` (width, height), or scale so that the shorter side has ``min_side_length`` pixels.

    Raises:
        ConfigError: not one of the two.

    >>> FixedResize(min_side_length=10).draw(np.random.default_rng(0), (20, 30)).shape
    (10, 15)
    """

    target_size: Sequence[int] | None = None
    min_side_length: int | None = None

    def __post_init__(self) -> None:
        if (self.target_size is None) == (self.min_side_length is None):
            raise ConfigError("train_trans.resize: expected one of min_side_length and target_size")

    def draw(self, rng: np.random.Generator, shape: Shape) -> Resize:
        """A resize of a canvas of ``shape`` (H, W); nothing about it is random."""
        if self.target_size is not None:
            width, height = self.target_size
            return Resize((height, width))
        scale = (self.min_side_length or 1) / min(shape)
        return Resize((max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))))


@dataclass(frozen=True)
class RandomResize:
    """Scale both axes by s, drawn from ``scale_range``, then width by sqrt(a) and height by 1 / sqrt(a), a
    drawn from ``aspect_range``; both uniformly.

    Raises:
        ConfigError: ``method`` isn't ``random``.
    """

    scale_range: Sequence[float] = (0.5, 2.0)
    aspect_range: Sequence[float] = (0.9, 1.1)
    method: str = "random"

    def __post_init__(self) -> None:
        if self.method != "random":
            raise ConfigError(f"random_resize.method: expected random, got {self.method!r}")

    def draw(self, rng: np.random.Generator, shape: Shape) -> Resize:
        """A resize of a canvas of ``shape`` (H, W) to at least one pixel each way."""
        (smallest, largest), (narrowest, widest) = self.scale_range, self.aspect_range
        scale = rng.uniform(smallest, largest)
        stretch = math.sqrt(rng.uniform(narrowest, widest))
        height, width = shape
        return Resize((max(1, round(height * scale / stretch)), max(1, round(width * scale * stretch))))


@dataclass(frozen=True)
class RandomCrop:
    """Cut out ``crop_size`` (width, height), at the ``center`` or anywhere (``random``); a smaller axis
    stays whole.

    Raises:
        ConfigError: an unknown ``method``.
    """

    crop_size: Sequence[int]
    method: str = "center"

    def __post_init__(self) -> None:
        if self.method not in ("center", "random"):
            raise ConfigError(f"random_crop.method: expected center or random, got {self.method!r}")

    def draw(self, rng: np.random.Generator, shape: Shape) -> Window:
        """A window within a canvas of ``shape`` (H, W)."""
        kept = min(shape[0], self.crop_size[1]), min(shape[1], self.crop_size[0])
        top, left = (
            spare // 2 if self.method == "center" else int(rng.integers(spare + 1))
            for spare in (shape[0] - kept[0], shape[1] - kept[1])
        )
        return Window(top, left, kept)


PAD_MODES = ("random", "pad_center", "pad_left_up", "pad_right_down")


@dataclass(frozen=True)
class Pad:
    """Pad to ``input_size`` (width, height).

    Args:
        input_size: what the network gets.
        pad_mode: where the padding goes: split at ``random``, evenly (``pad_center``), or all of it on the
            left and top or on the right and bottom.

    Raises:
        ConfigError: an unknown ``pad_mode``.
    """

    input_size: Sequence[int]
    pad_mode: str = "random"

    def __post_init__(self) -> None:
        if self.pad_mode not in PAD_MODES:
            raise ConfigError(
                f"data_transformer.pad_mode: expected one of {', '.join(PAD_MODES)}, got {self.pad_mode!r}"
            )

    def draw(self, rng: np.random.Generator, shape: Shape) -> Window:
        """
        Raises:
            DataError: the canvas is larger than ``input_size``.
        """
        width, height = self.input_size
        if shape[0] > height or shape[1] > width:
            raise DataError(
                f"train.data_transformer.input_size: expected frames of at most {width}x{height} (W x H) "
                f"after train_trans, got {shape[1]}x{shape[0]}; add random_crop with ratio 1 or enlarge "
                "input_size"
            )
        top, left = (self._before(rng, spare) for spare in (height - shape[0], width - shape[1]))
        return Window(-top, -left, (height, width))

    def _before(self, rng: np.random.Generator, spare: int) -> int:
        if self.pad_mode == "random":
            return int(rng.integers(spare + 1))
        return {"pad_center": spare // 2, "pad_left_up": spare, "pad_right_down": 0}[self.pad_mode]
