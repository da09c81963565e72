"""Segmentation networks, their backbones and blocks, and the weights that load into them."""

from lib.models.build import NETWORKS, build_network
from lib.models.output import SegOutput

__all__ = ["NETWORKS", "SegOutput", "build_network"]
