"""Writing frames of the wide world, prepared to train on: ``{train,val}/{image,label}``."""

import os
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lib.synthetic.database import keep_options
from lib.synthetic.subject import Subject
from lib.synthetic.wild.scene import render_wild_frame
from lib.synthetic.wild.skin import draw_wild_subject
from lib.utils.files import atomic_write
from lib.utils.machine import available_cores
from lib.utils.processes import process_map

OPTIONS_FILE = "synthetic_wild.json"
VERSION = 8
"""Grows whenever the same options give other frames."""

_FRAMES_OF_A_SUBJECT = 5  # as the nearest person, before the next one comes
_FIRST_IN_VAL = 1_000_000  # people of the validation split are none of the training split's


def synthesize_wild(
    out_dir: str | os.PathLike,
    train: int = 8000,
    val: int = 200,
    height: int = 256,
    width: int = 320,
    seed: int = 0,
    workers: int | None = None,
) -> None:
    """Write frames ``image/<name>.npy`` (float16 (height, width), deg C) and ``label/<name>.png`` (values 0-7).

    Frames that stand in the folder and were made with the same options are kept; each has a random stream of its own.

    Args:
        out_dir: made if missing; ``synthetic_wild.json`` in it says what the frames are.
        train, val: number of frames; no person is in both.
        height, width: pixels.
        seed: of everything.
        workers: processes; None for one per core, 0 for none but this one.

    Raises:
        DataError: the folder holds frames that are not synthetic, or made with other options.
    """
    out_dir = Path(out_dir)
    options = {"synthetic": True, "version": VERSION, "height": height, "width": width, "seed": seed}
    keep_options(out_dir / OPTIONS_FILE, options, [*out_dir.glob("*/image/*"), *out_dir.glob("*/label/*")])
    jobs = [("train", number) for number in range(train)] + [("val", number) for number in range(val)]
    jobs = [job for job in jobs if not _label_path(out_dir, *job).exists()]
    write = partial(_write_frame, out_dir, (height, width), seed)
    workers = min(available_cores() if workers is None else workers, len(jobs))
    with process_map(workers, _FRAMES_OF_A_SUBJECT) as run:
        for _ in tqdm(run(write, jobs), total=len(jobs), desc="synthesise", unit="frame", disable=None):
            pass


def _name(split: str, number: int) -> str:
    subject = number // _FRAMES_OF_A_SUBJECT + (_FIRST_IN_VAL if split == "val" else 0)
    return f"wild_sub{subject:07d}_frm{number:06d}"


def _label_path(out_dir: Path, split: str, number: int) -> Path:
    return out_dir / split / "label" / f"{_name(split, number)}.png"


def _write_frame(out_dir: Path, shape: tuple[int, int], seed: int, job: tuple[str, int]) -> None:
    image, label = make_wild_frame(seed, *job, *shape)
    with atomic_write(out_dir / job[0] / "image" / f"{_name(*job)}.npy") as file:
        np.save(file, image.astype(np.float16))
    with atomic_write(_label_path(out_dir, *job)) as file:
        file.write(cv2.imencode(".png", label)[1].tobytes())


def make_wild_frame(seed: int, split: str, number: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Frame ``number`` of a split: float32 (height, width), deg C, and label uint8 (height, width)."""
    first = number // _FRAMES_OF_A_SUBJECT + (_FIRST_IN_VAL if split == "val" else 0)
    # Others in the frame are people who were the nearest one lately: their heads are still in memory.
    return render_wild_frame(
        lambda person: _subject(seed, first - person if number // _FRAMES_OF_A_SUBJECT >= person else first + person),
        np.random.default_rng([seed, int(split == "val"), number]),
        height,
        width,
    )


@lru_cache(maxsize=8)
def _subject(seed: int, number: int) -> Subject:
    return draw_wild_subject(np.random.default_rng([seed, number, 7]))
