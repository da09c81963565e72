"""Draws the temperatures of face and background: of controlled frames, of these under TiAug, and unconstrained.

python scripts/figures/histograms.py DATA_ROOT/Processed UNCONSTRAINED_DIR [--out images/temperature_histograms.png]
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib.datasets.build import normalization  # noqa: E402
from lib.datasets.dataset import Sample, SegmentationDataset, find_samples, find_test_samples  # noqa: E402
from lib.datasets.transforms import build_transforms  # noqa: E402
from lib.thermal import normalize  # noqa: E402
from lib.utils.config import Config, load_config  # noqa: E402
from lib.utils.labels import IGNORE  # noqa: E402
from scripts.figures.style import BLUE, CONFIG, IMAGES, INK, ORANGE, save, say_origin, styled  # noqa: E402

Picture = tuple[np.ndarray, np.ndarray, np.ndarray | None]  # image, label, valid: (H, W) float32 deg C, uint8, bool
MINUS = "\N{MINUS SIGN}"
PARTS = {"background": BLUE, "face": ORANGE}


class Scale(NamedTuple):
    """What is counted, in bins whose ends take what lies beyond them."""

    title: str
    edges: np.ndarray
    ticks: tuple[float, ...]


SCALES = (
    Scale("temperature (°C)", np.linspace(-20, 70, 181), (0, 10, 20, 30, 40, 50)),
    Scale("normalised image", np.linspace(-1, 1, 81), (-1, -0.5, 0, 0.5, 1)),
)


def main(arguments: list[str] | None = None) -> int:
    """Parse, count and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", metavar="DATA_DIR", help="prepared controlled frames: {train,val}/{image,label}")
    parser.add_argument("unconstrained", metavar="UNCONSTRAINED_DIR", help="a folder with image/ and label/")
    parser.add_argument("--configs", default=CONFIG, metavar="F", help="whose train_trans and normalize are used")
    parser.add_argument("--draws", type=int, default=4, metavar="N", help="of TiAug for each frame")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of these draws")
    parser.add_argument("--out", default=IMAGES / "temperature_histograms.png", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)
    try:
        cfg, _ = load_config(args.configs)
        controlled = find_samples([args.data_dir], ["train", "val"])
        sets = {
            "controlled": pictures(controlled, cfg),
            "controlled + TiAug": augmented(pictures(controlled, cfg), cfg, args.draws, args.seed),
            "unconstrained": pictures(find_test_samples(args.unconstrained), cfg),
        }
        counts = {name: count(taken, cfg.normalize) for name, taken in sets.items()}
    except (ValueError, OSError) as error:
        print(f"histograms.py: error: {error}", file=sys.stderr)
        return 2
    with styled():
        figure = draw(counts)
        say_origin(figure, [args.data_dir, args.unconstrained])
        save(figure, args.out)
    return 0


def pictures(samples: list[Sample], cfg: Config) -> Iterator[Picture]:
    """The frames of a folder, one by one."""
    data = SegmentationDataset(samples, cfg.data.num_classes, cfg.data.remap_classes)
    return ((*data[index], None) for index in range(len(data)))


def augmented(taken: Iterable[Picture], cfg: Config, draws: int, seed: int) -> Iterator[Picture]:
    """Each frame under ``draws`` draws of ``train_trans``, as in training."""
    rng = np.random.default_rng(seed)
    sequence = build_transforms(cfg.train_trans, cfg.train.data_transformer)
    return (sequence(image, label, rng) for image, label, _ in taken for _ in range(draws))


def count(taken: Iterable[Picture], section: Any) -> list[np.ndarray]:
    """Count the pixels of frames by value.

    Args:
        taken: images and labels; ignored pixels, such as those from outside the frame, are left out, all others
            are counted.
        section: config ``normalize``.

    Returns:
        For each of :data:`SCALES` (2, bins) int64: background, face.
    """
    counts = [np.zeros((len(PARTS), len(scale.edges) - 1), np.int64) for scale in SCALES]
    for image, label, valid in taken:
        masks = label == 0, (label > 0) & (label != IGNORE)
        normalized = normalize(image, valid, **normalization(section))
        for scale, values, total in zip(SCALES, (image, normalized), counts, strict=True):
            low, high = scale.edges[[0, -1]]
            for row, mask in zip(total, masks, strict=True):
                row += np.histogram(values[mask].clip(low, high), scale.edges)[0]
    return counts


def overlap(counts: np.ndarray) -> float:
    """Area that two distributions (2, bins) have in common, 0 to 1."""
    return float((counts / counts.sum(1, keepdims=True)).min(0).sum())


def draw(counts: Mapping[str, list[np.ndarray]]) -> Figure:
    """A row for each of :data:`SCALES`, a column for each set of frames with its :func:`count`."""
    figure = Figure(figsize=(11, 5.6), layout="constrained", facecolor="white")
    grid = figure.subplots(len(SCALES), len(counts), sharey="row")
    for column, (name, by_scale) in enumerate(counts.items()):
        for row, (scale, total) in enumerate(zip(SCALES, by_scale, strict=True)):
            axes = grid[row, column]
            draw_parts(axes, scale, total)
            if column == 0:
                axes.set_ylabel("share of pixels (%)")
        grid[0, column].set_title(f"{name}\n{by_scale[0].sum() / 1e6:.1f} million pixels", fontsize=12)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def draw_parts(axes: Axes, scale: Scale, counts: np.ndarray) -> None:
    """The distributions of background and face over one scale, and how far they overlap."""
    for (name, colour), row in zip(PARTS.items(), counts, strict=True):
        share = 100 * row / max(row.sum(), 1)
        axes.stairs(share, scale.edges, fill=True, color=colour, alpha=0.3)
        axes.stairs(share, scale.edges, color=colour, linewidth=1.3, label=name)
    axes.set(xlabel=scale.title, xlim=(scale.ticks[0], scale.ticks[-1]))
    axes.set_xticks(scale.ticks, [f"{tick:g}".replace("-", MINUS) for tick in scale.ticks])
    axes.grid(axis="y", alpha=0.3)
    if counts.sum(1).all():
        text = f"overlap {100 * overlap(counts):.0f} %"
        axes.text(0.03, 0.95, text, transform=axes.transAxes, va="top", color=INK)


if __name__ == "__main__":
    sys.exit(main())
