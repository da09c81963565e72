"""Whether training on the device is as it should be: scaling, resuming, no waiting, batches, processes."""

import io
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lib.datasets.build import build_train_loader
from lib.models.build import build_network
from lib.utils.config import load_config
from lib.utils.device import pin_memory
from lib.utils.seed import seed_everything
from scripts.gpu_checks.findings import Finding
from scripts.gpu_checks.subject import Subject, batch_of
from scripts.small_run import prepare as prepare_run
from segmentor.objectives import Objective, build_objective
from segmentor.training.step import TrainingModel, TrainingStep

REPO = Path(__file__).resolve().parents[2]
SHAPE = (4, 64, 80)
STEPS, INTERRUPTED_AT = 6, 3
OVERFLOWING = 2.0**24
"""A scale of gradients at which float16 overflows."""


class Training:
    """A small UNET with RMI and SAM-CL in steps of the real trainer, on batches that depend on their number alone.

    Args:
        subject: whose device trains.
        dtype: number format.
        prepare: called with network and objective before the first step.
    """

    def __init__(
        self,
        subject: Subject,
        dtype: torch.dtype | None = None,
        prepare: Callable[[nn.Module, Objective], None] | None = None,
    ) -> None:
        seed_everything(0)
        config = subject.config("unet", loss={"loss_type": "rmi_loss"}, samcl={}, network={"base_channels": 8})
        self.model = TrainingModel(build_network(config), build_objective(config)).to(subject.device).train()
        self.model.network.to(memory_format=torch.channels_last)
        if prepare is not None:
            prepare(self.model.network, self.model.objective)
        self.step = TrainingStep(self.model, config, subject.runtime(dtype))
        self.device = subject.device

    def run(self, first: int, end: int) -> Tensor:
        """Do steps ``first`` to ``end - 1``; the losses, (steps, terms) on the device."""
        losses = []
        for index in range(first, end):
            images, labels = (tensor.to(self.device) for tensor in batch_of(SHAPE, index))
            result = self.step({"image": images, "label": labels}, index)
            losses.append(torch.stack([*result.losses.values()]))
        return torch.stack(losses)

    def weights(self) -> Tensor:
        """All parameters, flat, on the CPU."""
        return torch.cat([parameter.detach().flatten().cpu() for parameter in self.model.parameters()])

    def saved(self) -> bytes:
        """All that a resumed run needs, as a checkpoint holds it."""
        content = {
            **{"network": self.model.network.state_dict(), "objective": self.model.objective.state_dict()},
            "step": self.step.state_dict(),
        }
        torch.save(content, buffer := io.BytesIO())
        return buffer.getvalue()

    def restore(self, saved: bytes) -> None:
        """Go on from :meth:`saved`."""
        content = torch.load(io.BytesIO(saved), map_location=self.device, weights_only=True)
        self.model.network.load_state_dict(content["network"])
        self.model.objective.load_state_dict(content["objective"])
        self.step.load_state_dict(content["step"])


def scaling(subject: Subject) -> Iterator[Finding]:
    """A step in float16 whose gradients overflow changes nothing and halves the scale; later ones learn."""
    training = Training(subject, torch.float16)
    state = training.step.state_dict()
    state["scaler"]["scale"] = OVERFLOWING
    training.step.load_state_dict(state)
    before = training.weights()
    training.run(0, 1)
    unchanged, scale = torch.equal(before, training.weights()), training.step.state_dict()["scaler"]["scale"]
    yield Finding.verdict(
        "fp16: an overflowing step changes no weight and halves the scale", unchanged and scale == OVERFLOWING / 2
    )
    done = 1
    while torch.equal(before, training.weights()) and done < 40:
        training.run(done, done + 1)
        done += 1
    remark = f"from 2^24, after {done} steps"
    yield Finding.verdict("fp16: the scale shrinks until steps learn", not training.weights().equal(before), remark)


def resuming(subject: Subject) -> Iterator[Finding]:
    """Six steps, and three that are saved and resumed for three more: the same bits."""
    with _deterministic() as warned:
        whole = Training(subject)
        losses = whole.run(0, STEPS)
        first = Training(subject)
        first.run(0, INTERRUPTED_AT)
        resumed = Training(subject)
        resumed.restore(first.saved())
        same = torch.equal(losses[INTERRUPTED_AT:], resumed.run(INTERRUPTED_AT, STEPS))
        same = same and torch.equal(whole.weights(), resumed.weights())
    messages = (str(warning.message) for warning in warned)
    names = sorted({message.partition(" ")[0] for message in messages if "deterministic" in message})
    remark = f"not deterministic: {', '.join(names)}" if names else "every operation is deterministic"
    yield Finding.verdict("a resumed run ends with the same bits", same, remark)


def waiting(subject: Subject) -> Iterator[Finding]:
    """No step makes the CPU wait for the device."""
    training = Training(subject, torch.bfloat16)
    training.run(0, 2)
    images, labels = (tensor.to(subject.device) for tensor in batch_of(SHAPE))
    if subject.is_gpu:
        torch.cuda.set_sync_debug_mode("error")
    error = ""
    try:
        training.step({"image": images, "label": labels}, 2)
    except RuntimeError as reason:
        error = str(reason).partition("\n")[0]
    finally:
        if subject.is_gpu:
            torch.cuda.set_sync_debug_mode("default")
    yield Finding.verdict("a step waits for nothing", not error, error)


def batches(subject: Subject) -> Iterator[Finding]:
    """Batches of TiAug arrive as they were made, from page-locked memory."""
    with TemporaryDirectory() as folder:
        config = load_config(prepare_run(Path(folder)), {}, [])[0]
        here = next(iter(build_train_loader(config)))
        batch = next(iter(build_train_loader(config, pin_memory=pin_memory(subject.device))))
    images = subject.runtime().to_device(batch["image"])
    labels = batch["label"].to(subject.device, non_blocking=True)
    subject.synchronise()
    same = torch.equal(images.cpu(), here["image"]) and torch.equal(labels.cpu(), here["label"])
    yield Finding.verdict("batches of TiAug arrive as they were made", same)
    if subject.is_gpu:
        yield Finding.verdict("batches are in page-locked memory", batch["image"].is_pinned())


def processes(subject: Subject) -> Iterator[Finding]:
    """A process group of one, and training on all visible GPUs."""
    backend = "nccl" if subject.is_gpu else "gloo"
    dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    try:
        alone = nn.Conv2d(1, 2, 3).to(subject.device)
        together = DistributedDataParallel(nn.Conv2d(1, 2, 3).to(subject.device))
        together.module.load_state_dict(alone.state_dict())
        image = torch.randn(2, 1, 8, 8).to(subject.device)
        for network in (alone, together):
            network(image).square().mean().backward()
        gradients = [parameter.grad for parameter in (alone.weight, together.module.weight)]
        yield Finding.verdict(f"{backend} with one process keeps gradients", torch.allclose(*gradients))
    finally:
        dist.destroy_process_group()
    count = torch.cuda.device_count() if subject.is_gpu else 0
    if count < 2:
        yield Finding("training on several GPUs", remark=f"not tried: {count} visible")
        return
    with TemporaryDirectory() as folder:
        command = [
            "main.py",
            "--configs",
            str(prepare_run(Path(folder))),
            "--phase",
            "train",
            "--gpu",
            *map(str, range(count)),
        ]
        command += ["solver.max_iters=4", f"train.batch_size={2 * count}"]
        done = subprocess.run([sys.executable, *command], cwd=REPO, capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip().splitlines()
    yield Finding.verdict(
        f"training on {count} GPUs", done.returncode == 0, said[-1] if done.returncode and said else ""
    )


@contextmanager
def _deterministic() -> Iterator[list[warnings.WarningMessage]]:
    """Deterministic algorithms where there are some; yields what PyTorch says of the others."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield warned
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = before
