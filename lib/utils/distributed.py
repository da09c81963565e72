"""One process or many: everything that asks which process this is goes through here.

Many processes are started by ``torchrun`` (one machine or several), which tells each its place in the environment
variables RANK, WORLD_SIZE and LOCAL_RANK. Nothing else in the project reads the environment.
"""

import inspect
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lib.utils.machine import available_cores

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure


@dataclass(frozen=True)
class World:
    """This process's place among all.

    Attributes:
        rank: 0 to size - 1; rank 0 writes files and logs.
        size: number of processes over all machines.
        local_rank: number of this process on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0


def world_from_environment() -> World:
    """The place that torchrun gave this process; a world of one without torchrun."""
    read = os.environ.get
    return World(int(read("RANK", 0)), int(read("WORLD_SIZE", 1)), int(read("LOCAL_RANK", 0)))


def started_by_torchrun() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def run_under_torchrun(arguments: Sequence[str], processes: int) -> tuple[int, str | None]:
    """Run ``processes`` copies of a command of this Python on this machine, and return how they ended.

    torchrun picks a free port, ends all copies when one dies, and passes signals on to all. What it would say of an end
    is left to the caller, to whom it is returned in a line.

    Args:
        arguments: the script and its arguments.
        processes: number of copies.

    Returns:
        The exit status: 0, that of the copy that failed first, or 128 and the number of the signal that ended it or
        this process; and which copy failed first and why, None where none did.
    """
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    # Said beforehand, as torchrun would set it to 1 with a warning.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_cores() // processes)))
    # Its usual 30 s between passing a signal on and killing are too few to finish a step, validate and save.
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "100")
    options = ["--standalone", "--nproc_per_node", str(processes), *arguments]
    logging.disable()
    try:
        torchrun.run(torchrun.parse_args(options))
    except ChildFailedError as error:
        rank, failure = min(error.failures.items(), key=lambda item: _order_of_failure(item[1]))
        return _exit_status(failure), f"process {rank} of {processes} failed first: {_reason(failure)}"
    except SignalException as stop:
        return 128 + stop.sigval, None
    finally:
        logging.disable(logging.NOTSET)
    return 0, None


def report_failure(error: BaseException, message: str) -> bool:
    """Leave word for torchrun, where that started this process, why it fails: torchrun prints it last of all.

    Args:
        error: what ends the process.
        message: what is said of it.

    Returns:
        Whether that was done.
    """
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if not path:
        return False
    now = time.time()
    # The form that torchrun reads; it shows py_callstack.
    report = {"py_callstack": message, "timestamp": str(int(now)), "seconds": now, "lost_others": _lost_others(error)}
    try:
        with open(path, "w") as file:
            json.dump({"message": {"message": message, "extraInfo": report}}, file)
    except OSError:
        return False
    return True


def _lost_others(error: BaseException) -> bool:
    """Whether the cause is the end of another process."""
    return isinstance(error, dist.DistError) or "gloo/transport" in str(error)


def _order_of_failure(failure: "ProcessFailure") -> tuple[bool, bool, float]:
    """Least for the process that all others failed after."""
    report = _reported(failure)
    stopped = failure.exitcode == -signal.SIGTERM  # by torchrun, as another had failed
    return stopped, report.get("lost_others", False), report.get("seconds", failure.timestamp)


def _reported(failure: "ProcessFailure") -> dict[str, Any]:
    """What :func:`report_failure` left; empty where the process couldn't."""
    message = failure.error_file_data["message"]
    return message["extraInfo"] if isinstance(message, dict) else {}


def _exit_status(failure: "ProcessFailure") -> int:
    return failure.exitcode if failure.exitcode >= 0 else 128 - failure.exitcode


def _reason(failure: "ProcessFailure") -> str:
    if failure.exitcode < 0:
        return f"ended by {failure.signal_name()} (is the memory enough?); the others were stopped"
    return _reported(failure).get("py_callstack", f"its exit status is {failure.exitcode}; see what it said above")


def connect(world: World, device: torch.device) -> None:
    """Join the process group: nccl between CUDA devices, gloo otherwise. Nothing to do in a world of one."""
    if started_by_torchrun():
        _end_with_parent()
    if world.size > 1:
        on_cuda = device.type == "cuda"
        dist.init_process_group("nccl" if on_cuda else "gloo", device_id=device if on_cuda else None)


def _end_with_parent() -> None:
    """Stop this process, as SIGTERM does, when the torchrun that started it is killed and can no longer stop it."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def disconnect() -> None:
    """Leave the process group, if any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def data_parallel(model: nn.Module, device: torch.device) -> nn.Module:
    """``model`` with gradients averaged over all processes, which begin with the main one's weights and buffers.

    Buffers are left alone from then on: batch statistics play no part in training, and what must agree, such as a
    memory of embeddings, each process writes alike. To send them in every step would cost more than the gradients.

    Args:
        model: on ``device``; every parameter must get a gradient in every step.
        device: of this process.
    """
    share_from_main(model.buffers())
    # PyTorch 2.14 has a new name for it.
    names = inspect.signature(DistributedDataParallel).parameters
    sync = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    options: dict[str, Any] = {sync: False}
    return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None, **options)


def sum_over_processes(value: torch.Tensor) -> torch.Tensor:
    """The sum of ``value`` over all processes, in place; ``value`` itself in a world of one."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(value)
    return value


def sum_over_processes_with_gradient(value: torch.Tensor) -> torch.Tensor:
    """The sum of ``value`` over all processes, whose gradients are summed too; ``value`` itself in a world of one."""
    if dist.is_available() and dist.is_initialized():
        from torch.distributed.nn.functional import all_reduce  # slow to import

        return all_reduce(value)
    return value


def mean_over_processes(value: torch.Tensor) -> torch.Tensor:
    """The mean of ``value``, floating point, over all processes, in place; ``value`` itself in a world of one."""
    if dist.is_available() and dist.is_initialized():
        sum_over_processes(value).div_(dist.get_world_size())
    return value


def gather_over_processes(value: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """The values of all processes, of the same shape, in the order of their ranks and joined along ``dim``."""
    if not (dist.is_available() and dist.is_initialized()):
        return value
    parts = [torch.empty_like(value, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, value.contiguous())
    return torch.cat(parts, dim)


def join_over_processes(values: list) -> list:
    """The lists of all processes joined in the order of their ranks; their entries are small and can be pickled."""
    if not (dist.is_available() and dist.is_initialized()):
        return values
    parts: list = [None] * dist.get_world_size()
    dist.all_gather_object(parts, values)
    return [value for part in parts for value in part]


def share_from_main(values: Iterable[torch.Tensor]) -> None:
    """Give all processes the main one's ``values``, in place."""
    if dist.is_available() and dist.is_initialized():
        for value in values:
            dist.broadcast(value, src=0)
