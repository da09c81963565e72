"""What every phase runs on: a device, a number format, and this process's place among all; started once by main.py."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch

from lib.utils import distributed
from lib.utils.config import Config
from lib.utils.device import choose_autocast, choose_device
from lib.utils.distributed import World
from lib.utils.machine import keep_freed_memory
from lib.utils.seed import seed_everything


@dataclass(frozen=True)
class Runtime:
    """What every part of a run shares.

    Attributes:
        device: of this process.
        autocast_dtype: number format of the network's forward pass in training; ``None`` is float32.
        world: this process's place among all.
    """

    device: torch.device
    autocast_dtype: torch.dtype | None
    world: World

    def autocast(self, enabled: bool = True) -> AbstractContextManager:
        """Autocast to :attr:`autocast_dtype`; does nothing where that is None or ``enabled`` is False."""
        return torch.autocast(
            self.device.type, self.autocast_dtype, enabled=enabled and self.autocast_dtype is not None
        )

    def to_device(self, images: torch.Tensor) -> torch.Tensor:
        """A batch of images (N, C, H, W) on the device, channels last, copied without waiting where possible."""
        return images.to(self.device, non_blocking=True, memory_format=torch.channels_last)


@contextmanager
def start_runtime(config: Config) -> Iterator[Runtime]:
    """Choose the device, seed everything and join the other processes; leave them when the body ends.

    Args:
        config: ``gpu``, ``cudnn``, ``seed`` and ``solver.precision`` of it are read.

    Yields:
        The runtime, for the body.

    Raises:
        ConfigError: ``gpu`` names a device that this machine doesn't have.
    """
    world = distributed.world_from_environment()
    device = choose_device(config.gpu, world.local_rank)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    elif device.type == "cpu":
        keep_freed_memory()
    torch.backends.cudnn.benchmark = config.cudnn
    seed_everything(config.seed, world.rank)
    distributed.connect(world, device)
    try:
        yield Runtime(device, choose_autocast(device, config.solver.precision), world)
    finally:
        distributed.disconnect()
