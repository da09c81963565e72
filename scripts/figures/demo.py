"""Draws a synthetic face that moves and breathes, what a network finds in it, and the temperature of its nostrils.

python scripts/figures/demo.py [--resume lib/models/pretrained/face.pth] [--out images/demo.gif]
"""

import argparse
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.metrics.regions import find_regions  # noqa: E402
from lib.utils.config import Config  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.vis import palette_of  # noqa: E402
from lib.vis.overlay import tinted  # noqa: E402
from scripts.figures.moving_face import BREATHS, film, set_up  # noqa: E402
from scripts.figures.segment import segment  # noqa: E402
from scripts.figures.style import BLUE, IMAGES, ORANGE, REPO, class_patches, styled  # noqa: E402
from scripts.prediction import config_of  # noqa: E402

FPS = 10
MOST_BYTES = 3 * 2**20
GREYS, COLOURS = (64, 48, 40, 32, 24, 16, 8), 96
COLOURED = 12
"""Least difference between the channels of a colour that is no grey."""
DPI = 100
MARGIN, TOP, FOOT, PLOT = 12, 34, 40, 400  # pixels around the picture, and the width beside it


def main(arguments: list[str] | None = None) -> int:
    """Parse, film, segment and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resume", default=REPO / "lib/models/pretrained/face.pth", type=Path, metavar="CKPT")
    parser.add_argument("--frames", type=int, default=90, metavar="N", help=f"{FPS} a second")
    parser.add_argument("--size", type=int, nargs=2, default=(256, 320), metavar=("H", "W"), help="pixels of a frame")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of person, room and noise")
    parser.add_argument("--out", default=IMAGES / "demo.gif", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    try:
        config = config_of(args.resume)
        scene = set_up(*args.size, args.seed)
        frames = {f"{number:04d}": frame for number, frame in enumerate(film(scene, args.frames, args.size, args.seed))}
        labels = segment(args.resume, frames)
    except (ValueError, OSError) as error:
        print(f"demo.py: error: {error}", file=sys.stderr)
        return 2
    with styled():
        content = gif(list(draw(list(frames.values()), list(labels.values()), config)))
    with atomic_write(args.out) as file:
        file.write(content)
    print(f"wrote {args.out} ({len(content) / 2**10:.0f} KiB)")
    return 0


def draw(frames: Sequence[np.ndarray], labels: Sequence[np.ndarray], config: Config) -> Iterator[np.ndarray]:
    """The film's pictures, (H, W, 3) uint8.

    Args:
        frames: (h, w) float32 deg C.
        labels: (h, w) uint8 classes.
        config: of the network.
    """
    names, palette = config.data.names, palette_of(config.data.num_classes, config.data.palette)
    nostrils = [find_regions(label, names)["nostrils"].mask for label in labels]
    means = [frame[mask].mean() if mask.any() else np.nan for frame, mask in zip(frames, nostrils, strict=True)]
    pictures = [
        outlined(tinted(frame, label, palette), mask)
        for frame, label, mask in zip(frames, labels, nostrils, strict=True)
    ]
    height, width = pictures[0].shape[:2]
    size = np.array((width + PLOT + 2 * MARGIN, height + TOP + FOOT))
    figure = Figure(figsize=size / DPI, dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    shown = figure.figimage(pictures[0], MARGIN, FOOT, origin="upper")
    figure.text(MARGIN / size[0], 1 - 11 / size[1], "synthetic thermal face, segmented", va="top", fontsize=12)
    patches = [*class_patches(names, palette), Patch(fill=False, edgecolor=ORANGE, linewidth=1.5, label="nostrils")]
    figure.legend(handles=patches, loc="lower center", ncols=len(patches), fontsize=10, columnspacing=1.4)
    place = (MARGIN + width + 62, FOOT + 44, PLOT - 72, height - 44)
    line, head = prepare_curve(figure.add_axes(np.array(place) / np.tile(size, 2)), means)
    for number, picture in enumerate(pictures):
        shown.set_data(picture)
        line.set_data(np.arange(number + 1) / FPS, means[: number + 1])
        head.set_data([number / FPS], [means[number]])
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def outlined(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture with the mask's outline in orange; the mask may be smaller by a whole factor."""
    mask = cv2.resize(mask.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    colour = tuple(int(ORANGE[at : at + 2], 16) for at in (1, 3, 5))
    return cv2.drawContours(picture.copy(), lines, -1, colour, 2)


def prepare_curve(axes: Axes, means: Sequence[float]) -> tuple:
    """Axes for the curve (deg C, one value a frame) with the times of breathing out; returns its line and its end."""
    seconds = len(means) / FPS
    for breath in range(BREATHS):
        span = np.array((breath, breath + 0.5)) * seconds / BREATHS
        axes.axvspan(*span, color=BLUE, alpha=0.12, linewidth=0, label="breathing out" if breath == 0 else None)
    finite = np.array(means)[np.isfinite(means)]
    low, high = (finite.min(), finite.max()) if len(finite) else (30, 35)
    margin = max(0.25 * (high - low), 0.05)
    axes.set(xlim=(0, seconds), ylim=(low - margin, high + 2 * margin), xlabel="time (s)")
    axes.set_title("temperature of the nostrils (°C)", loc="left", fontsize=12, pad=8)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize=10, borderpad=0.2)
    (line,) = axes.plot([], [], color=ORANGE, linewidth=2)
    (head,) = axes.plot([], [], "o", color=ORANGE, markersize=6, clip_on=False)
    return line, head


def gif(pictures: Sequence[np.ndarray]) -> bytes:
    """A GIF that repeats for ever, with one palette and as many greys in it as :data:`MOST_BYTES` allows.

    The camera's noise is grey and takes nearly all of the space.
    """
    for greys in GREYS:
        palette = common_palette(pictures, greys)
        first, *others = (
            Image.fromarray(each).quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures
        )
        buffer = io.BytesIO()
        first.save(buffer, "GIF", save_all=True, append_images=others, duration=1000 // FPS, loop=0, optimize=False)
        if buffer.tell() <= MOST_BYTES:
            break
    return buffer.getvalue()


def common_palette(pictures: Sequence[np.ndarray], greys: int) -> Image.Image:
    """A palette of ``greys`` even steps from black to white and of the colours in some of the pictures."""
    sample = np.concatenate([picture.reshape(-1, 3) for picture in pictures[:: max(1, len(pictures) // 8)]])
    coloured = sample[np.ptp(sample, axis=1) > COLOURED]
    entries = np.repeat(np.linspace(0, 255, greys).round().astype(np.uint8), 3).tolist()
    if len(coloured):
        found = Image.fromarray(coloured[None]).quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        entries += found.getpalette()[: 3 * COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette(entries)
    return palette


if __name__ == "__main__":
    sys.exit(main())
