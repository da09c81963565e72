"""Masks of predicted frames, compared with the boxes of their faces."""

from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from lib import vis
from lib.thermal import open_sequence
from lib.utils.config import Config
from lib.utils.errors import DataError
from scripts.wild.checking.frames import Known, match
from scripts.wild.checking.scoring import FrameScore, score_frame
from scripts.wild.checking.sheet import draw_tile


def compare(
    config: Config, known: dict[str, Known], boxes_file: Path, tiles: int = 0
) -> tuple[list[FrameScore], list[np.ndarray]]:
    """Score the masks that :func:`scripts.prediction.predict` wrote.

    Args:
        config: what that returned.
        known: of the frames, by name.
        boxes_file: where that comes from, for messages.
        tiles: number of frames to draw for a contact sheet.

    Returns:
        Scores of all frames with known boxes, and pictures (256, 320, 3) uint8 RGB of the first of them.

    Raises:
        DataError: a box's frame isn't in the folder, or no frame has a line in the file.
    """
    section = config.predict
    reading = {"preset": section.temp_preset, "scale": section.temp_scale, "offset": section.temp_offset}
    sequence = open_sequence(section.input, **reading, raw_size=tuple(section.raw_size))
    folder = Path(config.test.out_dir) / "label"
    names = [name for name, _ in sequence]
    known = match(known, names, boxes_file)
    colours = vis.palette_of(config.data.num_classes, config.data.palette)
    scores, pictures = [], []
    for name, frame in tqdm(sequence, total=len(names), desc="score", unit="frame", disable=None):
        if name not in known:
            continue
        boxes, conditions = known[name]
        label = np.array(Image.open(folder / f"{name}.png"))
        scores.append(score_frame(name, label, boxes, conditions))
        if len(pictures) < tiles:
            pictures.append(draw_tile(frame.values, label, boxes, config.data.names, colours))
    if not scores:
        raise DataError(f"{boxes_file}: speaks of none of the frames in {section.input}")
    return scores, pictures
