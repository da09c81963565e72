"""What the figures share: fonts, colours, the legend of classes, and how a figure is saved."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import matplotlib

matplotlib.use("Agg")
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

from lib.utils.files import atomic_write  # noqa: E402
from lib.vis.overlay import OPACITY  # noqa: E402
from lib.vis.style import COLOURS, FAINT, INK  # noqa: E402

REPO = Path(__file__).resolve().parents[2]
IMAGES = REPO / "images"
CONFIG = REPO / "configs/thermalFaceDB/U_GCL_Occ.json"

BLUE, ORANGE, GREEN = COLOURS[:3]
QUIET = "#57606a"
"""Of text that says less."""
HATCHES = ("///", "\\\\\\", "---", "|||", "xxx", "+++")
"""Matplotlib's names of the hatches of :mod:`lib.vis.patterns`, in their order."""
Item = TypeVar("Item")
_STYLE = {
    **{"font.size": 11, "axes.titlesize": 12, "axes.labelsize": 11, "legend.frameon": False},
    **{"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": FAINT},
    **{"axes.spines.top": False, "axes.spines.right": False, "hatch.linewidth": 0.6, "mathtext.fontset": "dejavusans"},
}


def styled() -> AbstractContextManager:
    """Fonts and colours of everything drawn inside."""
    return matplotlib.rc_context(_STYLE)


def class_patches(names: Sequence[str], palette: np.ndarray) -> list[Patch]:
    """Swatches for a legend, as :func:`lib.vis.overlay.tinted` shows the classes; the black background has none."""
    tints = 1 - OPACITY * (1 - palette / 255)
    return [
        Patch(facecolor=tint, edgecolor=colour / 255, hatch=HATCHES[index % len(HATCHES)], label=name)
        for index, (name, tint, colour) in enumerate(zip(names, tints, palette, strict=True))
        if colour.any()
    ]


def without_ticks(axes: Axes) -> None:
    """Leave a picture as it is: no ticks, no frame, but room for labels."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def say_origin(figure: Figure, folders: Sequence[str | Path]) -> None:
    """Have a figure say so if frames of any of the folders, or of those around them, are synthetic."""
    places = [place for folder in map(Path, folders) for place in (folder, folder.parent)]
    if any(any(place.glob("synthetic*.json")) for place in places):
        figure.suptitle("synthetic frames, not people", x=0.995, ha="right", fontsize=10, color=QUIET)


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """The middle items of ``count`` equal parts."""
    return [items[(2 * index + 1) * len(items) // (2 * count)] for index in range(count)]


def save(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Write a figure as a PNG and say so."""
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=dpi, facecolor="white")
    print(f"wrote {path} ({path.stat().st_size / 2**10:.0f} KiB)")
