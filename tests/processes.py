"""Other processes that tests call functions in: forked from one that has imported everything, so they begin at once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import multiprocessing
from torch.distributed import TCPStore

from lib.utils.config import Config
from lib.utils.runtime import Runtime, start_runtime
from scripts.small_run import fork_context


def run_once(work: Callable[..., Any], *arguments: Any) -> None:
    """Call ``work`` (a function of a module) in a process of its own."""
    process = fork_context().Process(target=_call, args=(work, arguments))
    process.start()
    process.join()
    assert process.exitcode == 0


def run_twice(work: Callable[..., Any], *arguments: Any) -> None:
    """Call ``work`` (a function of a module) in two processes that find each other in their environment."""
    # Held from here, as torchrun does: a free port that is only looked up may be another's when it is used.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    fork_context()
    multiprocessing.start_processes(_place_and_call, (store.port, work, arguments), nprocs=2, start_method="forkserver")


def in_two_processes(
    work: Callable[[Runtime, Config, dict[str, Any]], None], config: Config, folder: Path
) -> list[dict[str, Any]]:
    """Call ``work`` (a function of a module) in both of a run; returns what each has put into its dict."""
    run_twice(_work, work, config, folder)
    return [torch.load(folder / f"{rank}.result", weights_only=True) for rank in (0, 1)]


def _call(work: Callable[..., Any], arguments: tuple) -> None:
    torch.set_num_threads(1)
    # As in a process that was started from a shell; the loader makes its workers by it.
    multiprocessing.set_start_method("fork", force=True)
    work(*arguments)


def _place_and_call(rank: int, port: int, work: Callable[..., Any], arguments: tuple) -> None:
    place = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()}, TORCHELASTIC_USE_AGENT_STORE="True")
    _call(work, arguments)


def _work(work: Callable, config: Config, folder: Path) -> None:
    results: dict[str, Any] = {}
    with start_runtime(config) as runtime:
        work(runtime, config, results)
    torch.save(results, folder / f"{runtime.world.rank}.result")
