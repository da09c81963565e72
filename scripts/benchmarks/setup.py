"""What all parts of the benchmark share: the size of the run, data, configs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch

from lib.datasets.thermal_face_db.prepare import Options, prepare
from lib.synthetic import synthesize
from lib.utils.config import Config, load_config
from lib.utils.device import CPU_ONLY

REPO = Path(__file__).resolve().parents[2]
CONFIGS = REPO / "configs/thermalFaceDB"

SIZE = (256, 320)  # (H, W) of prepared frames
SUBJECTS, FRAMES = 14, 43
VAL_SUBJECTS = tuple(f"sub{number:03d}" for number in range(1, 12))
VAL_FRAMES = len(VAL_SUBJECTS) * FRAMES  # 473, as many as the real database has
RAW_SUBJECTS, RAW_FRAMES = 10, 20
SEQUENCE_SUBJECTS, SEQUENCE_FRAMES, SEQUENCE_SIZE = 10, 50, (240, 320)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Setup:
    """How to measure.

    Attributes:
        folder: where results, data and runs go.
        quick: fewer repeats, smaller cases.
        threads: that PyTorch and OpenCV compute with where a case doesn't say otherwise.
    """

    folder: Path
    quick: bool
    threads: int

    def pick(self, full: Value, quick: Value) -> Value:
        """A number for the whole benchmark or for the quick one."""
        return quick if self.quick else full

    @cached_property
    def prepared(self) -> Path:
        """A prepared synthetic database: 473 frames of 256x320 to validate on, 129 to train on."""
        raw, out = self.folder / "data/small", self.folder / "data/Processed"
        synthesize(raw, SUBJECTS, FRAMES, *SIZE)
        prepare(raw, out, Options(SIZE, None, VAL_SUBJECTS))
        return out

    @cached_property
    def raw(self) -> Path:
        """200 synthetic raw frames of the real database's size."""
        synthesize(self.folder / "data/raw", RAW_SUBJECTS, RAW_FRAMES)
        return self.folder / "data/raw"

    @cached_property
    def sequence(self) -> list[Path]:
        """500 synthetic frames of 240x320, or 20, float32 deg C, in files of their own."""
        raw, folder = self.folder / "data/raw_sequence", self.folder / "data/sequence"
        synthesize(raw, SEQUENCE_SUBJECTS, self.pick(SEQUENCE_FRAMES, 2), *SEQUENCE_SIZE)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(raw.glob("*.npy")):
            np.save(folder / path.name, np.load(path).astype(np.float32))
        return sorted(folder.iterdir())

    def pairs(self, run: str, **values: Any) -> list[str]:
        """``section.key=value`` of a run on :attr:`prepared` and the CPU; in ``values``, ``__`` is a key's dot."""
        runs = self.folder / "runs"
        pairs = {
            "gpu": [CPU_ONLY],
            "data.data_dir": [str(self.prepared)],
            "checkpoints.checkpoints_root": runs,
            "checkpoints.checkpoints_name": run,
            "checkpoints.overwrite": "y",
            "logging.log_file": runs / f"{run}.log",
            **{key.replace("__", "."): value for key, value in values.items()},
        }
        return [f"{key}={value}" for key, value in pairs.items()]

    def config(self, name: str, run: str, **values: Any) -> Config:
        """The shipped config ``name`` with :meth:`pairs` on top."""
        return load_config(CONFIGS / f"{name}.json", {}, self.pairs(run, **values))[0]

    def segments(self, count: int, frames: int) -> list[Path]:
        """Folders that share the first ``frames`` validation frames and their labels about equally."""
        root, source = self.folder / "data/segments", self.prepared / "val"
        shutil.rmtree(root, ignore_errors=True)
        images = sorted((source / "image").iterdir())[:frames]
        folders = [root / f"{index:02d}" for index in range(count)]
        for index, image in enumerate(images):
            for file in (image, source / "label" / f"{image.stem}.png"):
                link = folders[index * count // len(images)] / file.parent.name / file.name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(file.resolve())
        return folders


@contextmanager
def threads(number: int) -> Iterator[None]:
    """PyTorch and OpenCV compute with ``number`` threads inside."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(number)
    cv2.setNumThreads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
