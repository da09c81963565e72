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


def seed_iteration(seed: int, iteration: int, rank: int = 0) -> None:
    """Make torch's random numbers (dropout) in an iteration a function of seed, iteration and rank alone.

    A resumed run then needs no generator states, and goes on alike with another number of processes.
    """
    mixed = np.random.SeedSequence([seed, rank, iteration]).generate_state(1, np.uint64)[0]
    torch.manual_seed(int(mixed))
