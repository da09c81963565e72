"""From a config to the loaders of frames; making one checks all its files."""

import logging
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets.dataset import Sample, SegmentationDataset, check_unique_names, find_samples, find_test_samples
from lib.datasets.loading.bad_samples import BadSamples
from lib.datasets.loading.loader import BatchLoader, EvalReader, TrainReader
from lib.datasets.loading.order import EndlessBatches, equal_size_batches
from lib.datasets.segfix import SegFixTargets
from lib.datasets.transforms import TransformSequence, build_transforms
from lib.datasets.transforms.geometric import FixedResize as FixedResizing
from lib.thermal import Reading, ThermalFrame, normalize
from lib.thermal.plausibility import thinned
from lib.thermal.readers import FrameReader
from lib.utils.config import Config
from lib.utils.config.data_sections import (
    Data,
    DataTransformer,
    FixedResize,
    Normalize,
    RandomCrop,
    RandomResize,
    Transforms,
)
from lib.utils.errors import ConfigError

logger = logging.getLogger("samcl")

_NORMALIZE = ("norm_mode", "clip", "window", "mean", "std", "div_value", "channel_order")

TIAUG = [
    *("random_hflip", "random_vflip", "random_rotate", "gaussian_blur", "thermal_noise"),
    *("random_thermal_occlusion", "random_resize", "random_crop"),
]
"""The published sequence of transforms with TiAug."""

OCCLUSION = ["random_thermal_occlusion"]
"""What of it frames get that otherwise stay as they are."""


def build_train_loader(
    cfg: Config, start_step: int = 0, rank: int = 0, world_size: int = 1, pin_memory: bool = False
) -> BatchLoader:
    """Endless batches of ``{root}/train`` of each ``data.data_dir``, and of ``val`` with ``include_val``.

    A batch is ``dict(image float32 (B, C, H, W), label int64 (B, H, W) with -1 ignored, name: B stems)``. Its
    content depends on seed and step alone. ``train.batch_size`` counts the frames of all processes together;
    this one gets its equal share B.

    Decoded frames stay in memory, ``data.cache_gb`` at most, which its worker processes share. A frame that can't be
    read is an error or, with ``data.on_bad_sample: skip``, replaced: see :class:`TrainReader`, :class:`BadSamples`.

    Args:
        cfg: the resolved config.
        start_step: batches that were drawn before; a resumed run goes on exactly there.
        rank, world_size: this process and the number of all.
        pin_memory: page-locked tensors, for copies to CUDA devices.

    Raises:
        ConfigError: ``train.batch_size``, ``data.remap_classes`` or the size after ``train_trans`` don't fit.
        DataError: folders, pairs or sizes are wrong; while iterating, a file's content is.
    """
    skip = cfg.data.on_bad_sample == "skip"
    splits = ("train", "val") if cfg.data.include_val else ("train",)
    dataset = _dataset(cfg, find_samples(cfg.data.data_dir, splits, allow_lonely=skip), cfg.data.cache_gb, skip)
    for note in dataset.notes:
        logger.info(note)
    bad_samples = BadSamples(cfg.data.max_bad_samples)
    bad_samples.add(dataset.bad)
    _check_fit(cfg, [size for size in dataset.sizes if size])
    batches = EndlessBatches(
        len(dataset), cfg.train.batch_size, cfg.seed, start_step, cfg.data.drop_last, rank, world_size
    )
    transforms = build_transforms(cfg.train_trans, cfg.train.data_transformer)
    max_bad = cfg.data.max_bad_samples if skip else None
    read = TrainReader(
        *(dataset, transforms, partial(normalize, **normalization(cfg.normalize)), cfg.seed, max_bad),
        target=_target(cfg, directions=True),
    )
    if dataset.cache and dataset.cache.count < len(dataset):
        logger.info(
            "data.cache_gb %g holds %d of %d training frames; the others are read anew in every epoch",
            *(cfg.data.cache_gb, dataset.cache.count, len(dataset)),
        )
    width, height = cfg.train.data_transformer.input_size
    batch_bytes = cfg.train.batch_size // world_size * _sample_bytes((height, width), cfg.data.num_channels)
    return BatchLoader(read, batches, cfg.data.workers, pin_memory, dataset, bad_samples, batch_bytes)


def build_eval_loader(
    cfg: Config,
    rank: int = 0,
    world_size: int = 1,
    test_dir: str | None = None,
    pin_memory: bool = False,
    val_aug: str = "none",
    unique_names: bool = False,
    names: Collection[str] | None = None,
    cache_gb: float = 0.0,
    shared_bytes: int = 0,
) -> BatchLoader:
    """Every frame of ``{root}/val`` of every ``data.data_dir``, or of ``test_dir``, once and at its own size.

    Frames come in sorted order, equal sizes batched together, ``val.batch_size`` (``test.batch_size`` for
    ``test_dir``) at most per process. Processes share the frames without repeating any, so their numbers of
    batches may differ, or be 0. A batch is as in :func:`build_train_loader`, with ``frame`` besides: the list
    of float32 (H, W) or (H, W, C) before normalisation. ``label`` is None if ``test_dir`` has no labels.

    ``val_aug`` ``tiaug`` puts every frame and its label under TiAug as published, at the size of training frames
    (``train.data_transformer.input_size``), and ``occlusion`` puts occluders of TiAug on every frame as it
    stands, whatever ``train_trans`` says: one draw per frame, which depends on its name and size alone. Labels
    under an occluder stay; pixels from outside the frame are ignored.

    ``unique_names`` refuses frames of the same name in several folders, for callers that write results by name.
    ``names``: of the frames to read; None for all.
    ``cache_gb``: memory for decoded frames, for callers that iterate more than once.
    ``shared_bytes``: shared memory that the loader of training frames takes beside this one.

    Raises:
        As :func:`build_train_loader`.
    """
    if test_dir is None:
        samples, batch_size = find_samples(cfg.data.data_dir, ("val",)), cfg.val.batch_size
        if unique_names:
            check_unique_names(samples)
    else:
        samples, batch_size = find_test_samples(test_dir), cfg.test.batch_size
    dataset = _dataset(cfg, [sample for sample in samples if names is None or sample.name in names], cache_gb)
    transform, sizes = None, [size for size in dataset.sizes if size]
    if val_aug == "occlusion":
        transform = _published_occlusion()
    elif val_aug == "tiaug":
        width, height = cfg.train.data_transformer.input_size
        transform, sizes = _published_tiaug(width, height), [(height, width)] * len(dataset)
    batches = equal_size_batches(sizes, batch_size, rank, world_size)
    target = _target(cfg, directions=False)
    read = EvalReader(dataset, partial(normalize, **normalization(cfg.normalize)), transform, target)
    batch_bytes = max(
        (len(batch) * _sample_bytes(sizes[batch[0]], cfg.data.num_channels) for batch in batches), default=0
    )
    workers = min(cfg.data.workers, len(batches))
    return BatchLoader(read, batches, workers, pin_memory, dataset, batch_bytes=batch_bytes, taken_bytes=shared_bytes)


def _sample_bytes(size: tuple[int, int], channels: int) -> int:
    """Of a float32 image and an int64 label of this (H, W)."""
    return size[0] * size[1] * (4 * channels + 8)


def reading_of(data: Data) -> Reading:
    """What section ``data`` says about the numbers in the frames' files, in every phase.

    ``grey_range`` is not among it: where frames are only looked at, grey levels stay what they are.

    >>> reading_of(Data(temp_preset="centikelvin")).preset
    'centikelvin'
    """
    width, height = data.raw_size
    return Reading(data.temp_preset, data.temp_scale, data.temp_offset, (width, height), data.axes)


def contrast_in_training(cfg: Config) -> Callable[[Path, ThermalFrame], float]:
    """What measures how far apart the values of a frame are when the network gets it, but for the outermost 0.1 %."""
    reader = FrameReader(_reading_in_training(cfg), cfg.data.num_channels)
    return partial(_contrast, reader, normalization(cfg.normalize))


def _contrast(reader: FrameReader, arguments: dict[str, Any], path: Path, frame: ThermalFrame) -> float:
    values = frame.values if frame.radiometric else reader.read(path).values
    low, high = np.percentile(thinned(normalize(values, **arguments)), (0.1, 99.9))
    return float(high - low)


def normalization(section: Normalize) -> dict[str, Any]:
    """The keyword arguments of :func:`lib.thermal.normalize` that section ``normalize`` says.

    >>> normalization(Normalize(norm_mode=1, clip=[0.0, 40.0]))["clip"]
    [0.0, 40.0]
    """
    return {name: getattr(section, name) for name in _NORMALIZE}


def _published_tiaug(width: int, height: int) -> TransformSequence:
    """TiAug with the published parameters, which are the schema's defaults, to (width, height) in pixels."""
    size = [width, height]
    trans = Transforms.model_validate({"trans_seq": TIAUG, "random_crop": {"crop_size": size}})
    return build_transforms(trans, DataTransformer(input_size=size))


def _published_occlusion() -> TransformSequence:
    """TiAug's occluders, with the published parameters, on every frame and without its turns and scales."""
    return build_transforms(Transforms.model_validate({"trans_seq": OCCLUSION, OCCLUSION[0]: {"ratio": 1.0}}))


def _dataset(cfg: Config, samples: Sequence[Sample], cache_gb: float, keep_bad: bool = False) -> SegmentationDataset:
    data, reading = cfg.data, _reading_in_training(cfg)
    return SegmentationDataset(
        samples, data.num_classes, data.remap_classes, data.num_channels, cache_gb * 1e9, keep_bad, reading
    )


def _target(cfg: Config, directions: bool) -> SegFixTargets | None:
    """What SegFix learns, or with ``directions`` off is scored by; None for all else, which learns the classes."""
    return SegFixTargets(cfg.segfix.max_distance, cfg.segfix.min_pixels, directions) if cfg.learns_boundaries else None


def _reading_in_training(cfg: Config) -> Reading:
    reading, grey_range = reading_of(cfg.data), cfg.data.grey_range
    if grey_range and cfg.normalize.norm_mode is not None:  # mean and std are in the files' numbers
        return replace(reading, grey_range=(grey_range[0], grey_range[1]))
    return reading


def _check_fit(cfg: Config, sizes: Sequence[tuple[int, int]]) -> None:
    """Raise a ConfigError if ``train_trans`` can make a frame of one of ``sizes`` larger than the network's input."""
    largest = [_largest_after(cfg.train_trans, size) for size in set(sizes)]
    height, width = (max(side, default=0) for side in zip(*largest, strict=True)) if largest else (0, 0)
    input_size = cfg.train.data_transformer.input_size
    if width > input_size[0] or height > input_size[1]:
        raise ConfigError(
            f"train.data_transformer.input_size: expected at least {width}x{height} (width x height), which frames can "
            f"have after train_trans, got {input_size[0]}x{input_size[1]}; end train_trans.trans_seq with a "
            "random_crop of ratio 1, or enlarge input_size"
        )


def _largest_after(trans: Transforms, size: tuple[int, int]) -> tuple[int, int]:
    """The greatest (H, W) that the transforms can make of a frame of ``size``."""
    height, width = size
    for name in trans.trans_seq:
        section = getattr(trans, name)
        if section.ratio == 0:
            continue
        larger = height, width
        if isinstance(section, FixedResize):
            transform = FixedResizing(section.target_size, section.min_side_length)
            larger = transform.draw(np.random.default_rng(0), (height, width)).shape
        elif isinstance(section, RandomResize):
            scale, (least, most) = section.scale_range[1], section.aspect_range
            larger = round(height * scale / math.sqrt(least)), round(width * scale * math.sqrt(most))
        elif isinstance(section, RandomCrop) and section.ratio == 1:
            larger = min(height, section.crop_size[1]), min(width, section.crop_size[0])
        height, width = larger if section.ratio == 1 else (max(height, larger[0]), max(width, larger[1]))
    return height, width
