"""Tables of the colours in which thermal pictures are drawn, and which of them a picture uses."""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_OPENCV = (
    *("JET", "TURBO", "RAINBOW", "INFERNO", "PLASMA", "MAGMA", "VIRIDIS", "CIVIDIS", "PARULA", "HOT", "BONE", "PINK"),
    *("COOL", "SPRING", "SUMMER", "AUTUMN", "WINTER", "OCEAN", "DEEPGREEN"),
)
_MATPLOTLIB = (
    *("rainbow", "gist_rainbow", "nipy_spectral", "gist_ncar", "gnuplot", "gnuplot2", "CMRmap", "afmhot", "gist_heat"),
    *("copper", "coolwarm", "seismic", "bwr", "Spectral_r", "RdYlBu_r", "RdBu_r", "brg", "cubehelix", "terrain"),
)
_RAMPS = {
    "iron": ((0, 0, 0), (32, 0, 140), (204, 0, 119), (255, 215, 0), (255, 255, 255)),
    "blue to red": ((0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0)),
    "black to red": ((0, 0, 0), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0)),
    "black to white": (
        *((0, 0, 0), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0), (255, 255, 255)),
    ),
}
"""Palettes of cameras that are straight between evenly spaced colours."""

NEAR = 30.0
"""Distance in RGB, of 0 to 255, that compression moves most colours less far from their palette."""
_FAR = 100.0
"""Distance that counts as no more than that: of text, which is as far from every palette."""
_SHARE = 0.9
"""Of the pixels, that must be near a palette; the others may be text, a logo, a scale."""
_AGREEING = 0.95
"""Least correlation, of either sign, of the levels that two palettes give, so that it doesn't matter which it is."""


class Palette(NamedTuple):
    """Colours from one end of a scale to the other.

    Attributes:
        name: as the libraries that draw with it call it.
        colours: (256, 3) uint8, RGB.
    """

    name: str
    colours: np.ndarray

    def levels(self, colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions of (N, 3) RGB on the scale, uint8, and distances from its colours there.

        Where the palette has the same colour several times, the position is the middle one.
        """
        distances, places = _tree(self.name).query(colours.astype(np.float64))
        return _middles(self.name)[places], distances


@cache
def palettes() -> dict[str, Palette]:
    """All palettes that are known, by name."""
    import matplotlib  # only here: loading it takes longer than reading a frame

    positions = np.arange(256, dtype=np.uint8)
    codes = {name.lower(): getattr(cv2, f"COLORMAP_{name}") for name in _OPENCV}
    tables = {name: cv2.applyColorMap(positions, code).reshape(256, 3)[:, ::-1] for name, code in codes.items()}
    for name in _MATPLOTLIB:
        tables[f"{name} of matplotlib"] = np.round(255 * matplotlib.colormaps[name](positions)[:, :3])
    for name, ends in _RAMPS.items():
        places = np.linspace(0, 255, len(ends))
        tables[name] = np.stack([np.interp(positions, places, channel) for channel in zip(*ends, strict=True)], axis=1)
    return {name: Palette(name, np.ascontiguousarray(np.round(table), np.uint8)) for name, table in tables.items()}


@cache
def _tree(name: str) -> "cKDTree":
    from scipy.spatial import cKDTree

    return cKDTree(palettes()[name].colours.astype(np.float64))


@cache
def _middles(name: str) -> np.ndarray:
    """By position: the middle of the positions of the same colour, (256,) uint8."""
    _, groups = np.unique(palettes()[name].colours, axis=0, return_inverse=True)
    groups = groups.reshape(-1)
    sums = np.bincount(groups, np.arange(256.0))
    return np.round(sums / np.bincount(groups))[groups].astype(np.uint8)


def palette_of(colours: np.ndarray) -> Palette | None:
    """The palette that a picture is drawn in.

    Args:
        colours: (N, 3) uint8, RGB of pixels from all over the picture.

    Returns:
        The palette nearest to the colours, if 90 % of them are near it, and no other palette that is as near gives
        other levels; else None.

    >>> jet = palettes()["jet"]
    >>> palette_of(jet.colours[20:200]).name
    'jet'
    """
    fits = []
    for palette in palettes().values():
        levels, distances = palette.levels(colours)
        near = distances <= NEAR
        if near.mean() >= _SHARE:
            fits.append((float(np.minimum(distances, _FAR).mean()), palette, levels))
    if not fits:
        return None
    best, palette, levels = min(fits, key=lambda fit: fit[0])
    for distance, _, others in fits:
        if distance <= 1.3 * best + 1 and not _agree(levels, others):
            return None
    return palette


def _agree(first: np.ndarray, second: np.ndarray) -> bool:
    if first.min() == first.max() or second.min() == second.max():
        return False
    return bool(abs(np.corrcoef(first, second)[0, 1]) >= _AGREEING)
