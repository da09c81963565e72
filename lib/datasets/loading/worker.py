"""What a process that reads batches for another does first."""

import multiprocessing
import multiprocessing.process
import multiprocessing.queues
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

import cv2
import torch

GLANCE = 2.0
"""Seconds after which a worker looks whether its parent lives."""


def start_worker(_: int) -> None:
    """One thread, so that workers don't fight the main process for cores; no signals but the main process's.

    A connection that breaks while a batch's memory is handed over is not told here: the main process has ended, which
    its own starter tells, or gets the error too.
    """
    cv2.setNumThreads(0)  # not 1, for which OpenCV waits for its threads to end: the parent's, which aren't here
    torch.set_num_threads(1)
    multiprocessing.queues.Queue._on_queue_feeder_error = staticmethod(_end)  # type: ignore[attr-defined]  # private
    sys.excepthook = partial(_tell, sys.excepthook)  # by which the thread that hands memory over tells its errors
    _obey_parent_alone()


def _tell(
    hook: Callable[..., Any], kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not isinstance(error, ConnectionError | EOFError):
        hook(kind, error, trace)


def _end(error: Exception, batch: object) -> None:
    """End this process, as its thread that hands batches over has lost one.

    Python's own answer is to go on, and the main process would wait for that batch forever.
    """
    traceback.print_exception(error)
    os.kill(os.getpid(), signal.SIGKILL)  # an exception would end this thread alone


def _obey_parent_alone() -> None:
    """Let this worker end when its parent says so or dies, and not from signals that reach all processes of a job.

    Ctrl+C and a cluster's SIGTERM are for the main process, which may want to finish its step and save; it could not
    without workers. Of a dead parent the DataLoader's worker knows too, but it waits at its end until somebody takes
    the batches that it has read.
    """
    asked = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt  # on which a worker of the DataLoader ends quietly

    def wait_for_parent(parent: multiprocessing.process.BaseProcess, starter: int) -> None:
        # A forked parent's death shows in who started this process first, that of one beside a fork server elsewhere.
        while os.getppid() == starter and parent.is_alive():
            received = signal.sigtimedwait({signal.SIGTERM}, GLANCE)
            if received and received.si_pid == parent.pid:
                asked.set()
                os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGINT, interrupt)
    parent = multiprocessing.parent_process()
    if parent and hasattr(signal, "sigtimedwait"):  # not on macOS
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=wait_for_parent, args=(parent, os.getppid()), daemon=True).start()
