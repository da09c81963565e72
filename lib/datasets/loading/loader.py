"""Batches that are read and transformed in this process or ahead in others, which changes nothing in them."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, get_worker_info

from lib.datasets.dataset import SegmentationDataset
from lib.datasets.loading.bad_samples import BadSamples
from lib.datasets.loading.shared_memory import AHEAD, REMEDY, check_shared_memory, in_shared_memory
from lib.datasets.loading.worker import start_worker
from lib.utils.errors import DataError
from lib.utils.labels import IGNORE
from lib.utils.machine import available_cores

Normalize = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
Target = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
Transform = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray | None]]


class TrainReader:
    """Reads, transforms and normalises training batches; every sample of an epoch has its own random stream.

    Args:
        dataset: with labels.
        transform: (image, label, generator) -> (image, label, valid), all samples of one size.
        normalize: (image, valid) -> image.
        seed: first word of every sample's seed, before epoch and index.
        max_bad: None: a sample that can't be read is an error. Else another one takes its place, which follows from
            seed, epoch, index and which samples can be read, alone; its random stream is that of the place. A batch
            for which more than ``max_bad`` samples can't be read holds nothing but ``bad``.
        target: (label, valid) -> what is learnt in place of the label's classes, uint8 (H, W), 255 ignored; None = they
            are.
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        transform: Transform,
        normalize: Normalize,
        seed: int,
        max_bad: int | None = None,
        target: Target | None = None,
    ) -> None:
        self._dataset = dataset
        self._transform = transform
        self._normalize = normalize
        self._seed = seed
        self._max_bad = max_bad
        self._target = target

    def __call__(self, keys: Iterable[tuple[int, int]]) -> dict[str, Any]:
        """``image`` float32 (B, C, H, W), ``label`` int64 (B, H, W) with -1 ignored, ``name``: B stems; and ``bad``:
        why samples couldn't be read, by index."""
        images, labels, names = [], [], []
        bad: dict[int, str] = {}
        for epoch, index in keys:
            used = self._first_readable(epoch, index, bad)
            if used is None:
                return {"bad": bad}
            rng = np.random.default_rng([self._seed, epoch, index])
            image, label, valid = self._transform(*used[1], rng)
            images.append(self._normalize(image, valid))
            labels.append(self._target(label, valid) if self._target else label)
            names.append(self._dataset.samples[used[0]].name)
        return {"image": image_tensor(images), "label": label_tensor(labels), "name": names, "bad": bad}

    def _first_readable(
        self, epoch: int, index: int, bad: dict[int, str]
    ) -> tuple[int, tuple[np.ndarray, np.ndarray]] | None:
        """A sample's index, image and label; adds to ``bad``, and is None if that has too many.

        Raises:
            DataError: the sample can't be read and nothing may take its place, or no sample can be read.
        """
        if self._max_bad is None:
            return index, self._labelled(index)
        for candidate in self._candidates(epoch, index):
            try:
                return candidate, self._labelled(candidate)
            except DataError as error:
                bad[candidate] = str(error)
            if len(bad) > self._max_bad:
                return None
        raise DataError(f"no training frame can be read: {'; '.join(bad.values())}")

    def _labelled(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, label = self._dataset[index]
        if label is None:
            raise DataError(f"{self._dataset.samples[index].image}: no label; frames to train on have one")
        return image, label

    def _candidates(self, epoch: int, index: int) -> Iterator[int]:
        """The sample itself, then all in an order of its own."""
        yield index
        # the fourth word sets the stream apart from those of the samples and of the order of an epoch
        yield from np.random.default_rng([self._seed, epoch, index, 2]).permutation(len(self._dataset)).tolist()


class EvalReader:
    """Reads and normalises batches of equal-sized frames, as they are or under a transform.

    A frame that can't be read is always an error: scores of different sets of frames can't be compared, and which
    checkpoint is the best would depend on a broken file.

    Args:
        dataset: with labels or without.
        normalize: (image, valid) -> image.
        transform: as of :class:`TrainReader`. Every frame has a random stream that depends on its name alone: not on
            the batch it is in, the other frames or any seed.
        target: as of :class:`TrainReader`.
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        normalize: Normalize,
        transform: Transform | None = None,
        target: Target | None = None,
    ) -> None:
        self._dataset = dataset
        self._normalize = normalize
        self._transform = transform
        self._target = target

    def __call__(self, indices: Iterable[int]) -> dict[str, Any]:
        """As :class:`TrainReader`; ``label`` may be None; ``frame``: the images before normalisation."""
        frames, labels, valid = zip(*map(self._read, indices), strict=True)
        return {
            "image": image_tensor(list(map(self._normalize, frames, valid))),
            "label": None if labels[0] is None else label_tensor(labels),
            "frame": list(frames),
            "name": [self._dataset.samples[index].name for index in indices],
        }

    def _read(self, index: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Image, label or None, and valid, None where every pixel is."""
        image, label = self._dataset[index]
        valid = None
        if self._transform is not None:
            rng = np.random.default_rng(list(os.fsencode(self._dataset.samples[index].name)))
            unlabelled = np.full(image.shape[:2], IGNORE, np.uint8)
            image, moved, valid = self._transform(image, unlabelled if label is None else label, rng)
            label = None if label is None else moved
        if self._target is not None and label is not None:
            label = self._target(label, valid)
        return image, label, valid


def image_tensor(images: Sequence[np.ndarray]) -> torch.Tensor:
    """Stack images (H, W) or (H, W, C) to float32 (N, C, H, W)."""
    batch = torch.from_numpy(np.stack(images).astype(np.float32, copy=False))
    return batch[:, None] if batch.ndim == 3 else batch.permute(0, 3, 1, 2).contiguous()


def label_tensor(labels: Sequence[np.ndarray]) -> torch.Tensor:
    """Stack labels uint8 (H, W) to int64 (N, H, W), 255 becoming -1."""
    batch = torch.from_numpy(np.stack(labels).astype(np.int64))
    return batch.masked_fill_(batch == IGNORE, -1)


@contextmanager
def ends_of_workers_told() -> Iterator[None]:
    """Makes a DataError with the remedy of PyTorch's error that a worker has ended, which comes at any time.

    Raises:
        DataError: a worker has ended.
    """
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise DataError(
            f"a process that loads frames has ended ({error}); what it said of it is above. If it had too little "
            f"memory, {REMEDY}"
        ) from error


class BatchLoader:
    """Iterates over read batches, in this process or in workers that read ahead.

    A DataError of a worker is raised here as it was there, without the worker's traceback. Whatever else ends a worker
    ends the iteration.

    Args:
        read: keys -> batch; its ``bad`` is counted and goes no further.
        batches: the keys of each batch.
        workers: processes that read, at most as many as there are cores for; 0 reads in this one.
        pin_memory: put tensors into page-locked memory, for copies to CUDA devices.
        dataset: that is read from.
        bad_samples: counts what couldn't be read.
        batch_bytes: of the tensors of the largest batch.
        taken_bytes: shared memory that other loaders of this process will take.

    Attributes:
        num_samples: samples of the data set, over all processes.
        cache_gb: memory that its decoded frames take.
        shared_bytes: shared memory that batches on their way from the workers take, at most.

    Raises:
        DataError: there isn't as much shared memory.
    """

    def __init__(
        self,
        read: Callable[[Any], dict[str, Any]],
        batches: Iterable[list],
        workers: int,
        pin_memory: bool,
        dataset: SegmentationDataset,
        bad_samples: BadSamples | None = None,
        batch_bytes: int = 0,
        taken_bytes: int = 0,
    ) -> None:
        workers = min(workers, available_cores())
        self.shared_bytes = (AHEAD * workers + 1) * batch_bytes if workers else 0
        check_shared_memory(workers, self.shared_bytes, taken_bytes)
        self.num_samples = len(dataset)
        self.cache_gb = dataset.cache.nbytes / 1e9 if dataset.cache else 0.0
        self._bad_samples = bad_samples or BadSamples(0)
        self._loader: DataLoader = DataLoader(
            _Batches(read),
            batch_sampler=batches,
            num_workers=workers,
            prefetch_factor=AHEAD if workers else None,
            collate_fn=_unchanged,
            pin_memory=pin_memory,
            persistent_workers=workers > 0,
            worker_init_fn=start_worker,
            generator=torch.Generator(),  # else every iteration would draw from the global one
        )
        self._begun: Iterator[Any] | None = None

    def begin(self) -> None:
        """Start the workers: they read the first batches while this process does something else before it iterates."""
        self._begun = iter(self._loader)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self._from_workers():
            if isinstance(batch, DataError):
                raise DataError(
                    str(batch)
                )  # not itself: it and this frame would keep each other, and the workers, alive
            self._bad_samples.add(batch.pop("bad", {}))
            yield batch

    def _from_workers(self) -> Iterator[Any]:
        with ends_of_workers_told():
            batches, self._begun = iter(self._loader) if self._begun is None else self._begun, None
            yield from batches

    def __len__(self) -> int:
        """Number of batches; a TypeError if they are endless."""
        return len(self._loader)


class _Batches(Dataset):
    """The DataLoader's view of a reader: a batch's keys at once, errors as values so that they arrive whole."""

    def __init__(self, read: Callable[[Any], dict[str, Any]]) -> None:
        self._read = read

    def __getitems__(self, keys: list) -> dict[str, Any] | DataError:
        try:
            batch = self._read(keys)
        except DataError as error:
            return DataError(str(error))
        return batch if get_worker_info() is None else in_shared_memory(batch)


def _unchanged(batch: Any) -> Any:
    return batch
