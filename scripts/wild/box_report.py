"""What :mod:`scripts.wild.check_weights` shows: scores against boxes, as a table, and a sheet of frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from lib import vis
from lib.datasets.build import reading_of
from lib.metrics.boxes import BoxScores, box_scores, match_boxes
from lib.thermal import open_sequence
from lib.utils.config import Config
from lib.utils.files import atomic_write
from lib.vis.overlay import tinted

NOTE = (
    "Of frames with a face: share with >= 90 % of the facial pixels in face boxes that are 10 % larger on each side\n"
    "(strict: in the boxes themselves), and the median of that share of pixels. Found: share of the faces whose box\n"
    "is facial pixels for at least 20 %. False alarms: share of the frames without a face of which more than 0.2 %\n"
    "is called face."
)
_COLUMNS = {
    "frames": "frames",
    ">=90 % inside": "good",
    "strict": "good_strict",
    "median inside": "median_inside",
    "faces": "faces",
    "found": "found",
    "false alarms": "false_alarms",
}
_TILE = (256, 320)  # rows and columns of a frame on the sheet, pixels
_TILES_IN_A_ROW = 6
_BOX = (255, 255, 255)


def compare(
    config: Config, boxes: Mapping[str, np.ndarray], source: Path, tiles: int = 0
) -> tuple[list[BoxScores], list[np.ndarray]]:
    """Score the masks that :func:`scripts.prediction.predict` wrote.

    Args:
        config: what that returned.
        boxes: (N, 4) of the frames, by name.
        source: the file that they come from, for messages.
        tiles: number of frames to draw for a contact sheet.

    Returns:
        Scores of all frames with known boxes, and pictures (256, 320, 3) uint8 RGB of the first of them.

    Raises:
        DataError: a box's frame isn't in the folder.
    """
    sequence = open_sequence(config.predict.input, reading_of(config.data))
    names = [name for name, _ in sequence]
    boxes = match_boxes(boxes, names, source)
    palette = vis.palette_of(config.data.num_classes, config.data.palette)
    scores, pictures = [], []
    for name, frame in tqdm(sequence, total=len(names), desc="score", unit="frame", disable=None):
        if name in boxes:
            label = np.array(Image.open(Path(config.test.out_dir, "label", f"{name}.png")))
            scores.append(box_scores(name, label, boxes[name]))
            if len(pictures) < tiles:
                pictures.append(_tile(frame.values, label, boxes[name], palette))
    return scores, pictures


def format_table(result: dict) -> str:
    """The lines of a table of :func:`lib.metrics.boxes.as_json`: by the number of faces, then of all frames."""
    rows = {**result["people"], "all frames": result["overall"]}
    lines = [f"{'':<12}" + "".join(f"{title:>15}" for title in _COLUMNS)]
    lines += [
        f"{name:<12}" + "".join(f"{_cell(row[key]):>15}" for key in _COLUMNS.values()) for name, row in rows.items()
    ]
    return "\n".join([*lines, "", NOTE])


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{100 * value:.1f} %"


def save_sheet(path: Path, tiles: Sequence[np.ndarray]) -> None:
    """Write tiles of one size in rows of six as a PNG."""
    tiles = [*tiles, *[np.zeros_like(tiles[0])] * (-len(tiles) % _TILES_IN_A_ROW)]
    rows = [np.hstack(tiles[at : at + _TILES_IN_A_ROW]) for at in range(0, len(tiles), _TILES_IN_A_ROW)]
    with atomic_write(path) as file:
        Image.fromarray(np.vstack(rows)).save(file, format="PNG")


def _tile(frame: np.ndarray, label: np.ndarray, boxes: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """A frame (H, W) of any unit under its classes, and the boxes of its faces: (256, 320, 3) uint8 RGB."""
    scale = min(large / small for large, small in zip(_TILE, frame.shape, strict=True))
    height, width = (min(round(scale * small), large) for large, small in zip(_TILE, frame.shape, strict=True))
    frame = cv2.resize(frame.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST)
    tile = np.zeros((*_TILE, 3), np.uint8)
    tile[:height, :width] = tinted(frame, label, palette)
    for box in np.rint(boxes * scale).astype(int):
        cv2.rectangle(tile, box[:2].tolist(), box[2:].tolist(), _BOX, 1)
    return tile
