"""Thermal frames of any camera: readers of single files, sequences, and the way to a network's size and back."""

from lib.thermal.frame import ThermalFrame
from lib.thermal.letterbox import Letterbox
from lib.thermal.normalize import normalize
from lib.thermal.readers import read_thermal
from lib.thermal.sequence import ThermalSequence, open_sequence
from lib.thermal.units import PRESETS

__all__ = ["PRESETS", "Letterbox", "ThermalFrame", "ThermalSequence", "normalize", "open_sequence", "read_thermal"]
