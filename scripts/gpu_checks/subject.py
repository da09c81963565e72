"""The device that is checked, and the sizes that fit it."""

import gc
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import torch
from torch import Tensor

from lib.models.build import NETWORKS
from lib.utils.config import Config
from lib.utils.device import choose_device, name_of_device
from lib.utils.distributed import World
from lib.utils.runtime import Runtime

CLASSES = 6
NETWORKS_TO_TIME = (
    *("unet", "deeplab_v3:resnet101_dilated8", "hrnet_w48", "attention_unet", "deeplab_v3:xception_8"),
    *("deeplab_v3:xception_16", "base_ocnet:deepbase_resnet101_dilated8", "hrnet_w18"),
)
"""In order; ``--quick`` takes the first three."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Subject:
    """What is checked.

    Attributes:
        device: the first CUDA device; the CPU where there is none.
        out: folder of the results.
        quick: three networks at one size.
    """

    device: torch.device
    out: Path
    quick: bool

    @staticmethod
    def of_this_machine(out: Path, quick: bool) -> "Subject":
        """The subject for this machine's first CUDA device, or for its CPU at tiny size."""
        device = choose_device([0] if torch.cuda.is_available() else [-1])
        if device.type == "cuda":
            torch.cuda.set_device(device)
        return Subject(device, out, quick)

    @property
    def is_gpu(self) -> bool:
        """Whether there is a GPU to measure."""
        return self.device.type == "cuda"

    def pick(self, gpu: Value, cpu: Value) -> Value:
        """The value for a GPU, or that for the trial on a CPU."""
        return gpu if self.is_gpu else cpu

    def goal(self, limit: float) -> float | None:
        """A goal for a GPU; tiny sizes on a CPU have none."""
        return limit if self.is_gpu else None

    def machine(self) -> str:
        """What was measured, in words."""
        versions = f"torch {torch.__version__}, Python {platform.python_version()}"
        if not self.is_gpu:
            return (
                f"**No GPU was measured**: this machine has no CUDA device, and the same code ran on its CPU "
                f"({name_of_device(self.device)}) at tiny size, to show that it runs. {versions}."
            )
        properties = torch.cuda.get_device_properties(self.device)
        return (
            f"{properties.name}, {properties.total_memory / 2**30:.0f} GB, compute capability {properties.major}."
            f"{properties.minor}; {torch.cuda.device_count()} visible. CUDA {torch.version.cuda}, cuDNN "
            f"{torch.backends.cudnn.version()}, {versions}."
        )

    def config(self, name: str, **sections: Any) -> Config:
        """A config of the network ``model_name[:backbone]``; on a CPU of an eighth of its width."""
        model_name, _, backbone = name.partition(":")
        network = {"model_name": model_name, "backbone": backbone or "none", "base_channels": self.pick(64, 8)}
        network |= sections.pop("network", {})
        return Config.model_validate({"data": {"num_classes": CLASSES}, "network": network, **sections})

    def runtime(self, dtype: torch.dtype | None = None) -> Runtime:
        """One process on the device, with this number format."""
        return Runtime(self.device, dtype, World())

    def synchronise(self) -> None:
        """Wait until the device has done all that it was asked for."""
        if self.is_gpu:
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object], repeats: int = 5, warmups: int = 2) -> float:
        """The median time of a call, after some that don't count."""
        times = []
        for repeat in range(-warmups, repeats) if self.is_gpu else range(1):
            self.synchronise()
            start = time.perf_counter()
            work()
            self.synchronise()
            if repeat >= 0:
                times.append(time.perf_counter() - start)
        return median(times)

    def peak_gigabytes(self, work: Callable[[], object]) -> float | None:
        """The greatest memory of tensors during a call; None on a CPU."""
        if not self.is_gpu:
            work()
            return None
        torch.cuda.reset_peak_memory_stats(self.device)
        work()
        return torch.cuda.max_memory_allocated(self.device) / 2**30

    def tidy(self) -> None:
        """Free what a part left on the device."""
        gc.collect()
        if self.is_gpu:
            torch.cuda.empty_cache()

    def does_not_fit(self, error: RuntimeError) -> bool:
        """Whether an error says that the device's memory is full."""
        return isinstance(error, torch.OutOfMemoryError)


def networks_to_compare(backbones: Sequence[str]) -> list[str]:
    """Every architecture once, as ``model_name[:backbone]``; those that have a choice of it on each of some."""
    names, builders = [], set()
    for name in NETWORKS.names():
        if NETWORKS.get(name) not in builders:
            builders.add(NETWORKS.get(name))
            has_backbone = NETWORKS.facts(name)["backbone"]
            names += [f"{name}:{backbone}" for backbone in backbones] if has_backbone else [name]
    return names


def batch_of(shape: tuple[int, int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images (N, 1, H, W) float32 and labels (N, H, W) int64 of regions, a twentieth ignored, on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    count, height, width = shape
    coarse = torch.randint(0, CLASSES, (count, 1, height // 8, width // 8), generator=generator).float()
    labels = torch.nn.functional.interpolate(coarse, (height, width))[:, 0].long()
    images = labels[:, None] / CLASSES + 0.3 * torch.randn(count, 1, height, width, generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.05] = -1
    return images, labels


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The norm of the difference over that of what was expected, computed in float64 on the CPU."""
    found, expected = found.detach().double().cpu(), expected.detach().double().cpu()
    return ((found - expected).norm() / expected.norm().clamp(min=1e-30)).item()


@contextmanager
def tf32(enabled: bool) -> Iterator[None]:
    """Whether CUDA may compute float32 products in TF32."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = enabled
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
