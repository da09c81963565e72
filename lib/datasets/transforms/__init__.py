"""TiAug (thermal image augmentation) and the other transforms of training."""

from lib.datasets.transforms.build import TRANSFORMS, build_transforms
from lib.datasets.transforms.sequence import TransformSequence

__all__ = ["TRANSFORMS", "TransformSequence", "build_transforms"]
