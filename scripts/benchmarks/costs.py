"""What augmentation, losses and network cost against the number of classes, the size of frames and the batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lib.datasets.transforms import build_transforms
from lib.loss import build_pixel_loss
from lib.utils.config import Config
from scripts.benchmarks.losses import masks, passes, samcl
from scripts.benchmarks.measure import Samples, Section, interleaved, number, table
from scripts.benchmarks.plot import draw_costs
from scripts.benchmarks.setup import Setup
from scripts.benchmarks.stepping import BareNetwork

CONFIG = "U_GCL_Occ"
CLASSES, HEIGHTS, BATCHES = (2, 6, 20), (128, 192, 256, 384, 512), (1, 2, 4, 8, 16)
DRAWS = 4  # of TiAug for each image, the same ones for all
PLOT = "costs.png"


@dataclass(frozen=True)
class Case:
    """One setting: classes, height of the frames in pixels (their width is 5/4 of it), images in a batch."""

    classes: int = 6
    height: int = 256
    batch: int = 4

    @property
    def width(self) -> int:
        """Of the frames, pixels."""
        return self.height * 5 // 4

    def __str__(self) -> str:
        return f"{self.classes} classes, {self.height}x{self.width}, batch {self.batch}"

    def work(self, part: str) -> float:
        """Millions of what the cost of a part grows with: mask values for losses, pixels for the others."""
        pixels = self.batch * self.height * self.width / 1e6
        return pixels * self.classes if part in ("RMI", "SAM-CL") else pixels


Costs = Mapping[Case, Mapping[str, Samples]]


def measure_costs(setup: Setup) -> Section:
    """Tables of milliseconds, and what each pixel or mask value costs; a plot."""
    series = {
        "classes": [Case(classes=classes) for classes in CLASSES],
        "height": [Case(height=height) for height in setup.pick(HEIGHTS, HEIGHTS[:3])],
        "batch": [Case(batch=batch) for batch in setup.pick(BATCHES, BATCHES[:4])],
    }
    costs = {}
    for case in dict.fromkeys(case for cases in series.values() for case in cases):
        print(f"   {case}", flush=True)
        costs[case] = _measure(setup, case)
    section = Section("Cost against classes, size and batch")
    section.text.append(
        f"Around {Case()}: milliseconds for a batch, and in brackets nanoseconds for each pixel (TiAug; the network, a "
        "UNET of 16 base channels with cross-entropy, forward and backward in float32) or for each value of the masks "
        "(losses: pixels x classes). What is in brackets is the same in a column where the cost is linear."
    )
    for name, cases in series.items():
        lines = [[str(getattr(case, name)), *(_cell(case, *cost) for cost in costs[case].items())] for case in cases]
        section.text.append(table([name, *costs[cases[0]]], lines))
    section.text.append(f"{greatest_rises(series, costs)}\n\n![costs]({PLOT})")
    draw_costs(setup.folder / PLOT, series, costs)
    return section


def greatest_rises(series: Mapping[str, Sequence[Case]], costs: Costs) -> str:
    """A sentence with the greatest factor by which the cost of a unit of work rises from one setting to the next."""
    rises = []
    for part in next(iter(costs.values())):
        units = [[costs[case][part].median / case.work(part) for case in cases] for cases in series.values()]
        steps = [after / before for each in units for before, after in zip(each, each[1:], strict=False)]
        rises.append(f"{part} {number(max(steps))}")
    return f"Greatest rise of the number in brackets from one line to the next: {', '.join(rises)}."


def _cell(case: Case, part: str, cost: Samples) -> str:
    return f"{number(cost.median)} ({number(cost.median / case.work(part))})"


def _measure(setup: Setup, case: Case) -> dict[str, Samples]:
    """Milliseconds of each part."""
    size = [case.width, case.height]
    config = setup.config(
        *(CONFIG, "costs"),
        data__num_classes=case.classes,
        data__remap_classes="null",
        data__class_names="null",
        data__palette="null",
        train__data_transformer={"input_size": size},
        train_trans__random_crop__crop_size=size,
        network__base_channels=16,
    )
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
    return {name: samples.times(1000 / DRAWS if name == "TiAug" else 1000) for name, samples in seconds.items()}


def _augmentation(config: Config, labels: torch.Tensor) -> Callable[[], None]:
    """TiAug of a batch, :data:`DRAWS` times."""
    sequence = build_transforms(config.train_trans, config.train.data_transformer)
    stored = labels.remainder(256).to(torch.uint8).numpy()  # 255 = ignored, as files hold it
    frames = np.random.default_rng(0).normal(30, 2, stored.shape).astype(np.float32)

    def run() -> None:
        for seed in range(DRAWS):
            for frame, label in zip(frames, stored, strict=True):
                sequence(frame, label, np.random.default_rng(seed))

    return run
