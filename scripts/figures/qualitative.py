"""Draws what networks find in controlled, unconstrained and occluded frames beside the truth.

python scripts/figures/qualitative.py CONTROLLED_DIR UNCONSTRAINED_DIR --network TITLE CKPT [--network TITLE CKPT ...]

Both folders hold image/ and label/, such as DATA_ROOT/Processed/val. Frames are chosen by place alone: in the order of
their names, the middle ones of --frames equal parts. Occluded frames are the controlled ones under the first draw of
random_thermal_occlusion that covers a tenth of the face.
"""

import argparse
import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.datasets.dataset import Sample, SegmentationDataset, find_test_samples  # noqa: E402
from lib.datasets.transforms import TransformSequence  # noqa: E402
from lib.datasets.transforms.occlusion import RandomThermalOcclusion  # noqa: E402
from lib.metrics import frame_scores  # noqa: E402
from lib.utils.config import Config  # noqa: E402
from lib.utils.errors import ConfigError, DataError  # noqa: E402
from lib.utils.labels import IGNORE  # noqa: E402
from lib.vis import palette_of  # noqa: E402
from lib.vis.overlay import grey_levels, tinted  # noqa: E402
from scripts.figures.segment import segment  # noqa: E402
from scripts.figures.style import (  # noqa: E402
    IMAGES,
    class_patches,
    evenly,
    save,
    say_origin,
    styled,
    without_ticks,
)
from scripts.prediction import config_of  # noqa: E402

COVERED = 0.1
"""Share of the face that an occluder hides at least."""
WIDTH = 2.1
"""Of a picture, in."""


class Picture(NamedTuple):
    """A frame of the figure: (H, W) float32 deg C, and its truth, (H, W) uint8 classes, 255 ignored."""

    group: str
    image: np.ndarray
    label: np.ndarray


def main(arguments: list[str] | None = None) -> int:
    """Parse, segment and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("controlled", metavar="CONTROLLED_DIR", help="a folder with image/ and label/")
    parser.add_argument("unconstrained", metavar="UNCONSTRAINED_DIR", help="another one")
    parser.add_argument(
        "--network",
        required=True,
        action="append",
        nargs=2,
        metavar=("TITLE", "CKPT"),
        help="a column; repeatable",
    )
    parser.add_argument("--frames", type=int, default=2, metavar="N", help="of each kind")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the occluders")
    parser.add_argument("--out", default=IMAGES / "qualitative.png", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    try:
        checkpoints = {title: Path(path) for title, path in args.network}
        if len(checkpoints) < len(args.network):
            parser.error("--network: expected a title of its own for each")
        config = common_config(list(checkpoints.values()))
        controlled = chosen_frames("controlled", args.controlled, args.frames, config)
        pictures = [*controlled, *chosen_frames("unconstrained", args.unconstrained, args.frames, config)]
        pictures += [occluded(picture, [args.seed, index]) for index, picture in enumerate(controlled)]
        frames = {f"frame{index:04d}": picture.image for index, picture in enumerate(pictures)}
        found = {title: list(segment(path, frames).values()) for title, path in checkpoints.items()}
    except (ValueError, OSError) as error:
        print(f"qualitative.py: error: {error}", file=sys.stderr)
        return 2
    with styled():
        figure = draw(pictures, found, config)
        say_origin(figure, [args.controlled, args.unconstrained])
        save(figure, args.out)
    return 0


def common_config(checkpoints: Sequence[Path]) -> Config:
    """The config of the first checkpoint, whose classes the others have too."""
    first, *others = map(config_of, checkpoints)
    for path, other in zip(checkpoints[1:], others, strict=True):
        if (other.data.names, other.data.remap_classes) != (first.data.names, first.data.remap_classes):
            raise ConfigError(
                f"{path}: has other classes than {checkpoints[0]}: {other.data.names}, {first.data.names}"
            )
    return first


def chosen_frames(group: str, folder: str, count: int, config: Config) -> list[Picture]:
    """Frames of a folder, by :func:`evenly` over their names."""
    samples: list[Sample] = find_test_samples(folder)
    if len(samples) < count or samples[0].label is None:
        raise DataError(f"{folder}: expected at least {count} frames with labels in image/ and label/")
    data = SegmentationDataset(evenly(samples, count), config.data.num_classes, config.data.remap_classes)
    return [Picture(group, *data[index]) for index in range(count)]


def occluded(picture: Picture, seed: Sequence[int]) -> Picture:
    """The picture under the first draw of TiAug's occluders that hides :data:`COVERED` of its face."""
    face = (picture.label > 0) & (picture.label != IGNORE)
    rng, transform, apply = np.random.default_rng(seed), RandomThermalOcclusion(), TransformSequence([]).apply
    for _ in itertools.repeat(None, 1000):
        operation = transform.draw(rng, face.shape)
        hidden = apply(picture.image, picture.label, [replace(operation, label="ignore")])[1] == IGNORE
        if hidden[face].sum() > COVERED * face.sum():
            return Picture("occluded", *apply(picture.image, picture.label, [operation])[:2])
    raise DataError("no occluder hides enough of the face: does the controlled frame show one?")


def draw(pictures: Sequence[Picture], found: Mapping[str, Sequence[np.ndarray]], config: Config) -> Figure:
    """A row for each picture: input, truth, and what each network found with its mean IoU."""
    names, palette = config.data.names, palette_of(config.data.num_classes, config.data.palette)
    titles = ["input", "truth", *found]
    height, width = pictures[0].label.shape
    size = (WIDTH * len(titles) + 0.4, (WIDTH * height / width + 0.27) * len(pictures) + 0.9)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.02, hspace=0, wspace=0)
    grid = figure.subplots(len(pictures), len(titles), squeeze=False)
    for row, (axes, picture) in enumerate(zip(grid, pictures, strict=True)):
        axes[0].imshow(grey_levels(picture.image), cmap="gray", vmin=0, vmax=255)
        axes[0].set_ylabel(picture.group, fontsize=12)
        axes[1].imshow(tinted(picture.image, picture.label, palette))
        for place, predictions in zip(axes[2:], found.values(), strict=True):
            place.imshow(tinted(picture.image, predictions[row], palette))
            score = frame_scores("", predictions[row], picture.label, len(names)).miou
            place.set_xlabel("no truth" if score is None else f"mean IoU {100 * score:.1f} %", labelpad=2)
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title)
    for axes in grid.flat:
        without_ticks(axes)
    figure.legend(
        handles=class_patches(names, palette), loc="outside lower center", ncols=len(names) - 1, borderaxespad=0
    )
    return figure


if __name__ == "__main__":
    sys.exit(main())
