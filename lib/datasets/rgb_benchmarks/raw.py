"""What the download of each benchmark holds: pictures, labels, splits, and the values that labels may have."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from lib.datasets.rgb_benchmarks.masks import Mask, read_pickled_masks
from lib.utils.errors import DataError
from lib.utils.text import first_few

SPLITS = ("train", "val")
TEST = "test"
"""Pictures without labels, whose results are sent to the benchmark's server."""
_DEPTHS = ("", "*/", "*/*/")
"""Where a folder or list of a download may lie in RAW: unpacked archives often have a folder of their own around it."""


class RawPicture(NamedTuple):
    """One picture of a benchmark.

    Attributes:
        name: of its prepared files, without suffix.
        split: ``train``, ``val`` or ``test``.
        image: the picture.
        label: the file that holds its label; None in ``test``.
        mask: the label itself, where that file holds those of all pictures.
    """

    name: str
    split: str
    image: Path
    label: Path | None
    mask: Mask | None = None


class Found(NamedTuple):
    """What a download holds: ``pictures`` to use, and by name why others are ``unusable``."""

    pictures: list[RawPicture]
    unusable: dict[str, str]


class Benchmark(NamedTuple):
    """How a benchmark's download is laid out.

    Attributes:
        title: its name.
        layout: what RAW holds, for messages.
        values: that pixels of its labels may have beside 255, which is ignored.
        find: the pictures in RAW; a DataError names what is missing.
    """

    title: str
    layout: str
    values: Collection[int]
    find: Callable[[Path], Found]


def _cityscapes(raw: Path) -> Found:
    found = Found([], {})
    pictures, labels = _locate(raw, "leftImg8bit"), _locate(raw, "gtFine")
    for split in SPLITS:
        images = _by_name(_locate(pictures, split).glob("*/*_leftImg8bit.png"), "_leftImg8bit")
        masks = _by_name(_locate(labels, split).glob("*/*_gtFine_labelIds.png"), "_gtFine_labelIds")
        _pair(found, split, images, masks, suffix="_leftImg8bit")
    tests = sorted((pictures / TEST).glob("*/*_leftImg8bit.png"))
    found.pictures.extend(RawPicture(path.stem, TEST, path, None) for path in tests)
    return found


def _ade20k(raw: Path) -> Found:
    found = Found([], {})
    for split, folder in zip(SPLITS, ("training", "validation"), strict=True):
        images, labels = _locate(raw, f"images/{folder}"), _locate(raw, f"annotations/{folder}")
        _pair(found, split, _by_name(images.glob("*.jpg")), _by_name(labels.glob("*.png")))
    return found


def _lip(raw: Path) -> Found:
    found = Found([], {})
    for split in SPLITS:
        images, labels = _locate(raw, f"{split}_images"), _locate(raw, f"{split}_segmentations")
        names = _lines(_locate(raw, f"{split}_id.txt"))
        _pair(found, split, _by_name(images.glob("*.jpg")), _by_name(labels.glob("*.png")), names)
    return found


def _pascal_context(raw: Path) -> Found:
    found = Found([], {})
    images = _by_name(_locate(raw, "JPEGImages").glob("*.jpg"))
    for split in SPLITS:
        path = _locate(raw, f"PytorchEncoding/{split}.pth")
        for number, mask in read_pickled_masks(path).items():
            name = f"{number:010d}"
            name = f"{name[:4]}_{name[4:]}"  # a year and six digits, as PASCAL VOC names pictures
            if name in images:
                found.pictures.append(RawPicture(name, split, images[name], path, mask))
            else:
                found.unusable[name] = f"{path}: has a mask of it, but there is no JPEGImages/{name}.jpg"
    return found


def _coco_stuff(raw: Path) -> Found:
    found = Found([], {})
    images = _by_name(_locate(raw, "images").glob("*.jpg"))
    labels = _by_name(_locate(raw, "annotations").glob("*.mat"))
    for split, listed in zip(SPLITS, ("train", "test"), strict=True):
        _pair(found, split, images, labels, _lines(_locate(raw, f"imageLists/{listed}.txt")))
    return found


_COCO_HOLES = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91}
"""Numbers below 183 that are no class of COCO-Stuff."""

BENCHMARKS: Mapping[str, Benchmark] = {
    "cityscapes": Benchmark(
        "Cityscapes",
        "leftImg8bit/{train,val}/CITY/*_leftImg8bit.png and gtFine/{train,val}/CITY/*_gtFine_labelIds.png, and "
        "leftImg8bit/test if its results are wanted (leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip)",
        range(34),
        _cityscapes,
    ),
    "ade20k": Benchmark(
        "ADE20K",
        "images/{training,validation}/*.jpg and annotations/{training,validation}/*.png (ADEChallengeData2016.zip)",
        range(151),
        _ade20k,
    ),
    "lip": Benchmark(
        "LIP",
        "{train,val}_images/*.jpg, {train,val}_segmentations/*.png, train_id.txt and val_id.txt (TrainVal_images.zip "
        "and TrainVal_parsing_annotations.zip)",
        range(20),
        _lip,
    ),
    "pascal_context": Benchmark(
        "PASCAL-Context",
        "JPEGImages/*.jpg (of PASCAL VOC 2010) and PytorchEncoding/{train,val}.pth (masks of 59 classes, which "
        "PyTorch-Encoding made of the benchmark's)",
        range(60),
        _pascal_context,
    ),
    "coco_stuff": Benchmark(
        "COCO-Stuff 10k",
        "images/*.jpg, annotations/*.mat, imageLists/train.txt and imageLists/test.txt, whose pictures validate "
        "(cocostuff-10k-v1.1.zip)",
        [value for value in range(183) if value not in _COCO_HOLES],
        _coco_stuff,
    ),
}
"""By the name of their scripts' folder and of their config."""


def find_pictures(name: str, raw_dir: Path) -> Found:
    """The pictures in a download, sorted by split and name.

    Args:
        name: one of :data:`BENCHMARKS`.
        raw_dir: see :attr:`Benchmark.layout`; folders in it may lie one or two folders deeper.

    Raises:
        DataError: a folder or list is missing, damaged or empty; says which, and what is expected.
    """
    benchmark = BENCHMARKS[name]
    try:
        found = benchmark.find(raw_dir)
        empty = [split for split in SPLITS if split not in {picture.split for picture in found.pictures}]
        if empty:
            why = f": {first_few(list(found.unusable.values()), 2, '; ')}" if found.unusable else ""
            raise DataError(f"{raw_dir}: no labelled pictures of {' and '.join(empty)}{why}")
    except DataError as error:
        raise DataError(f"{error}. RAW of {benchmark.title} holds {benchmark.layout}") from error
    found.pictures.sort(key=lambda picture: (picture.split, picture.name))
    return found


def _locate(folder: Path, name: str) -> Path:
    """The folder or file ``name`` in ``folder`` or up to two folders deeper."""
    places = (place for depth in _DEPTHS for place in sorted(folder.glob(depth + name)))
    place = next(places, None)
    if place is None:
        raise DataError(f"{folder / name}: not there")
    return place


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: unreadable list of pictures ({error})") from error


def _by_name(paths: Iterable[Path], suffix: str = "") -> dict[str, Path]:
    """Files by their stem without ``suffix``; hidden ones aren't data."""
    return {path.stem.removesuffix(suffix): path for path in paths if not path.name.startswith(".")}


def _pair(
    found: Found,
    split: str,
    images: Mapping[str, Path],
    labels: Mapping[str, Path],
    names: Iterable[str] | None = None,
    suffix: str = "",
) -> None:
    """Add the pictures that have a label, of ``names`` or all; ``suffix`` ends the names of their prepared files."""
    for name in dict.fromkeys(sorted(images.keys() | labels.keys()) if names is None else names):
        missing = [kind for kind, files in (("picture", images), ("label", labels)) if name not in files]
        if missing:
            found.unusable[name] = f"{split}: {name} has no {' and no '.join(missing)}"
        else:
            found.pictures.append(RawPicture(name + suffix, split, images[name], labels[name]))
