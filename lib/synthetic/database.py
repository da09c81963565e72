"""Writing a synthetic Thermal Face Database: the raw layout of the real one, so that every run takes the real path.

Subjects are numbered sub001, sub002, ... in order. The database's published validation subjects are sub007, sub009,
sub011, ..., so a published split of ten synthetic subjects trains on eight and validates on two. A subject's frames
are spread over recordings (``seq``) of at most ``FRAMES_PER_SEQUENCE``; clothes, room and camera change between them.
"""

import json
import logging
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lib.datasets.landmarks import STANDARD_GROUPS
from lib.synthetic.scene import draw_sequence, render_frame
from lib.synthetic.subject import Subject, draw_subject
from lib.utils.errors import DataError
from lib.utils.files import atomic_write
from lib.utils.machine import available_cores
from lib.utils.processes import process_map

FRAMES_PER_SEQUENCE = 4
OPTIONS_FILE = "synthetic.json"
VERSION = 1
"""Grows whenever the same options give other frames."""

_log = logging.getLogger("samcl")


@dataclass(frozen=True)
class Options:
    """What decides the content of a synthetic database; see :func:`synthesize`."""

    height: int
    width: int
    seed: int
    unconstrained: bool


@dataclass(frozen=True)
class FrameName:
    """Which frame; all numbers start at 1."""

    subject: int
    sequence: int
    frame: int

    @property
    def stem(self) -> str:
        """What the names of its files begin with."""
        return f"irface_sub{self.subject:03d}_seq{self.sequence:02d}_frm{self.frame:05d}"


def frame_names(subjects: int, frames: int) -> list[FrameName]:
    """All frames of a database, subject by subject."""
    return [
        FrameName(subject, index // FRAMES_PER_SEQUENCE + 1, index % FRAMES_PER_SEQUENCE + 1)
        for subject in range(1, subjects + 1)
        for index in range(frames)
    ]


def synthesize(
    out_dir: str | os.PathLike,
    subjects: int = 10,
    frames: int = 12,
    height: int = 768,
    width: int = 1024,
    seed: int = 0,
    unconstrained: bool = False,
    workers: int | None = None,
) -> list[Path]:
    """Write synthetic raw frames ``<stem>.jpg_lfb.npy`` (float32 (height, width), deg C) and ``.jpg_lfb.ljson``.

    Complete frames that stand in the folder and were made with the same options are kept. Each frame has a random
    stream of its own, so the result depends neither on ``workers`` nor on ``subjects`` and ``frames``.

    Args:
        out_dir: made if missing; ``synthetic.json`` in it says what the frames are.
        subjects: number of people, 1 to 999.
        frames: per subject, at least 1.
        height, width: pixels, at least 48; the same scene at any size.
        seed: of everything.
        unconstrained: occluders, any ambient temperature, wide poses, faces that the frame cuts off.
        workers: processes; None for one per core, 0 for none but this one.

    Returns:
        The .npy paths, sorted.

    Raises:
        DataError: impossible options, or the folder holds frames made with others.
    """
    _check(subjects, frames, height, width, seed)
    out_dir, options = Path(out_dir), Options(height, width, seed, bool(unconstrained))
    path = out_dir / OPTIONS_FILE
    others = [*out_dir.glob("*.ljson"), *out_dir.glob("*.npy")]
    keep_options(path, {"synthetic": True, "version": VERSION, **asdict(options)}, others)
    names = frame_names(subjects, frames)
    missing = [name for name in names if not _complete(out_dir, name)]
    if len(missing) < len(names):
        _log.info("%d of %d frames are there already", len(names) - len(missing), len(names))
    jobs = [(str(out_dir), name, options) for name in missing]
    workers = min(available_cores() if workers is None else workers, len(jobs))
    with process_map(workers, FRAMES_PER_SEQUENCE) as run:
        for _ in tqdm(run(_write_frame, jobs), total=len(jobs), desc="synthesise", unit="frame", disable=None):
            pass
    return sorted(out_dir / f"{name.stem}.jpg_lfb.npy" for name in names)


def _check(subjects: int, frames: int, height: int, width: int, seed: int) -> None:
    limits = {
        "subjects": (subjects, 1, 999), "frames": (frames, 1, 99 * FRAMES_PER_SEQUENCE),
        "height": (height, 48, 4096), "width": (width, 48, 4096), "seed": (seed, 0, 2**63),
    }  # fmt: skip
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise DataError(f"synthetic database: {name} must be {low} to {high}, got {value}")


def keep_options(path: Path, options: Mapping[str, object], frames: Collection[Path]) -> None:
    """Write what the frames in a folder are made with as JSON, or check that it is what they were made with before.

    Args:
        path: of the file, beside the frames.
        options: JSON values.
        frames: files in the folder that would be taken for synthetic ones, or replaced by them.

    Raises:
        DataError: the file has other options, or isn't JSON; or there are frames and no such file.
    """
    if path.exists():
        try:
            found = json.loads(path.read_text())
        except ValueError as error:
            raise DataError(f"{path} is not JSON ({error}); delete the folder or choose another one") from error
        if found != options:
            raise DataError(
                f"{path.parent} holds synthetic frames made with {found}, but {options} was asked for; "
                "give the same options, choose another folder, or delete this one"
            )
        return
    if frames:
        raise DataError(f"{path.parent} holds frames that are not synthetic (no {path.name}); choose another folder")
    with atomic_write(path, "w") as file:
        json.dump(options, file, indent=2)
        file.write("\n")


def _complete(out_dir: Path, name: FrameName) -> bool:
    return all((out_dir / f"{name.stem}.jpg_lfb.{end}").exists() for end in ("npy", "ljson"))


def _write_frame(job: tuple[str, FrameName, Options]) -> None:
    out_dir, name, options = job
    temperature, points = make_frame(name, options)
    with atomic_write(Path(out_dir) / f"{name.stem}.jpg_lfb.npy") as file:
        np.save(file, temperature)
    with atomic_write(Path(out_dir) / f"{name.stem}.jpg_lfb.ljson", "w") as file:
        json.dump(ljson(points), file)


def make_frame(name: FrameName, options: Options) -> tuple[np.ndarray, np.ndarray]:
    """Render one frame of the database: float32 (height, width), deg C, and landmarks (68, 2) as (y, x), pixels."""
    place = (options.seed, name.subject)
    sequence = draw_sequence(np.random.default_rng([*place, name.sequence]), options.unconstrained)
    rng = np.random.default_rng([*place, name.sequence, name.frame])
    return render_frame(subject_of(*place), sequence, rng, options.height, options.width)


@lru_cache(maxsize=4)
def subject_of(seed: int, number: int) -> Subject:
    """Person ``number`` of the database with this seed."""
    return draw_subject(np.random.default_rng([seed, number]))


def ljson(points: np.ndarray) -> dict:
    """Landmarks (68, 2) as (y, x) in the form of the database's LJSON files."""
    return {
        "version": 2,
        "labels": [{"label": name, "mask": list(mask)} for name, mask in STANDARD_GROUPS.items()],
        "landmarks": {"points": np.round(points, 3).tolist()},
    }
