"""Draws what predictions of a minute of a synthetic face that moves and breathes give: masks, temperatures, breathing.

python scripts/figures/predictions.py [--resume lib/models/pretrained/face.pth] [--out_dir images]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.datasets.labels import read_label  # noqa: E402
from lib.utils.config import Config  # noqa: E402
from lib.utils.errors import DataError  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.vis import palette_of  # noqa: E402
from lib.vis.overlay import tinted  # noqa: E402
from scripts.figures.moving_face import BREATHS, film, set_up  # noqa: E402
from scripts.figures.style import IMAGES, REPO, class_patches, save, styled, without_ticks  # noqa: E402
from scripts.prediction import config_of, predict  # noqa: E402

FPS = 10
ROUND = 12
"""Seconds of one round of movement."""
SHOWN = 3
"""Masks, from evenly spaced moments of a round."""


def main(arguments: list[str] | None = None) -> int:
    """Parse, film, predict and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resume", default=REPO / "lib/models/pretrained/face.pth", type=Path, metavar="CKPT")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help=f"of movement, {ROUND} s each")
    parser.add_argument("--turning", type=float, default=0.2, metavar="X", help="1: by 15 degrees to either side")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 320), metavar=("H", "W"), help="pixels of a frame")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of person, room and noise")
    parser.add_argument("--out_dir", default=IMAGES, type=Path, metavar="DIR", help="gets predict.png, breathing.png")
    args = parser.parse_args(arguments)
    try:
        config = config_of(args.resume)
        frames = np.stack(
            list(film(set_up(*args.size, args.seed), FPS * ROUND, args.size, args.seed, args.rounds, args.turning))
        )
        with TemporaryDirectory() as folder:
            np.save(Path(folder, "sequence.npy"), frames)
            out = Path(folder, "out")
            predict(args.resume, Path(folder, "sequence.npy"), out, [f"predict.fps={FPS}"])
            if not (out / "breathing.png").exists():
                raise DataError(f"{args.resume}: finds too little of the nostrils for a rate of breathing")
            labels = [read_label(path) for path in sorted((out / "label").glob("*.png"))]
            with Image.open(out / "regions.png") as picture:
                regions = np.asarray(picture.convert("RGB"))
            breathing = (out / "breathing.png").read_bytes()
    except (ValueError, OSError) as error:
        print(f"predictions.py: error: {error}", file=sys.stderr)
        return 2
    shown = np.arange(SHOWN) * FPS * ROUND // SHOWN
    with styled():
        save(draw(frames[shown], [labels[index] for index in shown], regions, config), args.out_dir / "predict.png")
    with atomic_write(args.out_dir / "breathing.png") as file:
        file.write(breathing)
    print(f"wrote {args.out_dir / 'breathing.png'}; the face breathes {60 * BREATHS / ROUND:g} times a minute")
    return 0


def draw(frames: np.ndarray, labels: Sequence[np.ndarray], regions: np.ndarray, config: Config) -> Figure:
    """Masks above the figure of the regions' temperatures.

    Args:
        frames: (N, H, W) float32 deg C.
        labels: N of (H, W) uint8 classes.
        regions: (H', W', 3) uint8, that figure.
        config: of the network.
    """
    names, palette = config.data.names, palette_of(config.data.num_classes, config.data.palette)
    figure = Figure(figsize=(9.6, 8.3), layout="constrained", facecolor="white")
    above, below = figure.subfigures(2, 1, height_ratios=(3.0, 5.1))
    for axes, frame, label in zip(above.subplots(1, len(frames)), frames, labels, strict=True):
        axes.imshow(tinted(frame, label, palette))
        without_ticks(axes)
    patches = class_patches(names, palette)
    above.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    axes = below.subplots()
    axes.imshow(regions)
    without_ticks(axes)
    return figure


if __name__ == "__main__":
    sys.exit(main())
