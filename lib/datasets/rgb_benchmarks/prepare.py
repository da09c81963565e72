"""From a benchmark's download to ``{train,val}/{image,label}``."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from lib.datasets.labels import read_label
from lib.datasets.matlab import read_integers
from lib.datasets.preparation import REMEDY, claim_folder, is_prepared, write_skipped
from lib.datasets.rgb_benchmarks.raw import BENCHMARKS, SPLITS, TEST, RawPicture, find_pictures
from lib.thermal.formats.channels import size_of_channels
from lib.utils.errors import DataError
from lib.utils.files import atomic_write, keep_copy
from lib.utils.labels import IGNORE
from lib.utils.manifest import Manifest
from lib.utils.processes import process_map

CHANNELS = 3
Task = tuple[RawPicture, str, Path]
"""What one process needs for one picture: the picture, the benchmark's name, the folder of the prepared ones."""


@dataclass
class Summary:
    """What :func:`prepare` did.

    Attributes:
        written: number of pictures prepared now, by split.
        kept: number of pictures that were there already, by split.
        skipped: names of pictures that can't be used, with the reason.
    """

    written: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def prepare(
    name: str, raw_dir: str | os.PathLike, out_dir: str | os.PathLike, workers: int = 0, overwrite: bool = False
) -> Summary:
    """Prepare a benchmark for training; pictures that are prepared already, since their files changed, are kept.

    ``out_dir`` becomes ``{train,val}/{image/<name>.{jpg,png}, label/<name>.png}``, and ``test/image`` of the pictures
    whose results a server scores. Labels keep the benchmark's own values, which ``data.remap_classes`` of its config
    makes classes of. Pictures, and labels that are pictures, become hard links where the disk allows it, else copies.

    Args:
        name: one of :data:`lib.datasets.rgb_benchmarks.raw.BENCHMARKS`.
        raw_dir: see :func:`lib.datasets.rgb_benchmarks.raw.find_pictures`.
        out_dir: see above.
        workers: processes; 0 or 1 works in this one.
        overwrite: remove what was prepared into ``out_dir`` before, of whatever benchmark.

    Returns:
        The summary; pictures that couldn't be used are in it and in ``out_dir/skipped.csv``.

    Raises:
        ConfigError: ``out_dir`` is a folder that is read.
        DataError: ``raw_dir`` lacks something, or ``out_dir`` holds another benchmark or pictures that ``raw_dir``
            doesn't hold.
        OutputError: files would be replaced or removed that no preparation wrote.
    """
    raw_dir, out_dir = Path(raw_dir), Path(out_dir)
    if not raw_dir.is_dir():
        raise DataError(f"{raw_dir}: RAW is no folder; of {name} it holds {BENCHMARKS[name].layout}")
    pictures, unusable = find_pictures(name, raw_dir)
    expected = [path for picture in pictures for path in output_paths(picture, out_dir)]
    read = {raw_dir, *(path.parent for picture in pictures for path in _sources(picture))}
    manifest = claim_folder(out_dir, {"benchmark": name}, _outputs(out_dir), expected, overwrite, read)
    summary = Summary(skipped=list(unusable.items()))
    tasks: list[Task] = []
    for picture in pictures:
        made = zip(output_paths(picture, out_dir), _sources(picture), strict=True)
        if all(is_prepared([path], [source]) for path, source in made):  # a link is as old as its own source
            summary.kept[picture.split] += 1
        else:
            tasks.append((picture, name, out_dir))
    manifest.refuse_others([path for picture, *_ in tasks for path in output_paths(picture, out_dir)], REMEDY)
    with process_map(min(workers, len(tasks))) as run:
        outcomes = tqdm(run(_prepare_picture, tasks), total=len(tasks), desc="prepare", unit="picture", disable=None)
        for (picture, *_), reason in zip(tasks, outcomes, strict=True):
            if reason is None:
                summary.written[picture.split] += 1
            else:
                summary.skipped.append((picture.name, reason))
    summary.skipped.sort()
    write_skipped(out_dir, summary.skipped)
    return summary


def output_paths(picture: RawPicture, out_dir: Path) -> list[Path]:
    """Files of a prepared picture: the picture, and but for those of ``test`` its label."""
    image = out_dir / picture.split / "image" / f"{picture.name}{picture.image.suffix}"
    return [image] if picture.label is None else [image, out_dir / picture.split / "label" / f"{picture.name}.png"]


def _sources(picture: RawPicture) -> list[Path]:
    return [picture.image] if picture.label is None else [picture.image, picture.label]


def _outputs(out_dir: Path) -> list[Path]:
    """All prepared files in ``out_dir``, whole or not."""
    folders = [out_dir / split / kind for split in (*SPLITS, TEST) for kind in ("image", "label")]
    return [path for folder in folders for path in sorted(folder.glob("[!.]*"))]


def _prepare_picture(task: Task) -> str | None:
    """Prepare one picture; the image is written last, so an interrupted picture is seen to be incomplete.

    Returns:
        Why it can't be used; None where it can.
    """
    picture, name, out_dir = task
    image_path, *label_paths = output_paths(picture, out_dir)
    try:
        size = size_of_channels(picture.image, CHANNELS)
        label = _label_of(picture, name, size) if label_paths else None
    except DataError as error:
        return str(error)
    with Manifest(out_dir, "prepare").writing(*label_paths, image_path):
        if label is not None and picture.label is not None and picture.label.suffix == ".png":
            _link(picture.label, label_paths[0])
        elif label is not None:
            with atomic_write(label_paths[0], durable=False) as file:
                file.write(cv2.imencode(".png", label)[1])
        _link(picture.image, image_path)
    return None


def _label_of(picture: RawPicture, name: str, size: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8 in the benchmark's own values.

    Raises:
        DataError: unreadable, of another size than ``size``, or with a value that the benchmark doesn't have.
    """
    assert picture.label is not None
    if picture.mask is not None:
        label = np.asarray(picture.mask)
    else:
        label = read_integers(picture.label, "S") if picture.label.suffix == ".mat" else read_label(picture.label)
    if label.dtype.kind not in "iu":
        raise DataError(f"{picture.label}: expected integers for {picture.name}, got {label.dtype}")
    if label.shape != size:
        raise DataError(
            f"{picture.image}: the picture is {size[0]}x{size[1]} (height x width), its label "
            f"{'x'.join(map(str, label.shape))}"
        )
    values = np.unique(label).tolist()
    strangers = [value for value in values if value != IGNORE and value not in BENCHMARKS[name].values]
    if strangers:
        raise DataError(f"{picture.label}: {picture.name} has values that are none of the benchmark's: {strangers[:8]}")
    return label.astype(np.uint8)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    keep_copy(source.resolve(), target)
