"""Preparing raw frames with two worker processes, beside one."""

import shutil
from collections.abc import Callable
from itertools import count

from lib.datasets.thermal_face_db.prepare import prepare
from scripts.benchmarks.measure import Row, Section, at_least, interleaved
from scripts.benchmarks.setup import Setup


def measure_prepare(setup: Setup) -> Section:
    """200 frames of 768x1024, each time into a new folder; starting the workers counts."""
    raw, out, numbers = setup.raw, setup.folder / "prepared", count()
    shutil.rmtree(out, ignore_errors=True)

    def with_workers(workers: int) -> Callable[[], object]:
        return lambda: prepare(raw, out / str(next(numbers)), workers=workers)

    seconds = interleaved({"one": with_workers(1), "two": with_workers(2)}, setup.pick(5, 2))
    shutil.rmtree(out)
    row = Row("preparing 200 raw frames, 2 workers, against one", seconds["two"], seconds["one"], "s", at_least(1.8))
    return Section("Preparation", [row], ["Raw frames of 768x1024 with their landmarks to 256x320 and label pictures."])
