"""Pictures of labels: colour palettes, palette PNGs, and overlays on thermal frames."""

from lib.vis.overlay import overlay, save_overlay
from lib.vis.palette import palette_of, save_label

__all__ = ["overlay", "palette_of", "save_label", "save_overlay"]
