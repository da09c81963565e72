"""What :mod:`scripts.wild.check_weights` shows of frames with masks: scores, by condition, and a sheet of frames."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from lib import vis
from lib.datasets.build import reading_of
from lib.datasets.dataset import Sample, find_test_samples
from lib.datasets.labels import LabelMap, read_label
from lib.metrics.masks import MaskScores, mask_scores
from lib.thermal import FrameReader
from lib.utils.config import Config
from lib.utils.errors import DataError
from lib.utils.files import atomic_write
from lib.vis.overlay import tinted

FRAMES_FILE = "frames.csv"
NOTE = (
    "IoU of all frames' pixels, in percent. Of frames with a face: inside, the share with at least 90 % of the pixels\n"
    "called face in the mask; found, the share whose face's box is called face for at least 20 %. False: share of the\n"
    "frames without a face of which more than 0.2 % is called face."
)
_WIDTH = 14
"""Of a column of the table, in letters."""
_MOST_VALUES = 12
"""A column of ``frames.csv`` with more values than this is no condition."""
_TILES = 6
"""Frames of each kind on the sheet."""
_TILE = (240, 320)  # rows and columns of a picture on the sheet, pixels


def labelled_folders(data_dir: Path) -> dict[str, Path]:
    """The folders of frames and masks in ``data_dir``, by name: itself, or ``train``, ``val`` and so on.

    Raises:
        DataError: there is none.
    """
    inner = sorted(path for path in data_dir.iterdir() if path.is_dir()) if data_dir.is_dir() else []
    for folders in ([data_dir], inner):
        labelled = {path.name: path for path in folders if all((path / kind).is_dir() for kind in ("image", "label"))}
        if labelled:
            return labelled
    raise DataError(f"{data_dir}: expected folders image and label in --data_dir, or in folders in it, such as train/")


def read_conditions(data_dir: Path) -> dict[str, dict[str, str]]:
    """What ``frames.csv`` in ``data_dir``, or beside it, says of frames: by column, the value by the frame's name.

    Columns of more than 12 values, such as a confidence, are left out.
    """
    for path in (data_dir / FRAMES_FILE, data_dir.resolve().parent / FRAMES_FILE):
        if path.is_file():
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = [row for row in csv.DictReader(file) if row.get("frame")]
            columns = {key for row in rows for key in row if key is not None} - {"frame"}
            found = {
                column: {row["frame"]: row[column] for row in rows if row.get(column)} for column in sorted(columns)
            }
            return {column: values for column, values in found.items() if len(set(values.values())) <= _MOST_VALUES}
    return {}


class Checked:
    """The frames that were checked.

    Attributes:
        scores: of each.
    """

    def __init__(self) -> None:
        self.scores: list[MaskScores] = []
        self._files: dict[str, tuple[Config, Sample, Path]] = {}

    def add(self, config: Config, folder: Path, predictions: Path) -> None:
        """Score the masks that :func:`scripts.prediction.predict` wrote of the frames of one folder.

        Args:
            config: what that returned; its ``data`` says which class a value of a label file is.
            folder: of ``image`` and ``label``.
            predictions: folder of the predicted masks, by the frames' names.

        Raises:
            DataError: a frame has no label, the label doesn't fit it, or another folder has a frame of that name.
        """
        for sample in tqdm(find_test_samples(folder), desc="score", unit="frame", disable=None):
            if sample.name in self._files:
                raise DataError(
                    f"{sample.image}: another folder has a frame of this name; check the folders one by one"
                )
            self._files[sample.name] = config, sample, predictions / f"{sample.name}.png"
            truth, predicted = self._masks(sample.name)
            if predicted.shape != truth.shape:
                raise DataError(f"{sample.label}: the label is {truth.shape} and its frame {predicted.shape}")
            self.scores.append(mask_scores(sample.name, predicted, truth, config.data.num_classes))

    def save_sheet(self, path: Path) -> None:
        """Write a PNG of the frames with the least, the middle and the greatest mIoU: predictions, below them masks."""
        rows = []
        for title, scores in extremes(self.scores).items():
            tiles = [self._tiles(score, title) for score in scores]
            blank = [np.zeros((*_TILE, 3), np.uint8)] * (_TILES - len(tiles))
            rows += [np.hstack([*row, *blank]) for row in zip(*tiles, strict=True)]
        with atomic_write(path) as file:
            Image.fromarray(np.vstack(rows)).save(file, format="PNG")

    def _masks(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) uint8 of both: the true classes, 255 where ignored, and the predicted ones."""
        config, sample, predicted = self._files[name]
        if sample.label is None:
            raise DataError(f"{sample.image}: no label of it in {sample.image.parent.parent / 'label'}")
        label_map = LabelMap(config.data.num_classes, config.data.remap_classes)
        return label_map(read_label(sample.label), sample.label), read_label(predicted)

    def _tiles(self, score: MaskScores, title: str) -> tuple[np.ndarray, np.ndarray]:
        config, sample, _ = self._files[score.frame]
        palette = vis.palette_of(config.data.num_classes, config.data.palette)
        frame = FrameReader(reading_of(config.data), config.data.num_channels).read(sample.image).values
        truth, predicted = self._masks(score.frame)
        titled = f"{title} {100 * (score.miou or 0):.0f} %"
        return _tile(frame, predicted, palette, titled), _tile(frame, truth, palette, "mask")


def extremes(scores: Sequence[MaskScores]) -> dict[str, list[MaskScores]]:
    """Six frames each with the least, the middle and the greatest mIoU, from low to high; fewer of few frames."""
    ranked = sorted(scores, key=lambda score: (score.miou or 0.0, score.frame))
    middle = max((len(ranked) - _TILES) // 2, 0)
    return {"worst": ranked[:_TILES], "median": ranked[middle : middle + _TILES], "best": ranked[-_TILES:]}


def format_masks(result: dict[str, Any]) -> str:
    """The lines of a table of :func:`lib.metrics.masks.masks_as_json`: by condition, then of all frames."""
    rows = {
        f"{name} {value}": summary
        for name, values in result["conditions"].items()
        if len(values) > 1
        for value, summary in values.items()
    }
    rows["all frames"] = result["overall"]
    names = list(result["overall"]["iou"])
    titles = ["frames", "mIoU", *names, "inside", "found", "false"]
    lines = [f"{'':<26}" + "".join(f"{title:>{_WIDTH}}" for title in titles)]
    for title, row in rows.items():
        values = [row["miou"], *row["iou"].values(), row["good"], row["found"], row["false_alarms"]]
        cells = [str(row["frames"]), *("-" if value is None else f"{100 * value:.1f}" for value in values)]
        lines.append(f"{title[:26]:<26}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells))
    return "\n".join([*lines, "", NOTE])


def _tile(frame: np.ndarray, label: np.ndarray, palette: np.ndarray, title: str) -> np.ndarray:
    """A frame (H, W) of any unit under its classes with a title: (240, 320, 3) uint8 RGB."""
    scale = min(large / small for large, small in zip(_TILE, frame.shape[:2], strict=True))
    height, width = (min(round(scale * small), large) for large, small in zip(_TILE, frame.shape[:2], strict=True))
    frame = cv2.resize(frame.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST)
    tile = np.zeros((*_TILE, 3), np.uint8)
    tile[:height, :width] = tinted(frame, label, palette)
    cv2.putText(tile, title, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return tile
