"""From the sections of a config to a sequence of transforms."""

from collections.abc import Callable
from inspect import signature
from typing import Any

from lib.datasets.transforms.geometric import (
    FixedResize,
    Pad,
    RandomCrop,
    RandomHFlip,
    RandomResize,
    RandomRotate,
    RandomVFlip,
)
from lib.datasets.transforms.occlusion import RandomThermalOcclusion
from lib.datasets.transforms.sequence import TransformSequence
from lib.datasets.transforms.thermal import GaussianBlur, RandomBrightness, ThermalNoise
from lib.utils.config.base import Section
from lib.utils.config.data_sections import DataTransformer, Transforms
from lib.utils.errors import ConfigError
from lib.utils.registry import Registry

TRANSFORMS = Registry("transform")
TRANSFORMS.register("random_hflip")(RandomHFlip)
TRANSFORMS.register("random_vflip")(RandomVFlip)
TRANSFORMS.register("random_rotate")(RandomRotate)
TRANSFORMS.register("gaussian_blur")(GaussianBlur)
TRANSFORMS.register("thermal_noise")(ThermalNoise)
TRANSFORMS.register("random_thermal_occlusion")(RandomThermalOcclusion)
TRANSFORMS.register("random_brightness")(RandomBrightness)
TRANSFORMS.register("resize")(FixedResize)
TRANSFORMS.register("random_resize")(RandomResize)
TRANSFORMS.register("random_crop")(RandomCrop)


def build_transforms(trans: Transforms, transformer: DataTransformer | None = None) -> TransformSequence:
    """The sequence ``trans.trans_seq``, then padding to the input size.

    Args:
        trans: config ``train_trans``: ``trans_seq``, and a section per transform whose
            fields are the arguments of the transform's class, and ``ratio``.
        transformer: config ``train.data_transformer``: ``input_size`` (width, height), ``pad_mode``; None
            pads nothing.

    Raises:
        ConfigError: a name that is no transform, or one without its section.
    """
    steps = []
    for name in trans.trans_seq:
        transform = TRANSFORMS.get(name)
        section = getattr(trans, name, None)
        if section is None:
            raise ConfigError(f"train_trans.{name}: expected a section, as trans_seq names it, got none; add one")
        steps.append((transform(**_arguments(transform, section)), section.ratio))
    if transformer is not None:
        steps.append((Pad(transformer.input_size, transformer.pad_mode or "random"), 1.0))
    return TransformSequence(steps)


def _arguments(transform: Callable[..., Any], section: Section) -> dict[str, Any]:
    """What the section says about the transform; what it leaves out has the transform's default."""
    values = {name: getattr(section, name, None) for name in signature(transform).parameters}
    return {name: value for name, value in values.items() if value is not None}
