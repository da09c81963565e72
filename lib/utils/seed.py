"""Seeding of every generator that a run could draw from."""

import random

import numpy as np
import torch


def seed_everything(seed: int, rank: int = 0) -> None:
    """Seed Python, NumPy and torch (all devices); each process of a distributed run gets its own stream (dropout).

    Args:
        seed: of the run.
        rank: of the process.
    """
    random.seed(seed + rank)
    np.random.seed((seed + rank) % 2**32)
    torch.manual_seed(seed + rank)


def rng_state() -> dict[str, object]:
    """The state of torch's generators, for a checkpoint: CPU, and every visible CUDA device.

    Data order and augmentation need no state here: they are functions of seed, epoch and sample. Restored by
    :func:`set_rng_state`.
    """
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"torch": torch.get_rng_state(), "cuda": cuda}


def set_rng_state(state: dict[str, object]) -> None:
    """Go on where :func:`rng_state` was taken; CUDA states are left out where the number of devices differs."""
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
