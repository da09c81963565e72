"""Labelled areas as annotation tools store them, and the label that they draw."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lib.utils.errors import DataError

Size = tuple[int, int]
MAX_COORDINATE = 1e5
"""Pixels; far beyond any camera."""
MARGIN = 0.25
"""Of the frame's longer side: how far outside the frame a shape may reach. Tools let people draw past the border; what
lies farther out belongs to another frame."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A labelled area of a frame: polygons, or a mask.

    Coordinates are those of all tools here: the first pixel covers 0 to 1, its centre is (0.5, 0.5).

    Attributes:
        label: as the tool has it: a name, a number of a class (``"3"``) or a colour (``"#ff0000"``).
        where: the file and the entry in it, for messages.
        rings: polygons, each (N, 2) float64 [x, y] in pixels; a pixel belongs to the area if an odd number of them
            encloses its centre, so that a ring within another is a hole.
        mask: (h, w) bool in the place of ``rings``.
        corner: row and column of the frame's pixel that is the first of ``mask``.
    """

    label: str
    where: str
    rings: tuple[np.ndarray, ...] = ()
    mask: np.ndarray | None = None
    corner: tuple[int, int] = (0, 0)

    def pixels(self, size: Size) -> np.ndarray:
        """The area in a frame of ``size`` (H, W), bool; what lies outside is cut.

        Raises:
            DataError: it reaches more than a quarter of the frame's longer side out of the frame, or has no pixel in
                it.
        """
        low, high = self._extent()
        margin = MARGIN * max(size)
        if min(low) < -margin or high[0] > size[1] + margin or high[1] > size[0] + margin:
            raise DataError(
                f"{self.where}: reaches from ({low[0]:.0f}, {low[1]:.0f}) to ({high[0]:.0f}, {high[1]:.0f}), out of "
                f"the frame of {size[1]}x{size[0]} pixels; was it drawn on another frame, or on a picture of another "
                "size? Move it, or remove it"
            )
        area = fill(self.rings, size) if self.mask is None else self._placed(self.mask, size)
        if not area.any():
            raise DataError(
                f"{self.where}: covers no pixel of the frame of {size[1]}x{size[0]} pixels; remove it, or draw it anew"
            )
        return area

    def _extent(self) -> tuple[tuple[float, float], tuple[float, float]]:
        if self.mask is not None:
            (top, left), (height, width) = self.corner, self.mask.shape
            return (left, top), (left + width, top + height)
        points = np.concatenate(self.rings)
        low, high = points.min(0), points.max(0)
        return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))

    def _placed(self, mask: np.ndarray, size: Size) -> np.ndarray:
        (top, left), (height, width) = self.corner, size
        area = np.zeros(size, bool)
        inside = mask[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
        top, left = max(top, 0), max(left, 0)
        area[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
        return area


class Annotation(NamedTuple):
    """What a tool's files say of one frame.

    Attributes:
        name: of the frame, without folder and ending.
        where: the file and the entry in it, for messages.
        shapes: (H, W) of the frame -> its shapes in drawing order, later over earlier; none where nobody has labelled
            it. Raises a DataError that names the file, the entry and the remedy.
    """

    name: str
    where: str
    shapes: Callable[[Size], list[Shape]]


class AnnotationSet(NamedTuple):
    """What a tool's files say.

    Attributes:
        annotations: one for each frame; their names are different.
        labels: that the files declare, in their order; empty where they declare none.
        colours: of declared labels, [r, g, b] of 0-255 each.
    """

    annotations: list[Annotation]
    labels: Sequence[str] = ()
    colours: Mapping[str, tuple[int, int, int]] = {}


class LabelledPicture(NamedTuple):
    """A picture with its shapes, to be written in a tool's form.

    Attributes:
        file: name of the picture's file, beside the tool's.
        size: (H, W) in pixels.
        shapes: in drawing order.
    """

    file: str
    size: Size
    shapes: list[Shape]


@dataclass
class Codes:
    """Numbers of labels in the order in which they are met, while it isn't known yet which classes there are.

    Attributes:
        first: where each label was met first, for messages; its place is its number less 1.
    """

    first: dict[str, str] = field(default_factory=dict)

    def of(self, shape: Shape) -> int:
        """1 to 255; 0 is what no shape covers.

        Raises:
            DataError: more than 255 different labels.
        """
        self.first.setdefault(shape.label, shape.where)
        number = list(self.first).index(shape.label) + 1
        if number > 255:
            raise DataError(f"{shape.where}: more than 255 different labels; are these classes?")
        return number


def draw(shapes: Iterable[Shape], size: Size, codes: Codes) -> np.ndarray:
    """(H, W) uint8 of the shapes' codes, later shapes over earlier ones; errors as of their parts."""
    drawn = np.zeros(size, np.uint8)
    for shape in shapes:
        drawn[shape.pixels(size)] = codes.of(shape)
    return drawn


def fill(rings: Sequence[np.ndarray], size: Size) -> np.ndarray:
    """The pixels of a frame of ``size`` (H, W) whose centre an odd number of rings encloses, bool.

    >>> square = np.array([[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [1.0, 1.0]])
    >>> fill([square], (2, 4)).astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    height, width = size
    starts = np.concatenate([np.zeros((0, 2)), *rings])
    ends = np.concatenate([np.zeros((0, 2)), *(np.roll(ring, -1, axis=0) for ring in rings)])
    upward = starts[:, 1] > ends[:, 1]
    starts[upward], ends[upward] = ends[upward], starts[upward]
    # The rows whose centre lies between the ends of an edge, and where the edge crosses their centre line.
    first = np.clip(np.ceil(starts[:, 1] - 0.5), 0, height).astype(int)
    counts = np.clip(np.ceil(ends[:, 1] - 0.5), 0, height).astype(int) - first
    edges = np.repeat(np.arange(len(starts)), counts)
    rows = np.arange(len(edges)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edges]
    (x, y), (dx, dy) = starts[edges].T, (ends - starts)[edges].T
    columns = np.clip(np.ceil(x + (rows + 0.5 - y) * dx / dy - 0.5), 0, width).astype(int)
    crossings = np.bincount(rows * (width + 1) + columns, minlength=height * (width + 1))
    return (np.cumsum(crossings.reshape(height, width + 1)[:, :width], axis=1) & 1).astype(bool)


def check_size(labelled: tuple[Any, Any], size: Size, where: str) -> None:
    """Raise a DataError if the picture that was labelled, of (H, W) as the tool says, hasn't the frame's size."""
    if labelled != size:
        raise DataError(
            f"{where}: its picture has {labelled[1]}x{labelled[0]} pixels, the frame {size[1]}x{size[0]}; label "
            "pictures of the frames' own size, such as --to labelme, coco and cvat write them"
        )


def ring_of(points: Any, where: str) -> np.ndarray:
    """A polygon from a file as (N, 2) float64 [x, y].

    Raises:
        DataError: not at least three pairs of finite numbers within 100,000 pixels.
    """
    if not isinstance(points, list) or len(points) < 3:
        count = len(points) if isinstance(points, list) else 0
        raise DataError(f"{where}: a polygon of {count} points; it takes at least 3: remove it, or draw it anew")
    for point in points:
        numbers = point if isinstance(point, list | tuple) else ()
        if len(numbers) != 2 or not all(is_coordinate(number) for number in numbers):
            raise DataError(f"{where}: expected points [x, y] in pixels, got {str(point)[:60]}")
    return np.array(points, np.float64)


def is_coordinate(number: Any) -> bool:
    """Whether a value from a file is a finite number within 100,000 pixels."""
    return type(number) in (int, float) and abs(number) <= MAX_COORDINATE  # NaN fails every comparison


def rectangle(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """The ring (4, 2) of an upright rectangle between two of its corners."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def ellipse(x: float, y: float, radius_x: float, radius_y: float, degrees: float = 0.0) -> np.ndarray:
    """The ring (64, 2) of an ellipse about (x, y), turned clockwise as seen in the picture."""
    angle, turn = np.linspace(0, 2 * np.pi, 64, endpoint=False), np.deg2rad(degrees)
    along, across = radius_x * np.cos(angle), radius_y * np.sin(angle)
    turned = (along * np.cos(turn) - across * np.sin(turn), along * np.sin(turn) + across * np.cos(turn))
    return np.stack([x + turned[0], y + turned[1]], axis=1)
