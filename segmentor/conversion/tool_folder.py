"""Labels to correct in an annotation tool, beside pictures that it can show."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from lib.datasets.annotations.formats import FORMATS
from lib.datasets.annotations.outlines import IGNORE_LABEL, shapes_of
from lib.datasets.annotations.shapes import LabelledPicture
from lib.utils.files import atomic_write
from lib.utils.manifest import Manifest
from lib.vis.overlay import grey_levels


class ToolFolder:
    """Writes pictures and labels in the form of a tool.

    Args:
        folder: gets them.
        tool: name of the form, one that is written.
        names: of the classes, the background first.
        manifest: of the folder, or of one that it is in; lists the files.
        kind: of the shapes, ``polygons`` or ``masks``.
        tolerance: pixels that simplified outlines may lie off the exact ones; None = a 320th of the frame's longer
            side, about a pixel of the network's.
    """

    def __init__(
        self,
        folder: Path,
        tool: str,
        names: Sequence[str],
        manifest: Manifest,
        kind: str = "polygons",
        tolerance: float | None = None,
    ) -> None:
        self._folder, self._names, self._manifest = folder, list(names), manifest
        self._kind, self._tolerance = kind, tolerance
        self._format = FORMATS[tool]

    def add(self, name: str, frame: np.ndarray, label: np.ndarray) -> LabelledPicture:
        """Write the picture of a frame; threads may do so at the same time.

        Args:
            name: of the frame.
            frame: (H, W) float32, any unit; the picture has 8 bits, between its 1st and 99th percentile.
            label: (H, W) uint8 classes, 255 ignored.

        Returns:
            What :meth:`finish` takes.
        """
        tolerance = max(label.shape) / 320 if self._tolerance is None else self._tolerance
        shapes = shapes_of(label, self._names, self._kind, tolerance, self._format.nested)
        path = self._folder / f"{name}.png"
        with self._manifest.writing(path), atomic_write(path, durable=False) as file:
            file.write(cv2.imencode(".png", grey_levels(frame))[1])
        return LabelledPicture(path.name, (label.shape[0], label.shape[1]), shapes)

    def finish(self, pictures: Sequence[LabelledPicture]) -> None:
        """Write the tool's files of all pictures, in their order."""
        assert self._format.write is not None
        for name, content in self._format.write(pictures, [*self._names, IGNORE_LABEL]):
            path = self._folder / name
            with self._manifest.writing(path), atomic_write(path, "w", encoding="utf-8", durable=False) as file:
                file.write(content)
