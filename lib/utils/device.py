"""The one place that knows device names, and which number format is fast on which device."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from lib.utils.errors import ConfigError
from lib.utils.machine import processor_name

logger = logging.getLogger("samcl")

CPU_ONLY = -1
"""``--gpu -1`` means the CPU."""


def choose_device(gpu: Sequence[int] | None = None, local_rank: int = 0) -> torch.device:
    """The device of this process: cuda, else mps, else cpu.

    Args:
        gpu: CUDA indices, one per process; ``None`` takes what there is; ``[-1]`` is the CPU. Where there is no CUDA,
            indices fall back to what there is, with a warning: commands written for a GPU machine run anywhere.
        local_rank: number of this process on its machine; it picks the index.

    Raises:
        ConfigError: an index that this machine doesn't have.
    """
    if gpu and gpu[0] == CPU_ONLY:
        return torch.device("cpu")
    if torch.cuda.is_available():
        index = gpu[local_rank] if gpu and local_rank < len(gpu) else local_rank
        count = torch.cuda.device_count()
        if index not in range(count):
            raise ConfigError(
                f"gpu: expected CUDA devices from 0 to {count - 1}, got {index}; name others with --gpu, start fewer "
                f"processes, or use the CPU with --gpu -1"
            )
        return torch.device("cuda", index)
    if gpu:
        logger.warning("--gpu %s: this machine has no CUDA device, running without", " ".join(map(str, gpu)))
    return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")


def visible_gpus() -> int:
    """Number of CUDA devices that this process sees."""
    return torch.cuda.device_count()


def choose_autocast(device: torch.device, precision: str = "auto") -> torch.dtype | None:
    """The number format of autocast on ``device``; ``None`` means plain float32.

    Args:
        device: where the network runs.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto``: bfloat16 where the hardware computes in it, float16 on
            older CUDA devices, float32 elsewhere (float16 has no speed to offer on a CPU).
    """
    if precision != "auto":
        return {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    if device.type == "cuda":
        # Volta and Turing emulate bfloat16, slower than float32: only Ampere (8.0) and later compute in it.
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    return torch.bfloat16 if device.type == "cpu" and _cpu_computes_bf16() else None


def name_of_device(device: torch.device) -> str:
    """What a reader knows a device by: the model of the GPU, or of the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}: {processor_name()}"


def pin_memory(device: torch.device) -> bool:
    """Whether batches for ``device`` should be staged in page-locked memory."""
    return device.type == "cuda"


def _cpu_computes_bf16() -> bool:
    """Whether the CPU has bfloat16 instructions (AVX512-BF16 or AMX); not every torch supported here can tell."""
    try:
        flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
