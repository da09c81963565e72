"""One process or many: everything that asks which process this is goes through here.

Many processes are started by ``torchrun`` (one machine or several), which tells each its place in the environment
variables RANK, WORLD_SIZE and LOCAL_RANK. Nothing else in the project reads the environment.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class World:
    """This process's place among all.

    Attributes:
        rank: 0 to size - 1; rank 0 writes files and speaks.
        size: number of processes over all machines.
        local_rank: number of this process on its machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0


def world_from_environment() -> World:
    """The place that torchrun gave this process; a world of one without torchrun."""
    read = os.environ.get
    return World(int(read("RANK", 0)), int(read("WORLD_SIZE", 1)), int(read("LOCAL_RANK", 0)))


def started_by_torchrun() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def run_under_torchrun(arguments: Sequence[str], processes: int) -> int:
    """Run ``processes`` copies of a command of this Python on this machine; returns the first failure's exit status.

    torchrun picks a free port, and ends all copies when one dies.

    Args:
        arguments: the script and its arguments.
        processes: number of copies.
    """
    from torch.distributed import run as torchrun
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    options = ["--standalone", "--nproc_per_node", str(processes), *arguments]
    try:
        torchrun.run(torchrun.parse_args(options))
    except ChildFailedError as error:
        return error.get_first_failure()[1].exitcode
    return 0


def connect(world: World, device: torch.device) -> None:
    """Join the process group: nccl between CUDA devices, gloo otherwise. Nothing to do in a world of one."""
    if world.size > 1:
        on_cuda = device.type == "cuda"
        dist.init_process_group("nccl" if on_cuda else "gloo", device_id=device if on_cuda else None)


def disconnect() -> None:
    """Leave the process group, if any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def sum_over_processes(value: torch.Tensor) -> torch.Tensor:
    """The sum of ``value`` over all processes, in place; ``value`` itself in a world of one."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(value)
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
