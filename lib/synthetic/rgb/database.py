"""Drawn pictures in the layouts of Cityscapes', ADE20K's, LIP's, PASCAL-Context's and COCO-Stuff's downloads."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.io
import torch
from PIL import Image

from lib.synthetic.database import keep_options
from lib.synthetic.rgb.scene import Scene, draw_person, draw_scene
from lib.utils.errors import ConfigError
from lib.utils.files import atomic_write

OPTIONS_FILE = "synthetic_rgb.json"
VERSION = 1
"""Grows whenever the same options give other pictures."""

SCENES = {
    "cityscapes": Scene((23, 11, 8, 7), (21, 24, 26, 20, 17, 33, 4, 0)),
    "ade20k": Scene((6, 1, 4), (8, 20, 16, 150, 0)),
    "pascal_context": Scene((47, 53, 29), (20, 37, 31, 59, 0)),
    "coco_stuff": Scene((157, 169, 149), (1, 3, 18, 182, 0)),
}
"""In the values of each benchmark's labels: streets, a room, animals on grass, a road; the last class of each among
them, values that are ignored, and 0."""

_QUALITY = 95


class Drawn(NamedTuple):
    """One picture: which, in what split, (H, W, 3) uint8 RGB, and its label (H, W) uint8."""

    number: int
    split: str
    picture: np.ndarray
    label: np.ndarray


def synthesize_benchmark(name: str, out_dir: str | os.PathLike, train: int = 4, val: int = 2, seed: int = 0) -> None:
    """Write a tiny drawn set as the download of a benchmark would be. Cityscapes' has pictures to test on, too.

    Args:
        name: one of :data:`WRITERS`.
        out_dir: made if missing; ``synthetic_rgb.json`` in it says what it is.
        train, val: number of pictures of each split. Cityscapes' all have one size, others' sizes vary.
        seed: of everything.

    Raises:
        ConfigError: no such benchmark, or no pictures of a split.
        DataError: the folder holds something else, or pictures made with other options.
    """
    if name not in WRITERS:
        raise ConfigError(f"expected one of {', '.join(WRITERS)}, got {name!r}")
    if min(train, val) < 1:
        raise ConfigError(f"expected at least one picture to train on and one to validate on, got {train} and {val}")
    out_dir = Path(out_dir)
    options = {"synthetic": True, "version": VERSION, "benchmark": name, "train": train, "val": val, "seed": seed}
    keep_options(out_dir / OPTIONS_FILE, options, list(out_dir.glob("*")))
    splits = ["train"] * train + ["val"] * val + ["test"] * (name == "cityscapes")
    drawn = [_draw(name, number, split, seed) for number, split in enumerate(splits, 1)]
    WRITERS[name](out_dir, drawn)


def _draw(name: str, number: int, split: str, seed: int) -> Drawn:
    rng = np.random.default_rng([seed, number])
    if name == "lip":
        return Drawn(number, split, *draw_person((int(rng.integers(72, 100)), int(rng.integers(40, 64))), rng))
    size = (64, 128) if name == "cityscapes" else (int(rng.integers(48, 80)), int(rng.integers(56, 96)))
    return Drawn(number, split, *draw_scene(SCENES[name], size, rng))


def _cityscapes(out_dir: Path, drawn: list[Drawn]) -> None:
    for one in drawn:
        city = f"{one.split}stadt"
        name = f"{city}_{one.number:06d}_000019"
        _save(out_dir / "leftImg8bit" / one.split / city / f"{name}_leftImg8bit.png", one.picture)
        if one.split != "test":
            _save(out_dir / "gtFine" / one.split / city / f"{name}_gtFine_labelIds.png", one.label)


def _ade20k(out_dir: Path, drawn: list[Drawn]) -> None:
    for one in drawn:
        folder = {"train": "training", "val": "validation"}[one.split]
        name = f"ADE_{one.split}_{one.number:08d}"
        _save(out_dir / "images" / folder / f"{name}.jpg", one.picture)
        _save(out_dir / "annotations" / folder / f"{name}.png", one.label)


def _lip(out_dir: Path, drawn: list[Drawn]) -> None:
    for split in ("train", "val"):
        names = []
        for one in (one for one in drawn if one.split == split):
            names.append(f"{one.number}_{1000 + one.number}")
            _save(out_dir / "TrainVal_images" / f"{split}_images" / f"{names[-1]}.jpg", one.picture)
            masks = out_dir / "TrainVal_parsing_annotations" / f"{split}_segmentations"
            _save(masks / f"{names[-1]}.png", one.label)
        _write_lines(out_dir / "TrainVal_images" / f"{split}_id.txt", names)


def _pascal_context(out_dir: Path, drawn: list[Drawn]) -> None:
    masks: dict[str, dict[int, Image.Image]] = {"train": {}, "val": {}}
    for one in drawn:
        _save(out_dir / "JPEGImages" / f"2008_{one.number:06d}.jpg", one.picture)
        masks[one.split][2008_000000 + one.number] = Image.fromarray(one.label)
    for split, found in masks.items():
        with atomic_write(out_dir / "PytorchEncoding" / f"{split}.pth") as file:
            torch.save(found, file)


def _coco_stuff(out_dir: Path, drawn: list[Drawn]) -> None:
    names: dict[str, list[str]] = {"train": [], "val": []}
    for one in drawn:
        name = f"COCO_train2014_{one.number:012d}"
        names[one.split].append(name)
        _save(out_dir / "images" / f"{name}.jpg", one.picture)
        with atomic_write(out_dir / "annotations" / f"{name}.mat") as file:
            # Unlabelled pixels have 0 there, not 255.
            scipy.io.savemat(file, {"S": np.where(one.label == 255, 0, one.label).astype(np.uint16)})
    for split, listed in (("train", "train"), ("val", "test")):
        _write_lines(out_dir / "imageLists" / f"{listed}.txt", names[split])


WRITERS: Mapping[str, Callable[[Path, list[Drawn]], None]] = {
    "cityscapes": _cityscapes,
    "ade20k": _ade20k,
    "lip": _lip,
    "pascal_context": _pascal_context,
    "coco_stuff": _coco_stuff,
}
"""Of each benchmark, what writes drawn pictures as its download has them."""


def _save(path: Path, values: np.ndarray) -> None:
    with atomic_write(path, durable=False) as file:
        if path.suffix == ".jpg":
            Image.fromarray(values).save(file, "JPEG", quality=_QUALITY)
        else:
            Image.fromarray(values).save(file, "PNG")


def _write_lines(path: Path, lines: list[str]) -> None:
    with atomic_write(path, "w") as file:
        file.write("".join(f"{line}\n" for line in lines))
