"""Thermal frames of any camera: readers of single files, sequences, and the way to a network's size and back."""

from lib.datasets.thermal.frame import ThermalFrame
from lib.datasets.thermal.letterbox import Letterbox
from lib.datasets.thermal.readers import read_thermal
from lib.datasets.thermal.sequence import ThermalSequence, open_sequence
from lib.datasets.thermal.units import PRESETS

__all__ = ["PRESETS", "Letterbox", "ThermalFrame", "ThermalSequence", "open_sequence", "read_thermal"]
