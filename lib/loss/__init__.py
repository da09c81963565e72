"""Losses: each a function that says its maths and a thin module around it."""

from lib.loss.build import LOSSES, build_pixel_loss, rmi_options
from lib.loss.rmi import RMILoss
from lib.loss.sam_cl import SAMCLLoss

__all__ = ["LOSSES", "RMILoss", "SAMCLLoss", "build_pixel_loss", "rmi_options"]
