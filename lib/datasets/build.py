"""From a config to the loaders of frames; making one checks all its files."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from lib.datasets.dataset import SegmentationDataset, check_unique_names, find_samples, find_test_samples
from lib.datasets.loader import BatchLoader, EndlessBatches, EvalReader, TrainReader, equal_size_batches
from lib.datasets.transforms import TransformSequence, build_transforms, normalize
from lib.utils.config import Config
from lib.utils.config.data_sections import DataTransformer, Transforms

TIAUG = [
    *("random_hflip", "random_vflip", "random_rotate", "gaussian_blur", "thermal_noise"),
    *("random_thermal_occlusion", "random_resize", "random_crop"),
]
"""The published sequence of transforms with TiAug."""


def build_train_loader(
    cfg: Config, start_step: int = 0, rank: int = 0, world_size: int = 1, pin_memory: bool = False
) -> BatchLoader:
    """Endless batches of ``{root}/train`` of each ``data.data_dir``, and of ``val`` with ``include_val``.

    A batch is ``dict(image float32 (B, C, H, W), label int64 (B, H, W) with -1 ignored, name: B stems)``. Its
    content depends on seed and step alone. ``train.batch_size`` counts the frames of all processes together;
    this one gets its equal share B.

    Args:
        cfg: the resolved config.
        start_step: batches that were drawn before; a resumed run goes on exactly there.
        rank, world_size: this process and the number of all.
        pin_memory: page-locked tensors, for copies to CUDA devices.

    Raises:
        ConfigError: ``train.batch_size`` or ``data.remap_classes`` don't fit.
        DataError: folders, pairs or sizes are wrong; while iterating, a file's content is.
    """
    samples = find_samples(cfg.data.data_dir, ("train", "val") if cfg.data.include_val else ("train",))
    dataset = _dataset(cfg, samples)
    batches = EndlessBatches(
        len(dataset), cfg.train.batch_size, cfg.seed, start_step, cfg.data.drop_last, rank, world_size
    )
    transforms = build_transforms(cfg.train_trans, cfg.train.data_transformer)
    read = TrainReader(dataset, transforms, _Normalize(cfg.normalize), cfg.seed)
    return BatchLoader(read, batches, cfg.data.workers, pin_memory, len(dataset))


def build_eval_loader(
    cfg: Config,
    rank: int = 0,
    world_size: int = 1,
    test_dir: str | None = None,
    pin_memory: bool = False,
    unconstrained: bool = False,
    unique_names: bool = False,
    names: Collection[str] | None = None,
) -> BatchLoader:
    """Every frame of ``{root}/val`` of every ``data.data_dir``, or of ``test_dir``, once and at its own size.

    Frames come in sorted order, equal sizes batched together, ``val.batch_size`` (``test.batch_size`` for
    ``test_dir``) at most per process. Processes share the frames without repeating any, so their numbers of
    batches may differ, or be 0. A batch is as in :func:`build_train_loader`, with ``frame`` besides: the list
    of float32 (H, W) or (H, W, C) before normalisation. ``label`` is None if ``test_dir`` has no labels.

    ``unconstrained`` puts every frame and its label under TiAug as published, at the size of training frames
    (``train.data_transformer.input_size``), whatever ``train_trans`` says: one draw per frame, which depends on its
    name and that size alone. Pixels from outside the frame are ignored.

    ``unique_names`` refuses frames of the same name in several folders, for callers that write results by name.
    ``names``: of the frames to read; None for all.

    Raises:
        As :func:`build_train_loader`.
    """
    if test_dir is None:
        samples, batch_size = find_samples(cfg.data.data_dir, ("val",)), cfg.val.batch_size
        if unique_names:
            check_unique_names(samples)
    else:
        samples, batch_size = find_test_samples(test_dir), cfg.test.batch_size
    dataset = _dataset(cfg, [sample for sample in samples if names is None or sample.name in names])
    transform, sizes = None, dataset.sizes
    if unconstrained:
        width, height = cfg.train.data_transformer.input_size
        transform, sizes = _published_tiaug(width, height), [(height, width)] * len(dataset)
    batches = equal_size_batches(sizes, batch_size, rank, world_size)
    read = EvalReader(dataset, _Normalize(cfg.normalize), transform)
    return BatchLoader(read, batches, cfg.data.workers, pin_memory, len(dataset))


def _published_tiaug(width: int, height: int) -> TransformSequence:
    """TiAug with the published parameters, which are the schema's defaults, to (width, height) in pixels."""
    size = [width, height]
    trans = Transforms.model_validate({"trans_seq": TIAUG, "random_crop": {"crop_size": size}})
    return build_transforms(trans, DataTransformer(input_size=size))


def _dataset(cfg: Config, samples: list) -> SegmentationDataset:
    return SegmentationDataset(samples, cfg.data.num_classes, cfg.data.remap_classes, cfg.data.num_channels)


@dataclass(frozen=True)
class _Normalize:
    """:func:`normalize` with a config's section; an object, as lambdas can't be sent to worker processes."""

    section: object

    def __call__(self, image: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
        return normalize(image, valid, self.section)
