"""Signals that ask a run to stop: a training finishes its step, saves and ends. A second signal ends it at once."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

import torch
import torch.distributed as dist

from lib.utils.distributed import World
from lib.utils.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)

ECHO_SECONDS = 2.0
"""With several processes, a signal this soon after the first is the same one: torchrun passes it on as well."""


class StopSignals:
    """A context in which SIGINT (Ctrl-C) and SIGTERM (of schedulers) are requests that all processes follow together.

    Args:
        world: this process's place among all; all of them must make this object.
    """

    def __init__(self, world: World) -> None:
        self._received = 0
        self._received_at = 0.0
        self._shared = world.size > 1
        # Of its own and on the CPU: it must not wait for the device, nor come between other exchanges.
        group = dist.new_group(backend="gloo") if self._shared else None
        assert not isinstance(group, int)  # what processes outside a group get, and all are in this one
        self._group = group
        self._flag = torch.zeros((), dtype=torch.int64)
        self._exchange: dist.Work | None = None

    def __enter__(self) -> "StopSignals":
        # Python lets the main thread alone handle signals; a run in another one is stopped by what started it.
        numbers = SIGNALS if threading.current_thread() is threading.main_thread() else ()
        self._former = {number: signal.signal(number, self._receive) for number in numbers}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._shared and (error is None or isinstance(error, Interrupted)):
            if self._exchange:
                self._exchange.wait()
            # torchrun ends all processes when one ends; the main one may still be saving.
            dist.barrier(self._group)
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def requested(self) -> int:
        """The number of the signal that asks for this step to be the last one; 0 where none does.

        All processes must call this once in every step. They exchange what they have received while the next step
        runs: all of them stop one step after the signal, at the same step, and none waits for the exchange.
        """
        if not self._shared:
            return self._received
        agreed = 0
        if self._exchange:
            self._exchange.wait()
            agreed = int(self._flag)
        self._flag.fill_(self._received)
        self._exchange = dist.all_reduce(self._flag, dist.ReduceOp.MAX, group=self._group, async_op=True)
        return agreed

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._received:
            self._received, self._received_at = number, now
        elif not self._shared or now - self._received_at > ECHO_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """A context that SIGTERM ends with :class:`Interrupted`, as Ctrl-C does with KeyboardInterrupt."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted("stopped by SIGTERM", number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
