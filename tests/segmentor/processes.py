"""Two processes that train together, on the CPU."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import multiprocessing

from lib.utils.config import Config
from segmentor.runtime import Runtime, start_runtime


def in_two_processes(
    work: Callable[[Runtime, Config, dict[str, Any]], None], config: Config, folder: Path
) -> list[dict[str, Any]]:
    """Call ``work`` (a function of a module) in both; returns what each has put into its dict."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(_work, (port, work, config, folder), nprocs=2)
    return [torch.load(folder / f"{rank}.result", weights_only=True) for rank in (0, 1)]


def _work(rank: int, port: int, work: Callable, config: Config, folder: Path) -> None:
    torch.set_num_threads(1)
    place = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    results: dict[str, Any] = {}
    with start_runtime(config) as runtime:
        work(runtime, config, results)
    torch.save(results, folder / f"{rank}.result")
