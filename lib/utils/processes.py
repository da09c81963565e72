"""A pool of processes for independent pieces of work."""

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

import cv2

from lib.utils.errors import DataError
from lib.utils.machine import keep_freed_memory

Task = TypeVar("Task")
Result = TypeVar("Result")
Map = Callable[[Callable[[Task], Result], Iterable[Task]], Iterator[Result]]


@contextmanager
def process_map(workers: int, chunksize: int = 1) -> Iterator[Map]:
    """A ``map`` over a pool of processes; over none for fewer than two.

    The processes start when it is called, and what they have not begun is dropped when the body ends.

    Args:
        workers: number of processes.
        chunksize: tasks that go to a process at once.

    Raises:
        DataError: a process died.
    """
    keep_freed_memory()  # also in forked processes: frames as large as photographs come and go in each task
    if workers < 2:
        yield map
        return
    # Forked processes start at once, where spawned ones import for as long as 30 frames take. A process may be forked
    # when nothing but daemons that wait, such as tqdm's, runs beside its main thread.
    alone = all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate())
    context = multiprocessing.get_context("fork" if alone and sys.platform == "linux" else "spawn")
    # 0 and not 1, for which OpenCV waits for its threads to end: those of the parent, in a forked process.
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=cv2.setNumThreads, initargs=(0,))
    try:
        yield lambda function, tasks: pool.map(function, tasks, chunksize=chunksize)
    except BrokenProcessPool as error:
        raise DataError(
            "a worker process died (out of memory?). What is done is kept: run it again, with fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
