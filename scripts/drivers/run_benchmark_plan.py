"""What the benchmark on real faces runs: its recipe, its tables, and the order of its runs."""

from dataclasses import dataclass

from scripts.thermalFaceDB.tables.plan import Cell, Row, Table

CLONE = "ThermalImagesDataset"
ITERATIONS = 2000
SEEDS = {"U": (0, 1, 2), "AU": (0,), "X_16": (0,), "R101_8": (0,), "H_48": (0,)}
FOLDS = {"1": ["2_Man", "2_Woman"], "2": ["1_Man", "1_Woman"]}
"""Number of the persons to train on, and the persons to validate on."""

RECIPE = f"""
The recipe, fixed before the first counted run:
  Data: each fifth frame of 1_Man, 1_Woman, 2_Man and 2_Woman in DATA_ROOT/{CLONE} (a clone of
  github.com/mat02/{CLONE} with these persons' 20 sequences alone), reduced to 160x120. Two folds: trained on
  1_Man and 1_Woman and validated on 2_Man and 2_Woman, and the reverse. Frames without glasses train. Validation:
  controlled = without glasses; the same frames with an occluder of TiAug on each; unconstrained = with glasses.
  Training: from scratch, {ITERATIONS} iterations of 4 frames, 160x128; networks of a quarter of the published width;
  AdamW, learning rate 0.002, 50 iterations of warm-up, cosine to 0; bf16. Flips, rotation by 20 degrees at most,
  scales of 0.8 to 1.25 and blur with every strategy. SAM-CL (overlap) rises from weight 0 over the first quarter,
  pixel contrast begins after the first eighth. Each run is validated (controlled) every 400 iterations to show whether
  it has flattened, and the weights after the last iteration are what is scored: none are chosen by their scores on the
  persons to validate on.
  Runs, in this order: UNET's ablation and strategies with seed 0 on both folds; the ablation of Attention-UNET,
  DeepLabV3 (Xception, ResNet-101) and HRNetV2 likewise; UNET with seeds 1 and 2.
"""

FURTHER = [
    *("--workers", "0", "--max_iters", str(ITERATIONS), "--train_batch_size", "4", "dataset=drivers"),
    *("data.grey_range=[20,40]", "solver.precision=bf16", "network.base_channels=16"),
    *("solver.test_interval=400", "checkpoints.save_iters=250", "val.batch_size=16", "test.batch_size=16"),
    *("train.data_transformer.input_size=[160,128]", "train_trans.random_crop.crop_size=[160,128]"),
    *("train_trans.random_vflip.ratio=0", "train_trans.random_resize.scale_range=[0.8,1.25]"),
    *("train_trans.random_rotate.low_limit_angle=-20", "train_trans.random_rotate.high_limit_angle=20"),
    *("optim.optim_method=adamw", "lr.base_lr=0.002", "lr.lr_policy=lambda_cosine"),
    *("lr.is_warm=true", "lr.warm.warm_iters=50"),
]
"""The recipe as arguments of ``main.py``."""

_NOTES = (
    "SAM-CL in mode `overlap` pulls masks toward the truth as a Dice loss does, so RMI + TiAug + Dice is its control; "
    "mode `paper` has the paper's distances and weight.",
    "Data: M. Knapik, B. Cyganek, T. Balon, *Multimodal Driver Condition Monitoring System Operating in the "
    "Far-Infrared Spectrum*, Electronics 13(17), 3502, 2024; for academic and research use only. The masks are hulls "
    "of landmarks that the authors' detector predicted, also behind glasses.",
)

TABLES = {
    "ablation": Table(
        "Ablation on real faces",
        (
            Row("RMI", "rmi_without_tiaug"),
            Row("RMI + TiAug", "rmi", ("RMI",)),
            Row("RMI + TiAug + SAM-CL (overlap)", "samcl", ("RMI + TiAug", "RMI + TiAug + Dice")),
            Row("RMI + TiAug + Dice", "rmi_dice", ("RMI + TiAug",)),
            Row("RMI + TiAug + SAM-CL (paper)", "samcl_paper", ("RMI + TiAug", "RMI + TiAug + Dice")),
        ),
        _NOTES,
    ),
    "strategies": Table(
        "Learning strategies on real faces, each with TiAug",
        (
            Row("RMI", "rmi"),
            Row("BCE", "bce", ("RMI",)),
            Row("Dice", "dice", ("RMI",)),
            Row("SegAN", "segan", ("RMI",)),
            Row("SegGAN", "seggan", ("RMI",)),
            Row("ContrastiveSeg (published: one anchor, never hard)", "contrast_published", ("RMI",)),
            Row("ContrastiveSeg (two anchors, one hard)", "contrast_two", ("RMI",)),
            Row("SAM-CL (overlap)", "samcl", ("RMI", "RMI + Dice")),
            Row("SAM-CL (paper)", "samcl_paper", ("RMI", "RMI + Dice")),
            Row("RMI + Dice", "rmi_dice", ("RMI",)),
        ),
        _NOTES,
    ),
}


@dataclass(frozen=True)
class Run:
    """A cell trained on one fold.

    Attributes:
        fold: key of :data:`FOLDS`.
        cell: what to train.
    """

    fold: str
    cell: Cell

    @property
    def pair(self) -> str:
        """What it shares with the runs that it is compared with: fold and seed."""
        return f"{self.fold}:{self.cell.seed}"


def planned_runs() -> list[Run]:
    """All runs, in order: the two folds of a cell side by side, and what is compared close together."""
    groups = [("U", 0, "ablation"), ("U", 0, "strategies")]
    groups += [(network, seeds[0], "ablation") for network, seeds in SEEDS.items()]
    groups += [("U", seed, table) for seed in SEEDS["U"][1:] for table in TABLES]
    cells = [Cell(network, row.strategy, seed) for network, seed, table in groups for row in TABLES[table].rows]
    return [Run(fold, cell) for cell in dict.fromkeys(cells) for fold in FOLDS]
