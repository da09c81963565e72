"""Frames and labels of ``{root}/{train,val}/{image,label}`` folders, or of a folder of frames to test on."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lib.datasets.labels import LabelMap, label_size, read_label
from lib.datasets.loading.cache import FrameCache
from lib.thermal.frame import Reading
from lib.thermal.readers import FRAME_SUFFIXES, FrameReader
from lib.utils.errors import DataError
from lib.utils.text import first_few


class Sample(NamedTuple):
    """The files of one frame: ``name`` is their stem; ``label`` is None if there are no labels."""

    name: str
    image: Path
    label: Path | None


class SegmentationDataset:
    """Reads samples; their pairs and sizes are checked once, when it is made.

    Args:
        samples: from :func:`find_samples` or :func:`find_test_samples`.
        num_classes: number of training classes.
        remap_classes: entry ``v`` is the class of label value ``v``, -1 ignored; None keeps values.
        num_channels: channels of the frames.
        cache_bytes: memory for decoded frames, shared with worker processes; 0 reads the files every time.
        keep_bad: put samples whose files are damaged into :attr:`bad` instead of raising.
        reading: what is known of the frames' numbers; what it leaves open is decided from the numbers, for all frames
            at once.

    Attributes:
        samples: the samples, in the order given.
        sizes: (H, W) of each sample; None of a bad one.
        bad: by index of the sample, what was wrong with its files when this was made.
        notes: what was decided about the frames' numbers.
        cache: the decoded frames; None without.

    Raises:
        ConfigError: ``remap_classes`` doesn't fit ``num_classes``.
        DataError: a file is missing or damaged, has other channels, image and label differ in size, or the unit of
            integers is unclear.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        num_classes: int,
        remap_classes: Sequence[int] | None = None,
        num_channels: int = 1,
        cache_bytes: float = 0,
        keep_bad: bool = False,
        reading: Reading | None = None,
    ) -> None:
        self.samples = tuple(samples)
        self._label_map = LabelMap(num_classes, remap_classes)
        self._reader = FrameReader(reading, num_channels)
        folders = dict.fromkeys(str(sample.image.parent) for sample in self.samples)
        self.notes = self._reader.decide([sample.image for sample in self.samples], first_few(list(folders), 2))
        self.bad: dict[int, str] = {}
        self.sizes = tuple(self._check(index, keep_bad) for index in range(len(self.samples)))
        labelled = any(sample.label for sample in self.samples)
        self.cache = FrameCache(self.sizes, num_channels, labelled, cache_bytes) if cache_bytes > 0 else None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Image float32 (H, W) or (H, W, C); label uint8 (H, W), 255 ignored, or None. Both may be read-only.

        Raises:
            DataError: the image isn't finite, the label has a value without a class, a file is damaged or gone,
                or was so when this was made, or has another size than then.
        """
        if index in self.bad:
            raise DataError(self.bad[index])
        if self.cache and (kept := self.cache.get(index)):
            return kept
        image, label = self._read(index)
        if self.cache:
            self.cache.put(index, image, label)
        return image, label

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray | None]:
        sample = self.samples[index]
        image = self._reader.read(sample.image).values
        expected = self.sizes[index]
        if expected and image.shape[:2] != expected:
            raise DataError(
                f"{sample.image}: the frame is {image.shape[0]}x{image.shape[1]} (height x width) now and was "
                f"{expected[0]}x{expected[1]} when the run started; frames must not change while they are used"
            )
        if sample.label is None:
            return image, None
        label = self._label_map(read_label(sample.label), sample.label)
        _check_sizes(sample, image.shape[:2], label.shape)
        return image, label

    def _check(self, index: int, keep_bad: bool) -> tuple[int, int] | None:
        try:
            return self._size(self.samples[index])
        except DataError as error:
            if not keep_bad:
                raise
            self.bad[index] = str(error)
            return None

    def _size(self, sample: Sample) -> tuple[int, int]:
        size = self._reader.size(sample.image)
        if sample.label is not None:
            _check_sizes(sample, size, label_size(sample.label))
        return size


def _check_sizes(sample: Sample, image: tuple[int, ...], label: tuple[int, ...]) -> None:
    if tuple(image) != tuple(label):
        raise DataError(
            f"{sample.label}: the label is {label[0]}x{label[1]} (height x width), its image {sample.image} "
            f"is {image[0]}x{image[1]}; prepare them anew, from the same frame"
        )


class Pairs(NamedTuple):
    """The files of a folder with ``image/`` and ``label/``.

    Attributes:
        folder: that folder.
        images, labels: paths by stem, sorted.
        repeated: names of image files whose stem another one has.
    """

    folder: Path
    images: dict[str, Path]
    labels: dict[str, Path]
    repeated: list[str]

    @property
    def samples(self) -> list[Sample]:
        """The frames that have a label, by name."""
        return [Sample(name, self.images[name], self.labels[name]) for name in self.images if name in self.labels]

    @property
    def unlabelled(self) -> list[str]:
        """Names of frames without label."""
        return [name for name in self.images if name not in self.labels]

    @property
    def frameless(self) -> list[str]:
        """Names of labels without frame."""
        return [name for name in self.labels if name not in self.images]


def find_pairs(folder: Path) -> Pairs:
    """List ``folder/image`` and ``folder/label``, both of which must exist; hidden files aren't data."""
    images, repeated = _by_stem(folder / "image", FRAME_SUFFIXES)
    return Pairs(folder, images, _by_stem(folder / "label", (".png",))[0], repeated)


def _by_stem(folder: Path, suffixes: tuple[str, ...]) -> tuple[dict[str, Path], list[str]]:
    """Files of ``folder`` with one of ``suffixes`` by stem, sorted, and the names of those whose stem is taken."""
    found: dict[str, Path] = {}
    repeated = []
    for path in sorted(folder.iterdir(), key=lambda path: (path.stem, path.suffix)):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if path.stem in found:
            repeated.append(path.name)
        else:
            found[path.stem] = path
    return found, repeated


def find_samples(roots: Sequence[str | os.PathLike], splits: Sequence[str], allow_lonely: bool = False) -> list[Sample]:
    """All samples of ``{root}/{split}/{image,label}``, by root, split and name.

    Args:
        roots: folders such as ``DATA_ROOT/Processed``.
        splits: ``train``, ``val`` or both.
        allow_lonely: let a frame without label, and a label without frame, be a sample whose other file is missing:
            samples keep their numbers though one file vanishes.

    Raises:
        DataError: a folder is missing or empty, a frame has no label or a label no frame, a stem is in a root
            twice, or a root is named twice.
    """
    resolved = [Path(root).resolve() for root in roots]
    twice = _duplicates(str(root) for root in resolved)
    if twice or not resolved:
        raise DataError(f"data.data_dir: {twice[0]} is named twice" if twice else "data.data_dir: names no folder")
    samples = []
    for root in map(Path, roots):
        found = [sample for split in splits for sample in _samples_of(root, split, allow_lonely)]
        twice = _duplicates(sample.name for sample in found)
        if twice:
            raise DataError(f"{root}: in both {' and '.join(splits)}: {first_few(twice)}; frames may be in one only")
        samples += found
    return samples


def find_test_samples(folder: str | os.PathLike) -> list[Sample]:
    """All frames of ``folder/image``, else ``folder``, with ``folder/label/<stem>.png`` if there are labels.

    Raises:
        DataError: no folder, no frames, a stem twice, or labels for some of the frames only.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; test_dir is a folder of frames, with label/<stem>.png or without")
    images, repeated = _by_stem(folder / "image" if (folder / "image").is_dir() else folder, FRAME_SUFFIXES)
    labels = _by_stem(folder / "label", (".png",))[0] if (folder / "label").is_dir() else {}
    pairs = Pairs(folder, images, labels, repeated)
    _refuse_repeated(pairs)
    if not images:
        raise DataError(f"{folder}: no frames; expected *.npy here or in image/ (or other thermal files)")
    if labels:
        _refuse_unpaired(pairs)
    return [Sample(name, path, labels.get(name)) for name, path in images.items()]


def check_unique_names(samples: Iterable[Sample]) -> None:
    """Raise a DataError if two samples share a name, as one's results would replace the other's."""
    twice = _duplicates(sample.name for sample in samples)
    if twice:
        raise DataError(
            f"several roots of data.data_dir have frames of the same name: {first_few(twice)}; results "
            "are written by name, so evaluate the roots one by one, or rename the frames"
        )


def _samples_of(root: Path, split: str, allow_lonely: bool) -> list[Sample]:
    folder = root / split
    for part in (folder / "image", folder / "label"):
        if not part.is_dir():
            inner = root / "Processed"
            hint = f" Here that is {inner}." if (inner / split).is_dir() else ""
            raise DataError(
                f"{part}: no such folder; data.data_dir is the folder that holds train/ and val/, such as "
                f"the OUT_DIR (DATA_ROOT/Processed) of scripts/thermalFaceDB/prepare_data.sh.{hint}"
            )
    pairs = find_pairs(folder)
    _refuse_repeated(pairs)
    if not pairs.images:
        raise DataError(f"{folder / 'image'}: no frames; expected *.npy (or other thermal files)")
    if not allow_lonely:
        _refuse_unpaired(pairs)
    return [
        Sample(
            name,
            pairs.images.get(name, folder / "image" / f"{name}.npy"),
            pairs.labels.get(name, folder / "label" / f"{name}.png"),
        )
        for name in sorted(pairs.images.keys() | pairs.labels.keys())
    ]


def _refuse_repeated(pairs: Pairs) -> None:
    if pairs.repeated:
        name = pairs.repeated[0]
        kept = pairs.images[Path(name).stem]
        raise DataError(f"{kept.parent}: {kept.name} and {name} have the same stem; keep one")


def _refuse_unpaired(pairs: Pairs) -> None:
    faults = [
        f"{len(lonely)} without {wanted}: {first_few(lonely)}"
        for lonely, wanted in (
            (pairs.unlabelled, "label (expected label/<stem>.png)"),
            (pairs.frameless, "image (expected image/<stem>.npy)"),
        )
        if lonely
    ]
    if faults:
        raise DataError(f"{pairs.folder}: image and label don't pair. {'; '.join(faults)}")


def _duplicates(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
