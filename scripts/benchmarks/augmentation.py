"""TiAug: this project's sequence beside the published operations, and beside albumentations."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from lib.datasets.dataset import SegmentationDataset, find_samples
from lib.datasets.transforms import build_transforms
from scripts.benchmarks.measure import Row, Samples, Section, at_least, at_most, interleaved
from scripts.benchmarks.published_augmentation import PublishedTiAug
from scripts.benchmarks.setup import Setup, threads

CONFIG = "X_8_SAMCL_Occ"
BUDGET = 2.3  # ms an image

Augment = Callable[[np.ndarray, np.ndarray, np.random.Generator], object]


def measure_tiaug(setup: Setup) -> Section:
    """One thread; milliseconds an image, over the same frames for all."""
    config = setup.config(CONFIG, "tiaug")
    dataset = SegmentationDataset(
        find_samples(config.data.data_dir, ("train",)), config.data.num_classes, config.data.remap_classes
    )
    frames = [dataset[index] for index in range(0, len(dataset), 4)]
    sides: dict[str, Augment] = {
        "ours": build_transforms(config.train_trans, config.train.data_transformer),
        "published": PublishedTiAug(config.data.num_classes, tuple(config.train.data_transformer.input_size)),
    }
    if find_spec("albumentations"):
        from scripts.benchmarks.albumentations_pipeline import AlbumentationsTiAug

        sides["albumentations"] = AlbumentationsTiAug(tuple(config.train.data_transformer.input_size))
    with threads(1):
        seconds = interleaved(
            {name: _over(frames, augment) for name, augment in sides.items()}, setup.pick(15, 5), warmups=1
        )
    times = {name: samples.times(1000 / len(frames)) for name, samples in seconds.items()}
    rows = [
        Row(
            "TiAug, 256x320, one thread, against the published operations",
            *(times["ours"], times["published"], "ms/image", at_least(50)),
        ),
        Row(
            f"TiAug, 256x320, one thread, against {BUDGET} ms",
            *(times["ours"], Samples((BUDGET,)), "ms/image", at_most(1)),
        ),
    ]
    text = [f"Config {CONFIG}, {len(frames)} frames, every repeat with draws of its own, the same number for all."]
    if "albumentations" in times:
        rows.append(
            Row(
                "TiAug, 256x320, one thread, against albumentations",
                *(times["ours"], times["albumentations"], "ms/image", at_least(1)),
            )
        )
    else:
        text.append("albumentations is not installed, so it was not compared with.")
    return Section("TiAug", rows, text)


def _over(frames: list[tuple[np.ndarray, np.ndarray]], augment: Augment) -> Callable[[], None]:
    """Augment all frames, with other draws at every call."""
    rng = np.random.default_rng(0)

    def run() -> None:
        for image, label in frames:
            augment(image, label, rng)

    return run
