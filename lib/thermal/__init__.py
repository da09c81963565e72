"""Thermal frames of any camera: readers of single files, sequences, and the way to a network's size and back."""

from lib.thermal.frame import Reading, ThermalFrame
from lib.thermal.letterbox import Letterbox
from lib.thermal.normalize import normalize, normalize_tensor
from lib.thermal.readers import FrameReader, read_thermal
from lib.thermal.sequence import ThermalSequence, open_sequence
from lib.thermal.units import PRESETS

__all__ = [
    "PRESETS",
    "FrameReader",
    "Letterbox",
    "Reading",
    "ThermalFrame",
    "ThermalSequence",
    "normalize",
    "normalize_tensor",
    "open_sequence",
    "read_thermal",
]
