"""What augmentation, losses and network cost against the number of classes, the size of frames and the batch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lib.datasets.transforms import TransformSequence, build_transforms
from lib.loss import build_pixel_loss
from lib.utils.config import Config
from scripts.benchmarks.losses import masks, passes, samcl
from scripts.benchmarks.measure import Samples, Section, interleaved, table
from scripts.benchmarks.plot import draw_costs
from scripts.benchmarks.setup import Setup
from scripts.benchmarks.stepping import BareNetwork

CONFIG = "U_GCL_Occ"
CLASSES, SIZES, BATCHES = (2, 6, 20), (128, 192, 256, 384, 512), (1, 2, 4, 8, 16)
PLAIN = (6, 256, 4)
PLOT = "costs.png"


@dataclass(frozen=True)
class Case:
    """One setting: classes, height of the frames (their width is 5/4 of it), images in a batch."""

    classes: int
    height: int
    batch: int

    @property
    def width(self) -> int:
        return self.height * 5 // 4

    @property
    def work(self) -> float:
        """Millions of mask values."""
        return self.classes * self.batch * self.height * self.width / 1e6


def measure_costs(setup: Setup) -> Section:
    """Tables with milliseconds, and with nanoseconds for each value of a mask; a plot of the former."""
    plain_classes, plain_height, plain_batch = PLAIN
    series = {
        "classes": [Case(classes, plain_height, plain_batch) for classes in CLASSES],
        "height": [Case(plain_classes, height, plain_batch) for height in setup.pick(SIZES, SIZES[:3])],
        "batch": [Case(plain_classes, plain_height, batch) for batch in setup.pick(BATCHES, BATCHES[:4])],
    }
    costs = {}
    for case in dict.fromkeys(case for cases in series.values() for case in cases):
        print(f"   {case}", flush=True)
        costs[case] = _measure(setup, case)
    section = Section("Cost against classes, size and batch")
    section.text.append(
        f"Around {plain_classes} classes, frames of {plain_height}x{plain_height * 5 // 4} and batches of {plain_batch}: "
        "milliseconds for a batch, and in brackets nanoseconds for each value of its masks (classes x pixels x images), "
        "which stay about the same where the cost is linear (TiAug and the network depend on the pixels, hardly on the "
        "classes). The network is a UNET of 16 base channels, forward and backward with cross-entropy, float32."
    )
    for name, cases in series.items():
        lines = [[str(getattr(case, name)), *(_cell(case, cost) for cost in costs[case].values())] for case in cases]
        section.text.append(table([name, *costs[cases[0]]], lines))
    draw_costs(setup.folder / PLOT, series, costs)
    section.text.append(f"![costs]({PLOT})")
    return section


def _cell(case: Case, cost: Samples) -> str:
    return f"{cost.median:.3g} ({cost.median / case.work:.3g})"


def _measure(setup: Setup, case: Case) -> dict[str, Samples]:
    """Milliseconds of each part."""
    values = {
        "data__num_classes": case.classes,
        "data__remap_classes": "null",
        "data__class_names": "null",
        "data__palette": "null",
    }
    if case.classes == 2:
        values["gcl__negative"] = "derangement"
    size = [case.width, case.height]
    values |= {
        "train__data_transformer": {"input_size": size},
        "train_trans__random_crop__crop_size": size,
        "network__base_channels": 16,
    }
    config = setup.config(CONFIG, "costs", **values)
    logits, labels = masks((case.batch, case.classes, case.height, case.width))
    images = torch.randn(case.batch, 1, case.height, case.width)
    seconds = interleaved(
        {
            "TiAug": _augmentation(config, labels),
            "RMI": passes(build_pixel_loss(config), logits, labels),
            "SAM-CL": passes(samcl(config), logits, labels),
            "network": BareNetwork(config, images, labels, None).step,
        },
        setup.pick(7, 3),
    )
    return {name: samples.times(1000) for name, samples in seconds.items()}


def _augmentation(config: Config, labels: torch.Tensor) -> Callable[[], None]:
    """TiAug of a batch, with the same draws at every call, so that sizes compare."""
    sequence: TransformSequence = build_transforms(config.train_trans, config.train.data_transformer)
    frames = [(np.random.default_rng(1).normal(30, 2, each.shape).astype(np.float32), each) for each in _bytes(labels)]

    def run() -> None:
        rng = np.random.default_rng(0)
        for image, label in frames:
            sequence(image, label, rng)

    return run


def _bytes(labels: torch.Tensor) -> list[np.ndarray]:
    """Labels as files hold them: uint8, 255 = ignored."""
    return list(labels.remainder(256).to(torch.uint8).numpy())
