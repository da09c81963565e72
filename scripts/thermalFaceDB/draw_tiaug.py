"""Draws what TiAug does: each transform alone, whole draws, and the contrast of face and background with it.

python scripts/thermalFaceDB/draw_tiaug.py DATA_ROOT/Processed [--out images/tiaug.png]
"""

import argparse
import itertools
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.gridspec import GridSpec  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from lib.datasets.build import normalization  # noqa: E402
from lib.datasets.dataset import SegmentationDataset, find_samples  # noqa: E402
from lib.datasets.transforms import TransformSequence, build_transforms  # noqa: E402
from lib.datasets.transforms.occlusion import KINDS  # noqa: E402
from lib.thermal import normalize  # noqa: E402
from lib.utils.config import Config, load_config  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402
from lib.utils.labels import IGNORE  # noqa: E402
from lib.vis import palette_of  # noqa: E402

TIAUG = ("thermal_noise", "random_thermal_occlusion")  # what TiAug adds to the other transforms
CONFIG = REPO / "configs/thermalFaceDB/U_GCL_Occ.json"
IGNORED_COLOUR = (0.45, 0.65, 1.0)
ROWS, COLUMNS = 4, 6

Picture = tuple[np.ndarray, np.ndarray]  # image (H, W) float32 deg C, label (H, W) uint8


def main(arguments: list[str] | None = None) -> int:
    """Parse and draw; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", metavar="DATA_DIR", help="prepared frames: train/{image,label} of it are read")
    parser.add_argument("--configs", default=CONFIG, metavar="F", help="whose train_trans to draw")
    parser.add_argument("--out", default=REPO / "images/tiaug.png", type=Path, metavar="FILE")
    parser.add_argument("--frame", type=int, default=0, metavar="N", help="number of the training frame shown")
    parser.add_argument("--draws", type=int, default=10, metavar="N", help="per frame, for the box plot")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    args = parser.parse_args(arguments)
    try:
        cfg, _ = load_config(args.configs)
        samples = find_samples([args.data_dir], ["train"])
        data = SegmentationDataset(samples, cfg.data.num_classes, cfg.data.remap_classes)
        pictures = [data[index] for index in range(len(data))]
    except (ValueError, OSError) as error:
        print(f"draw_tiaug.py: error: {error}", file=sys.stderr)
        return 2
    rng = np.random.default_rng(args.seed)
    figure = plt.figure(figsize=(14, 9), layout="constrained", facecolor="white")
    grid = figure.add_gridspec(ROWS, COLUMNS)
    draw_samples(figure, grid, pictures[args.frame % len(pictures)], cfg, rng)
    draw_contrasts(figure.add_subplot(grid[2:, 4:]), pictures, cfg, args.draws, rng)
    with atomic_write(args.out) as file:
        figure.savefig(file, format="png", dpi=100)
    plt.close(figure)
    print(args.out)
    return 0


def draw_samples(figure: Figure, grid: GridSpec, picture: Picture, cfg: Config, rng: np.random.Generator) -> None:
    """Rows 1 and 2: each transform alone; rows 3 and 4, but for the last two columns: whole draws."""
    sequence = build_transforms(cfg.train_trans, cfg.train.data_transformer)
    transforms = dict(zip((*cfg.train_trans.trans_seq, "pad"), (each for each, _ in sequence.steps), strict=True))
    low, high = picture[0].min(), picture[0].max()
    limits = low - 0.3 * (high - low), high + 0.3 * (high - low)

    titled = [("original", picture), *moved(picture, transforms, rng)]
    places = [(0, column) for column in range(COLUMNS)]
    titled += occluded(picture, transforms["random_thermal_occlusion"], rng)
    places += [(1, column) for column in range(2, COLUMNS)]
    titled += [(f"TiAug, draw {index + 1}", sequence(*picture, rng)[:2]) for index in range(8)]
    places += [(row, column) for row in (2, 3) for column in range(4)]
    for (title, shown), (row, column) in zip(titled, places, strict=True):
        mappable = show(figure.add_subplot(grid[row, column]), title, shown, cfg, limits)
    for column, name in enumerate(("gaussian_blur", "thermal_noise")):
        operations = [transforms[name].draw(rng, picture[1].shape) for _ in range(20)]
        strongest = max(operations, key=lambda each: getattr(each, "netd", 0))
        show_halves(figure.add_subplot(grid[1, column]), name, picture, after(picture, strongest))
    bar = figure.colorbar(mappable, ax=figure.axes, shrink=0.35, aspect=30, pad=0.01, anchor=(0, 0.95))
    bar.set_label("°C")
    handles = [
        Patch(facecolor=np.array(colour) / 255, label=name)
        for name, colour in zip(cfg.data.class_names[1:], outlines(cfg)[1:], strict=True)
    ]
    handles.append(Patch(facecolor=IGNORED_COLOUR, label="ignored: from outside the frame, or under an occluder"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)


def after(picture: Picture, *operations) -> Picture:
    """Image and label after the operations."""
    return TransformSequence([]).apply(*picture, operations)[:2]


def moved(picture: Picture, transforms: dict, rng: np.random.Generator) -> list[tuple[str, Picture]]:
    """Title and sample of each flip, of a rotation, and of a frame made smaller and one made larger."""
    shape = picture[1].shape
    titled = [
        (name, after(picture, transforms[name].draw(rng, shape)))
        for name in ("random_hflip", "random_vflip", "random_rotate")
    ]
    resizes = [transforms["random_resize"].draw(rng, shape) for _ in range(50)]
    for choose in (min, max):
        resize = choose(resizes, key=lambda each: each.shape)
        crop = transforms["random_crop"].draw(rng, resize.shape)
        pad = transforms["pad"].draw(rng, crop.shape)
        titled.append(("random_resize, _crop, pad", after(picture, resize, crop, pad)))
    return titled


def occluded(picture: Picture, transform, rng: np.random.Generator) -> list[tuple[str, Picture]]:
    """Title and sample of each kind of occlusion, and of the first with the label ignored under it."""
    draws = (transform.draw(rng, picture[1].shape) for _ in itertools.count())
    kinds = {kind: next(each for each in draws if each.kind == kind) for kind in KINDS}
    titled = [(f"occlusion, {kind}", after(picture, operation)) for kind, operation in kinds.items()]
    ignoring = replace(kinds["apart"], label="ignore")
    return [*titled, ("the same, label: ignore", after(picture, ignoring))]


def outlines(cfg: Config) -> np.ndarray:
    """(C, 3) uint8: the palette, brightened to stand out from grey."""
    palette = palette_of(cfg.data.num_classes, cfg.data.palette).astype(float)
    return (255 * palette / palette.max(1, initial=1, keepdims=True)).astype(np.uint8)


def show(axes: Axes, title: str, picture: Picture, cfg: Config, limits: tuple[float, float]):
    """A frame in grey with the outlines of its classes; ignored pixels are tinted."""
    image, label = picture
    mappable = axes.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1])
    tint = np.zeros((*label.shape, 4))
    tint[label == IGNORE] = (*IGNORED_COLOUR, 0.45)
    axes.imshow(tint)
    for value, colour in enumerate(outlines(cfg)):
        if value and (label == value).any():
            axes.contour(label == value, [0.5], colors=[colour / 255], linewidths=1)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()
    return mappable


def show_halves(axes: Axes, title: str, before: Picture, after: Picture) -> None:
    """A part of the face enlarged and stretched, left as it was and right as it became."""
    rows, columns = (np.flatnonzero((before[1] > 0).any(axis)) for axis in (1, 0))
    top, left = max(int(rows.mean()) - 20, 0), max(int(columns.mean()) - 25, 0)
    part = np.s_[top : top + 40, left : left + 50]
    image = before[0][part].copy()
    middle = image.shape[1] // 2
    image[:, middle:] = after[0][part][:, middle:]
    axes.imshow(image, cmap="gray", vmin=np.percentile(image, 10), vmax=np.percentile(image, 97))
    axes.axvline(middle - 0.5, color="white", linewidth=1)
    axes.set_title(f"{title}: right half", fontsize=10)
    axes.set_axis_off()


def contrast(image: np.ndarray, label: np.ndarray, valid: np.ndarray | None, cfg: Config) -> float:
    """Mean of the face less mean of the background in the normalised image; NaN if one is missing."""
    image = normalize(image, valid, **normalization(cfg.normalize))
    face, background = (label > 0) & (label != IGNORE), label == 0
    return image[face].mean() - image[background].mean() if face.any() and background.any() else np.nan


def draw_contrasts(axes: Axes, pictures: list[Picture], cfg: Config, draws: int, rng: np.random.Generator) -> None:
    """Box plot of :func:`contrast` over frames: as they are, with the other transforms, with TiAug too."""
    names = cfg.train_trans.trans_seq
    others = cfg.train_trans.model_copy(update={"trans_seq": [name for name in names if name not in TIAUG]})
    groups = {"original": [contrast(image, label, None, cfg) for image, label in pictures]}
    for name, trans in (("without noise\nand occlusion", others), ("TiAug", cfg.train_trans)):
        sequence = build_transforms(trans, cfg.train.data_transformer)
        samples = (sequence(*picture, rng) for picture in pictures for _ in range(draws))
        groups[name] = [contrast(*sample, cfg) for sample in samples]
    values = [np.array(group)[np.isfinite(group)] for group in groups.values()]
    boxes = axes.boxplot(values, widths=0.5, patch_artist=True, medianprops={"color": "black"}, flierprops={"ms": 3})
    for box, colour in zip(boxes["boxes"], ("#bdbdbd", "#9ecae1", "#fdae6b"), strict=True):
        box.set_facecolor(colour)
    axes.set_xticks(range(1, len(groups) + 1), groups)
    axes.set_ylabel("mean of face − mean of background")
    axes.set_title(f"Contrast in normalised images\n(frames: {len(pictures)}, draws of each: {draws})", fontsize=10)
    axes.grid(axis="y", alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    sys.exit(main())
