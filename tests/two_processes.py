"""What ``test_distributed.py`` runs in other processes; as a script it is :func:`train`."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import main
from lib.datasets.build import build_eval_loader
from lib.models import NETWORKS, SegOutput
from lib.utils.config import Config, load_config
from lib.utils.distributed import world_from_environment
from lib.utils.runtime import Runtime, start_runtime
from lib.utils.seed import seed_everything
from segmentor.checking.names import check_names
from segmentor.evaluation.evaluator import Batch, evaluate
from segmentor.evaluation.inference import build_inference
from segmentor.trainer import Trainer

CONTRAST = (
    "network.model_name=unet_contrast",
    "contrast.proj_dim=4",
    "contrast.memory_size=50",
    "contrast.warmup_iters=0",
)
WHOLE = ("train_trans.trans_seq=[]",)
"""Frames as they are: every pixel has a class, so that means over pixels are means over frames."""
CASES = {
    "cross-entropy": ("loss.loss_type=fs_ce_loss", *WHOLE),
    "Dice": ("loss.loss_type=dice_loss", *WHOLE),
    "SegGAN": ("loss.loss_type=seggan_loss", *WHOLE),
    "SegAN": ("loss.loss_type=segan_loss",),
    "RMI": ("loss.loss_type=rmi_loss",),
    "SAM-CL": ("loss.loss_type=rmi_loss", "gcl.loss_weight=2", "gcl.apply_spectral_norm=y"),
    "contrast": ("loss.loss_type=contrast_ce_loss", *CONTRAST),
    "memory": ("loss.loss_type=mem_contrast_ce_loss", *CONTRAST),
}
BATCH = 4


def config_of(folder: Path, name: str) -> Config:
    """The config of a case, for a run of its own."""
    pairs = (
        "phase=train",
        f"train.batch_size={BATCH}",
        f"checkpoints.checkpoints_name={name}",
        "checkpoints.overwrite=y",
    )
    return load_config(folder / "small_run.yaml", pairs=[*pairs, *CASES[name]], checks=[check_names])[0]


def one_step(config: Config, runtime: Runtime, batch: Batch | None = None) -> dict[str, Any]:
    """The batch, losses, gradients and buffers of one step with fixed batch statistics.

    Args:
        config: of the run.
        runtime: of this process.
        batch: to train on; None for the first one of the run.
    """
    # As at a run's start: processes draw other weights, and take the first one's.
    seed_everything(config.seed, runtime.world.rank if runtime.world.size > 1 else 0)
    trainer = Trainer(config, runtime)
    for module in [*trainer.network.modules(), *trainer.objective.modules()]:
        module.train(not isinstance(module, _BatchNorm))
    batch = batch or next(iter(trainer.batches))
    result = trainer.step(batch, 0)
    parameters = [*trainer.network.named_parameters(), *trainer.objective.named_parameters()]
    return {
        "batch": {name: batch[name] for name in ("image", "label", "name")},
        "losses": result.losses,
        "gradients": {name: parameter.grad.clone() for name, parameter in parameters},
        "buffers": dict(trainer.objective.named_buffers()),
    }


def scores(config: Config, runtime: Runtime, folders: Sequence[Path]) -> list[tuple[Tensor, int, float | None]]:
    """Confusion matrix, number of frames and loss of an untrained network on each folder."""
    seed_everything(config.seed, runtime.world.rank)
    trainer = Trainer(config, runtime)
    found = []
    for folder in folders:
        place = {"rank": runtime.world.rank, "world_size": runtime.world.size}
        result = evaluate(
            build_inference(config, config.test, trainer.network, runtime),
            build_eval_loader(config, test_dir=str(folder), **place),
            config.data.num_classes,
            criterion=trainer.objective.validation_loss,
        )
        found.append((result.confusion.matrix, result.images, result.loss))
    return found


def compare(folder: Path) -> None:
    """Leave what this process has found of every case in ``FOLDER/compare_RANK.pth``."""
    with start_runtime(config_of(folder, "RMI")) as runtime:
        found = {name: one_step(config_of(folder, name), runtime) for name in CASES}
        found["scores"] = scores(config_of(folder, "cross-entropy"), runtime, [folder / "uneven", folder / "single"])
        torch.save(found, folder / f"compare_{runtime.world.rank}.pth")


class Plain(nn.Module):
    """A network without batch statistics: what it learns does not depend on how a batch is shared out."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, num_classes, 3, padding=1))

    def forward(self, image: Tensor) -> SegOutput:
        return SegOutput(self.layers(image))


def train(folder: Path, *arguments: object) -> None:
    """Run ``main.py`` with network ``plain``; leaves what was written in FOLDER and here in ``written_RANK.json``.

    Raises:
        SystemExit: with the status of ``main.py``, if that isn't 0.
    """
    torch.set_num_threads(1)
    NETWORKS.register("plain", provides=(), backbone=False)(lambda config: Plain(config.data.num_classes))
    written = set()

    def hook(event: str, details: tuple) -> None:
        if event == "open" and isinstance(details[0], str) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.add(details[0])
        elif event in ("os.rename", "os.mkdir", "os.remove", "shutil.rmtree"):
            written.add(os.fspath(details[0]))

    sys.addaudithook(hook)
    status = main.main([str(argument) for argument in arguments])
    ours = sorted(path for path in map(os.path.abspath, written) if path.startswith((str(folder), f"{os.getcwd()}/")))
    (folder / f"written_{world_from_environment().rank}.json").write_text(json.dumps(ours))
    if status:
        sys.exit(status)


if __name__ == "__main__":
    train(Path(sys.argv[1]), *sys.argv[2:])
