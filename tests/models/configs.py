"""Configs of the networks under test, and weights that don't depend on PyTorch's random numbers."""

import zlib

import numpy as np
import torch
from torch import nn

from lib.utils.config import Config


def network_config(
    model_name: str,
    backbone: str = "none",
    *,
    base_channels: int = 64,
    channels: int = 1,
    classes: int = 6,
    bn_type: str = "torchsyncbn",
    proj_dim: int = 64,
) -> Config:
    """A config that names a network, ``<name>_contrast`` one with an embedding; everything else is the default."""
    name = model_name.removesuffix("_contrast")
    return Config.model_validate(
        {
            "data": {"num_channels": channels, "num_classes": classes},
            "network": {
                "model_name": name,
                "backbone": backbone,
                "base_channels": base_channels,
                "bn_type": bn_type,
            },
            "pixel_contrast": {"proj_dim": proj_dim} if name != model_name else None,
        }
    )


def published_fill(key: str, shape: tuple[int, ...], gain: float = 1.0, signed_scales: bool = False) -> torch.Tensor:
    """A weight by its key: the rule by which the reference values of the published networks were computed.

    Args:
        key: published name.
        shape: of the weight.
        gain: multiplies the matrices.
        signed_scales: one scale of a batch norm in six is negative.
    """
    if key.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.long)
    noise = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if key.endswith("running_var"):
        value = 1 + 0.1 * np.abs(noise)
    elif key.endswith(("running_mean", "bias")):
        value = 0.1 * noise
    elif len(shape) == 1:
        value = 1 + 0.1 * noise
        value = np.where(signed_scales & (noise > 1), -value, value)
    else:
        value = noise * np.float32(gain * np.sqrt(0.8 / np.prod(shape[1:])))
    return torch.from_numpy(np.asarray(value, np.float32))


def fill(network: nn.Module) -> nn.Module:
    """Give every weight the value that :func:`published_fill` has for its own key; returns the network."""
    network.load_state_dict({k: published_fill(k, tuple(v.shape)) for k, v in network.state_dict().items()})
    return network


def probe(height: int = 256, width: int = 320) -> torch.Tensor:
    """The image of the reference values: (1, 1, H, W) in [-1, 1]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    image = np.sin(x / 11.0) * np.cos(y / 7.0) + 0.3 * np.sin((x + y) / 23.0)
    image = 2 * (image - image.min()) / (image.max() - image.min()) - 1
    return torch.from_numpy(image[None, None])


def probe_rgb(height: int = 128, width: int = 256) -> torch.Tensor:
    """The image of the reference values of networks on colour pictures: (1, 3, H, W) in [-2, 2]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    channels = [
        np.sin(x / 11) * np.cos(y / 7) + 0.3 * np.sin((x + y) / 23),
        np.cos(x / 17 + 1) * np.sin(y / 9) + 0.5 * np.cos((x - 2 * y) / 31),
        np.sin((x * x + y * y) / 2500) + 0.4 * np.cos(x / 5) * np.sin(y / 13 + 0.5),
    ]
    image = np.stack([4 * (c - c.min()) / (c.max() - c.min()) - 2 for c in channels])
    return torch.from_numpy(image[None].astype(np.float32))
