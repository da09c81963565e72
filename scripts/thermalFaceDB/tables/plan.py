"""Which cells a table has, and the config of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIGS = Path(__file__).resolve().parents[3] / "configs"


@dataclass(frozen=True)
class Network:
    """A column of a table.

    Attributes:
        title: how readers know it.
        config: in ``configs/thermalFaceDB``, with RMI and without TiAug.
        contrast: what section ``contrast`` says for it, as published where it was.
    """

    title: str
    config: str
    contrast: Mapping[str, Any] = field(default_factory=dict)


_DEEPLAB_CONTRAST = {"proj_dim": 256, "temperature": 0.1, "max_views": 100}

NETWORKS = {
    "U": Network("UNET", "U_Base"),
    "AU": Network("Attention-UNET", "AU_Base"),
    "X_8": Network("DeepLabV3 + Xception (stride 8)", "X_8_Base", _DEEPLAB_CONTRAST),
    "X_16": Network("DeepLabV3 + Xception (stride 16)", "X_16_Base", _DEEPLAB_CONTRAST),
    "R101_8": Network("DeepLabV3 + ResNet-101", "R101_8_Base", _DEEPLAB_CONTRAST),
    "H_48": Network("HRNetV2-W48", "H_48_D_8_RMI", {"proj_dim": 256}),
}
"""By the beginning of their configs' names."""


@dataclass(frozen=True)
class Strategy:
    """A way to train, on top of a network's RMI config.

    Attributes:
        pieces: files of ``configs/_base_``.
        overrides: config sections over these.
        tiaug: train with TiAug.
        contrast: the network returns an embedding and section ``contrast`` is there.
        warm_samcl: SAM-CL's weight rises from 0 over the first quarter of a training from the start; gradients through
            an untrained auxiliary network mislead.
    """

    pieces: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    tiaug: bool = True
    contrast: bool = False
    warm_samcl: bool = False


def _loss(name: str) -> Strategy:
    return Strategy(overrides={"loss": {"loss_type": name}})


BASELINES = {True: "rmi", False: "rmi_without_tiaug"}
"""The strategy that forks start from, by whether they train with TiAug: RMI under the fork's own transforms. From a
baseline under others, a fork would show what a change of transforms does late in a run, not what either does."""

PUBLISHED_SAMCL_WEIGHT = 0.5

STRATEGIES = {
    BASELINES[False]: Strategy(tiaug=False),
    BASELINES[True]: Strategy(),
    "bce": _loss("bce_loss"),
    "dice": Strategy(("dice.json",)),
    "segan": _loss("segan_loss"),
    "seggan": _loss("seggan_loss"),
    "rmi_dice": _loss("rmi_dice_loss"),
    "contrast": Strategy(("contrast.json",), contrast=True),
    "contrast_published": Strategy(("contrast.json",), {"pixel_contrast": {"odd_view": "easy"}}, contrast=True),
    "contrast_two": Strategy(("contrast.json",), {"pixel_contrast": {"max_views": 2}}, contrast=True),
    "samcl": Strategy(("samcl.json",), warm_samcl=True),
    "samcl_paper": Strategy(("samcl.json",), {"samcl": {"mode": "paper", "loss_weight": PUBLISHED_SAMCL_WEIGHT}}),
    "samcl_published": Strategy(
        ("samcl.json",), {"samcl": {"mode": "published", "loss_weight": PUBLISHED_SAMCL_WEIGHT}}
    ),
}
"""By the name that their runs bear."""


@dataclass(frozen=True)
class Row:
    """A row of a table: one of :data:`STRATEGIES` under a title, and the titles of those it is compared to."""

    title: str
    strategy: str
    compared_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Rows and what a reader must know about them."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


_SAMCL_NOTE = (
    "SAM-CL is in mode `overlap` with weight 2 (`configs/_base_/samcl.json`), unless the row names another mode; "
    f"modes `paper` and `published` have the published weight {PUBLISHED_SAMCL_WEIGHT}. The published code's sends the "
    "network no gradient."
)

_CONTROL_NOTE = (
    "SAM-CL in mode `overlap` pulls masks toward the truth as a Dice loss does, so RMI + Dice is its control."
)

TABLES = {
    "ablation": Table(
        "Ablation",
        (
            Row("RMI", "rmi_without_tiaug"),
            Row("RMI + TiAug", "rmi", ("RMI",)),
            Row("RMI + TiAug + SAM-CL", "samcl", ("RMI", "RMI + TiAug", "RMI + TiAug + Dice")),
            Row("RMI + TiAug + SAM-CL (paper)", "samcl_paper", ("RMI + TiAug",)),
            Row("RMI + TiAug + SAM-CL (published)", "samcl_published", ("RMI + TiAug",)),
            Row("RMI + TiAug + Dice", "rmi_dice", ("RMI + TiAug",)),
        ),
        (
            "Without TiAug, training frames are flipped, rotated, blurred, resized and cropped all the same.",
            _SAMCL_NOTE,
            _CONTROL_NOTE,
        ),
    ),
    "strategies": Table(
        "Learning strategies",
        (
            Row("BCE", "bce", ("RMI",)),
            Row("Dice", "dice", ("RMI",)),
            Row("SegAN", "segan", ("RMI",)),
            Row("SegGAN", "seggan", ("RMI",)),
            Row("RMI", "rmi"),
            Row("RMI + Dice", "rmi_dice", ("RMI",)),
            Row("ContrastiveSeg", "contrast", ("RMI",)),
            Row("SAM-CL (overlap)", "samcl", ("RMI", "RMI + Dice")),
            Row("SAM-CL (paper)", "samcl_paper", ("RMI",)),
            Row("SAM-CL (published)", "samcl_published", ("RMI",)),
        ),
        (
            "Every row trains with TiAug, so that rows differ in the loss alone. In the paper only SAM-CL seems to "
            "have had it: its RMI scores are those of its ablation's RMI without TiAug.",
            "ContrastiveSeg is RMI with pixel contrast in the batch, from an eighth of the iterations on "
            "(5000 of 40000, as published), or from the first one in a fork.",
            _SAMCL_NOTE,
            _CONTROL_NOTE,
        ),
    ),
}


@dataclass(frozen=True)
class Cell:
    """One training run, which several tables may share.

    Attributes:
        network, strategy: keys of :data:`NETWORKS` and :data:`STRATEGIES`.
        seed: of the run.
        fork_iters: iterations from the baseline's checkpoint on; None = trained from the start.
    """

    network: str
    strategy: str
    seed: int
    fork_iters: int | None = None

    @property
    def name(self) -> str:
        """Of the run's files."""
        fork = "" if self.fork_iters is None else f"_fork{self.fork_iters}"
        # Forks without TiAug once started from a baseline with it; those are not to be taken for these.
        own = "" if self.baseline is None or STRATEGIES[self.strategy].tiaug else "_own_transforms"
        return f"{self.network}_{self.strategy}_seed{self.seed}{fork}{own}"

    @property
    def baseline(self) -> "Cell | None":
        """The run whose latest checkpoint this one starts from."""
        if self.fork_iters is None:
            return None
        return Cell(self.network, BASELINES[STRATEGIES[self.strategy].tiaug], self.seed)

    @property
    def kind(self) -> str:
        """The checkpoint that is validated: the best, as published; of forks, which are compared at a fixed number of
        iterations, the latest."""
        return "max_performance" if self.fork_iters is None else "latest"


def table_cells(table: Table, seeds: Mapping[str, Sequence[int]], fork_iters: int | None = None) -> list[Cell]:
    """All cells; those that are compared with each other stand together, so that an early stop leaves whole pairs.

    Args:
        table: its rows.
        seeds: of each network.
        fork_iters: of every cell.
    """
    most = max(map(len, seeds.values()))
    return [
        Cell(network, row.strategy, of_network[place], fork_iters)
        for place in range(most)
        for network, of_network in seeds.items()
        if place < len(of_network)
        for row in table.rows
    ]


def cell_config(cell: Cell, max_iters: int) -> dict[str, Any]:
    """The config of a cell, but for where its frames and files are.

    Args:
        cell: what to train.
        max_iters: of runs from the start.
    """
    network, strategy = NETWORKS[cell.network], STRATEGIES[cell.strategy]
    pieces = (*(["tiaug.json"] if strategy.tiaug else []), *strategy.pieces)
    config: dict[str, Any] = {
        "_base_": [
            str(CONFIGS / f"thermalFaceDB/{network.config}.json"),
            *(str(CONFIGS / "_base_" / p) for p in pieces),
        ],
        **strategy.overrides,
        "seed": cell.seed,
    }
    if strategy.contrast:
        warmup = max_iters // 8 if cell.fork_iters is None else 0
        config["pixel_contrast"] = {**network.contrast, **config.get("pixel_contrast", {}), "warmup_iters": warmup}
    if strategy.warm_samcl and cell.fork_iters is None:
        config["samcl"] = {**config.get("samcl", {}), "warmup_iters": max_iters // 4}
    return config
