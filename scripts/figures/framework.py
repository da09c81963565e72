"""Draws how a network is trained: TiAug, RMI and the triplets of SAM-CL at four scales.

python scripts/figures/framework.py [--out images/framework.png]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle
from matplotlib.path import Path as Outline

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.utils.config import load_config  # noqa: E402
from scripts.figures.framework_pictures import Pictures, draw_pictures  # noqa: E402
from scripts.figures.style import BLUE, CONFIG, GREEN, IMAGES, INK, ORANGE, QUIET, save, styled  # noqa: E402

WIDTH, HEIGHT = 13.2, 7.55  # in; all coordinates below are inches from the lower left corner
ROWS = (5.85, 4.3, 2.75)  # centres of what comes from anchor, positive and negative
NAMES = ("Y", "Y^{+}", "Y^{-}")
ROLES = ("anchor", "positive", "negative")
ROLE_COLOURS = (BLUE, GREEN, ORANGE)
SCALES = ((7.3, 1.4), (9.45, 1.05), (11.05, 0.8), (12.5, 0.8))  # centre and width of the masks of each
CONVS = ((8.5, "conv1   ½"), (10.3, "conv2   ¼"), (11.78, "conv3   ¼"))
PALE = "#eaf3f9"
TRIPLETS, TOTAL = 1.35, 0.5  # heights


def main(arguments: list[str] | None = None) -> int:
    """Parse and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", type=int, default=6, metavar="N", help="number of the synthetic person")
    parser.add_argument("--seed", type=int, default=10, metavar="S", help="of what is drawn at random")
    parser.add_argument("--out", default=IMAGES / "framework.png", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    pictures = draw_pictures(load_config(CONFIG)[0], args.subject, args.seed)
    with styled():
        save(draw(pictures), args.out, dpi=130)
    return 0


def draw(pictures: Pictures) -> Figure:
    """The whole figure."""
    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    draw_pipeline(axes, pictures)
    draw_samcl(axes, pictures)
    draw_total(axes)
    draw_inference(axes, pictures)
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    return figure


def draw_pipeline(axes: Axes, pictures: Pictures) -> None:
    """From frame and truth through TiAug and network to the masks, and RMI between these."""
    anchor, positive, _ = ROWS
    show(axes, pictures.frame, (0.95, anchor), 1.4, INK)
    show(axes, pictures.truth, (0.95, positive), 1.4, INK)
    axes.text(0.95, anchor + 0.65, "thermal image", ha="center", va="bottom")
    axes.text(0.95, positive - 0.65, "ground truth", ha="center", va="top")
    box(axes, (2.4, (anchor + positive) / 2), (0.95, 2.7), "")
    for index, step in enumerate(("flip", "rotate", "blur", "noise", "occlude", "resize", "crop")):
        axes.text(2.4, anchor - 0.2 - 0.23 * index, step, ha="center", va="baseline", color="white")
    axes.text(2.4, anchor + 0.35, "TiAug", ha="center", va="center", weight="bold", fontsize=13, color="white")
    show(axes, pictures.augmented, (3.95, anchor), 1.4, INK)
    axes.text(3.95, anchor + 0.65, "augmented image", ha="center", va="bottom")
    network(axes, (5.55, anchor), (1.3, 0.84))
    axes.text(5.55, anchor + 0.5, "segmentation\nnetwork", ha="center", va="bottom", weight="bold")
    names = "UNET, Attention-UNET,\nDeepLabV3, HRNetV2"
    axes.text(5.52, anchor + 1.3, names, ha="center", va="top", fontsize=9, color=QUIET)
    for row in (anchor, positive):
        arrow(axes, (1.68, row), (1.9, row))
    arrow(axes, (2.9, anchor), (3.22, anchor))
    arrow(axes, (4.68, anchor), (4.88, anchor))
    arrow(axes, (6.22, anchor), (6.57, anchor))
    arrow(axes, (2.9, positive), (6.57, positive))
    middle, side = (anchor + positive) / 2, 6.85
    box(axes, (5.75, middle), (0.9, 0.3), "RMI loss", "white", INK)
    arrow(axes, (side, anchor - 0.58), (side, middle), (6.23, middle))
    arrow(axes, (side, positive + 0.58), (side, middle), (6.23, middle))


def draw_samcl(axes: Axes, pictures: Pictures) -> None:
    """The masks, the auxiliary network beside them, and a triplet for each scale."""
    axes.add_patch(Rectangle((6.3, 0.12), WIDTH - 6.42, HEIGHT - 0.24, facecolor=PALE, edgecolor="none", zorder=-2))
    axes.text(WIDTH - 0.3, 7.2, "SAM-CL", ha="right", va="center", fontsize=14, weight="bold", color=BLUE)
    axes.text(10.7, 6.6, "auxiliary network, learns jointly", ha="center", va="bottom", color=QUIET)
    axes.text(7.3, 6.6, "full scale", ha="center", va="bottom", color=QUIET)
    for index, ((x, width), masks) in enumerate(zip(SCALES, pictures.masks, strict=True)):
        for row, mask, name, role, colour in zip(ROWS, masks, NAMES, ROLES, ROLE_COLOURS, strict=True):
            show(axes, mask, (x, row), width, colour)
            text = f"$F_{index}({name})$" if index else f"${name}$  {role}"
            axes.text(x + (0 if index else 0.15), row - 0.4 * width - 0.06, text, ha="center", va="top", color=colour)
        triplet(axes, x, index)
        arrow(axes, (x, ROWS[-1] - 0.4 * width - 0.35), (x, TRIPLETS + 0.26))
    axes.text(6.8, sum(ROWS[1:]) / 2, "swap\nclasses", ha="right", va="center", fontsize=9, linespacing=1)
    arrow(axes, (6.87, ROWS[1] - 0.58), (6.87, ROWS[2] + 0.58))
    for (x, name), before, after in zip(CONVS, SCALES, SCALES[1:], strict=False):
        conv(axes, x, name)
        for row in ROWS:
            arrow(axes, (before[0] + before[1] / 2 + 0.04, row), (x - 0.15, row))
            arrow(axes, (x + 0.15, row), (after[0] - after[1] / 2 - 0.04, row))


def draw_total(axes: Axes) -> None:
    """The sum over scales, and the loss that training minimises."""
    terms = r"\max(0,\; m + d_k(F_k(Y), F_k(Y^{+})) - d_k(F_k(Y), F_k(Y^{-})))"
    box(axes, (9.8, TOTAL), (6.5, 0.5), rf"$L_\mathrm{{SAM‐CL}} = \sum_{{k=0}}^{{3}} {terms}$", "white", BLUE)
    box(axes, (4.9, TOTAL), (2.5, 0.5), r"$L = L_\mathrm{RMI} + w\, L_\mathrm{SAM‐CL}$", "white", INK)
    arrow(axes, (6.52, TOTAL), (6.2, TOTAL))
    arrow(axes, (5.75, sum(ROWS[:2]) / 2 - 0.17), (5.75, TOTAL + 0.28))


def draw_inference(axes: Axes, pictures: Pictures) -> None:
    """The inset: what is left after training."""
    axes.add_patch(Rectangle((0.25, 1.2), 4.6, 1.75, facecolor="none", edgecolor=QUIET, linestyle=(0, (4, 3))))
    axes.text(0.4, 2.7, "inference: the network alone", va="center", weight="bold")
    show(axes, pictures.frame, (1.05, 1.9), 1.2, INK)
    network(axes, (2.55, 1.9), (0.9, 0.6))
    show(axes, pictures.segmented, (4.05, 1.9), 1.2, INK)
    arrow(axes, (1.7, 1.9), (2.05, 1.9))
    arrow(axes, (3.03, 1.9), (3.4, 1.9))


def triplet(axes: Axes, x: float, index: int) -> None:
    """Anchor, positive and negative of one scale as dots: one pair is pulled together, the other pushed apart."""
    for offset, colour in zip((0, -0.34, 0.34), ROLE_COLOURS, strict=True):
        axes.plot(x + offset, TRIPLETS, "o", color=colour, markersize=8)
    arrow(axes, (x - 0.06, TRIPLETS), (x - 0.28, TRIPLETS), colour=GREEN, size=8)
    arrow(axes, (x + 0.06, TRIPLETS), (x + 0.28, TRIPLETS), style="<->", colour=ORANGE, size=7)
    axes.text(x - 0.19, TRIPLETS + 0.07, "pull", ha="center", va="bottom", fontsize=8.5, color=GREEN)
    axes.text(x + 0.19, TRIPLETS + 0.07, "push", ha="center", va="bottom", fontsize=8.5, color=ORANGE)
    axes.text(x - 0.1, TRIPLETS - 0.32, f"scale {index}", ha="right", va="center", fontsize=9.5)
    arrow(axes, (x, TRIPLETS - 0.12), (x, TOTAL + 0.28))


def show(axes: Axes, picture: np.ndarray, centre: tuple[float, float], width: float, colour: str) -> None:
    """A picture of the given width in inches, 4/5 as high, in a frame."""
    left, low, height = centre[0] - width / 2, centre[1] - 0.4 * width, 0.8 * width
    axes.imshow(picture, extent=(left, left + width, low, low + height), cmap="gray", aspect="auto", vmin=0, vmax=255)
    axes.add_patch(Rectangle((left, low), width, height, facecolor="none", edgecolor=colour, linewidth=1.6))


def box(axes: Axes, centre: tuple, size: tuple, text: str, face: str = BLUE, edge: str = BLUE) -> None:
    """A rounded box with text in its middle, white on colours."""
    corner = (centre[0] - size[0] / 2, centre[1] - size[1] / 2)
    style = "round,pad=0,rounding_size=0.08"
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=style, facecolor=face, edgecolor=edge, linewidth=1.4))
    axes.text(*centre, text, ha="center", va="center", color=INK if face == "white" else "white", linespacing=1.25)


def network(axes: Axes, centre: tuple[float, float], size: tuple[float, float]) -> None:
    """An encoder that narrows and a decoder that widens."""
    (x, y), (half, high) = centre, np.array(size) / 2
    corners = [(-half, high), (0, high / 2.5), (half, high), (half, -high), (0, -high / 2.5), (-half, -high)]
    axes.add_patch(Polygon(np.array(corners) + (x, y), facecolor=BLUE, edgecolor="none"))


def conv(axes: Axes, x: float, name: str) -> None:
    """A layer of the auxiliary network, which all three masks pass."""
    high, low = ROWS[0] + 0.5, ROWS[-1] - 0.5
    axes.add_patch(Polygon([(x - 0.14, high), (x + 0.14, high - 0.15), (x + 0.14, low + 0.15), (x - 0.14, low)],
                           facecolor="#9cc3dd", edgecolor="none"))  # fmt: skip
    axes.text(x, (high + low) / 2 + 0.75, name, rotation=90, ha="center", va="center")


def arrow(axes: Axes, *points: tuple, style: str = "-|>", colour: str = INK, size: float = 11) -> None:
    """A line through the points with a head at its end."""
    axes.add_patch(FancyArrowPatch(path=Outline(points), arrowstyle=style, color=colour, mutation_scale=size))


if __name__ == "__main__":
    sys.exit(main())
