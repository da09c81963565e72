"""``--phase check`` of a whole data set, beside reading its files."""

import contextlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from lib.utils.runtime import start_runtime
from scripts.benchmarks.measure import Row, Section, at_most, interleaved
from scripts.benchmarks.setup import Setup
from segmentor.checking.data import Checker

CONFIG = "U_GCL_Occ"
FRAMES = 3000


def measure_check(setup: Setup) -> Section:
    """Frames of 256x320 with labels; those of the prepared database under several names each."""
    count = setup.pick(FRAMES, 100)
    root = _repeated(setup, count)
    config = setup.config(
        CONFIG, "check", phase="check", data__data_dir=[str(root)], test__out_dir=setup.folder / "check"
    )

    def check() -> None:
        with start_runtime(config) as runtime, contextlib.redirect_stdout(io.StringIO()):
            Checker(config, runtime).run()

    seconds = interleaved({"ours": check, "reading": _reading(root)}, setup.pick(5, 2))
    name = f"--phase check of {count} frames with labels, against reading the files one after another"
    row = Row(name, seconds["ours"], seconds["reading"], "s", at_most(1.5))
    text = "Without the start of Python, whose cost is below Start; the check reads with a process for each core."
    return Section("Check", [row], [text])


def _repeated(setup: Setup, count: int) -> Path:
    """``train`` and ``val`` of links: six frames of seven to train on."""
    root = setup.folder / "data/repeated"
    shutil.rmtree(root, ignore_errors=True)
    for split, number in (("train", count - count // 7), ("val", count // 7)):
        images = sorted((setup.prepared / split / "image").iterdir())
        for part in ("image", "label"):
            (root / split / part).mkdir(parents=True)
        for index in range(number):
            image, turn = images[index % len(images)], index // len(images)
            for file in (image, setup.prepared / split / "label" / f"{image.stem}.png"):
                link = root / split / file.parent.name / f"{file.stem}_{turn:03d}{file.suffix}"
                link.symlink_to(file.resolve())
    return root


def _reading(root: Path) -> Callable[[], None]:
    files = sorted(path for path in root.rglob("*.*") if path.suffix in (".npy", ".png"))

    def read() -> None:
        for path in files:
            if path.suffix == ".npy":
                np.load(path)
            else:
                with Image.open(path) as picture:
                    np.asarray(picture)

    return read
