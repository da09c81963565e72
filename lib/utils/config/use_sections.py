"""Sections about what a trained network is used for: predictions on any frames, export, comparison of runs."""

from typing import Annotated, Literal

from pydantic import Field

from lib.utils.config.base import Path, Paths, Probability, Section, Unit, Whole


class Predict(Section):
    """What ``--phase predict`` reads; results go to ``test.out_dir``, probabilities with ``test.save_prob``."""

    input: Path | None = None
    """A file, a folder of files, a video, or ``-`` for file names on standard input."""
    polarity: Literal["auto", "white_hot", "black_hot"] = "auto"
    """Whether warm things are bright or dark in pictures without temperatures; auto = as faces are found."""
    fps: Annotated[float, Field(gt=0, le=10000), Unit("1/s")] | None = None
    """Frames per second of a sequence; null = that of a video, else unknown."""
    min_component_ratio: Probability = 0.15
    """Facial areas apart from the frame's largest face and smaller than this share of it count as background: specks,
    and people more than about two and a half times as far away. 0 keeps all."""
    correct_in: Literal["labelme", "coco", "cvat"] | None = None
    """Write the masks also as outlines for this tool, beside pictures that it can show, to be corrected by hand."""
    erode: Annotated[Whole, Field(ge=0, le=256), Unit("pixels")] = 0
    """Pixels taken off every region's edge before its temperatures are measured."""


class Export(Section):
    """What ``--phase export`` writes."""

    format: Literal["onnx", "torch_export"] = "onnx"
    """The file format."""


class Compare(Section):
    """What ``--phase compare`` reads."""

    runs: Annotated[Paths, Field(max_length=64)] = []
    """Result folders of ``--phase test``, the first being the one compared with."""
