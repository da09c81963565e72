"""Draws frames of the synthetic Thermal Face Database side by side: controlled and unconstrained, some with labels.

python scripts/thermalFaceDB/draw_contact_sheet.py [--out images/synthetic_contact_sheet.png]
"""

import argparse
import io
import sys
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402
from PIL import Image  # noqa: E402

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from lib.datasets.landmarks import draw_labels  # noqa: E402
from lib.synthetic.database import FrameName, Options, make_frame  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402

HEIGHT, WIDTH = 384, 512
SHOWN = (19.0, 37.0)  # deg C of the colour bar
COLUMNS = ((1, 1, False), (1, 2, False), (2, 1, False), (2, 1, True))  # sequence, frame, with labels
CLASSES = ("chin and cheeks", "mouth", "eyes", "eyebrows", "nose")
CLASS_OF = np.array([0, 1, 2, 3, 3, 4, 4, 5])  # raw value to class
COLOURS = np.array([(0, 0, 0), (77, 175, 74), (228, 26, 28), (55, 126, 184), (255, 217, 47), (152, 78, 163)]) / 255


def main(arguments: list[str] | None = None) -> int:
    """Parse and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=REPO / "images/synthetic_contact_sheet.png", type=Path, metavar="FILE")
    parser.add_argument("--subjects", default=6, type=int, metavar="N", help="rows")
    parser.add_argument("--first", default=1, type=int, metavar="N", help="number of the first subject")
    parser.add_argument("--seed", default=0, type=int, metavar="S", help="of the database")
    args = parser.parse_args(arguments)
    figure = draw_sheet(range(args.first, args.first + args.subjects), args.seed)
    save(figure, args.out)
    print(f"wrote {args.out} ({args.out.stat().st_size / 2**10:.0f} KiB)")
    return 0


def draw_sheet(subjects: range, seed: int) -> Figure:
    """One row per subject; controlled frames on the left, unconstrained ones on the right."""
    rows, columns = len(subjects), 2 * len(COLUMNS)
    figure = plt.figure(figsize=(15.2, 1.36 * rows + 1.15), facecolor="white")
    grid = figure.add_gridspec(
        rows, columns + 1, width_ratios=[1] * 4 + [0.08] + [1] * 4, wspace=0.02, hspace=0.03,
        left=0.035, right=0.995, top=1 - 0.62 / figure.get_figheight(), bottom=0.5 / figure.get_figheight(),
    )  # fmt: skip
    for row, subject in enumerate(subjects):
        for block, unconstrained in enumerate((False, True)):
            for column, (sequence, frame, labelled) in enumerate(COLUMNS):
                axes = figure.add_subplot(grid[row, column + 5 * block])
                name = FrameName(subject, sequence, frame)
                image, points = make_frame(name, Options(HEIGHT, WIDTH, seed, unconstrained))
                shown = draw_frame(axes, image, points if labelled else None)
                if row == 0 and column == 0:
                    axes.set_title("unconstrained" if unconstrained else "controlled", loc="left", fontsize=10)
                if column == 0 and block == 0:
                    axes.set_ylabel(f"sub{subject:03d}", fontsize=9)
    figure.suptitle("Synthetic Thermal Face Database: drawn by this project, not recorded from people", fontsize=12)
    add_legends(figure, shown)
    return figure


def draw_frame(axes: Axes, image: np.ndarray, points: np.ndarray | None) -> matplotlib.image.AxesImage:
    """A frame in false colours, with landmarks and their hulls over it if ``points`` (68, 2) are given."""
    shown = axes.imshow(image, cmap="inferno", vmin=SHOWN[0], vmax=SHOWN[1], interpolation="antialiased")
    if points is not None:
        classes = CLASS_OF[draw_labels(points, image.shape)]
        for value in range(1, len(COLOURS)):
            outlines, _ = cv2.findContours(
                (classes == value).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            for outline in outlines:
                axes.fill(*outline[:, 0].T, facecolor=(*COLOURS[value], 0.35), edgecolor=COLOURS[value], linewidth=0.8)
        axes.scatter(points[:, 1], points[:, 0], s=0.6, color="white", linewidths=0)
        axes.set_xlim(-0.5, image.shape[1] - 0.5)
        axes.set_ylim(image.shape[0] - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    return shown


def add_legends(figure: Figure, shown: matplotlib.image.AxesImage) -> None:
    """The colour bar and the classes, along the foot."""
    height = figure.get_figheight()
    bar = figure.add_axes((0.035, 0.3 / height, 0.3, 0.1 / height))
    figure.colorbar(shown, cax=bar, orientation="horizontal", extend="both")
    bar.tick_params(labelsize=8)
    figure.text(0.345, 0.3 / height, "°C", fontsize=9)
    patches = [Patch(color=colour, label=name) for name, colour in zip(CLASSES, COLOURS[1:], strict=True)]
    figure.legend(handles=patches, loc="lower right", ncols=5, fontsize=9, frameon=False)


def save(figure: Figure, path: Path) -> None:
    """Write as a PNG of 256 colours, which keeps it below a megabyte."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    picture = (
        Image.open(buffer).convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, kmeans=8, dither=Image.Dither.NONE)
    )
    with atomic_write(path) as file:
        picture.save(file, format="PNG", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
