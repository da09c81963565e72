"""What steps cost on the device: against the bare network, in each number format, compiled, and what losses take."""

from collections.abc import Callable, Iterator

import torch

from lib.loss import build_pixel_loss
from lib.models.build import build_network
from lib.utils.config import Config
from lib.utils.device import choose_autocast
from scripts.benchmarks.losses import passes, samcl
from scripts.benchmarks.published_losses import PublishedAuxiliary, published_rmi, published_samcl
from scripts.benchmarks.stepping import BareNetwork
from scripts.gpu_checks.findings import Finding
from scripts.gpu_checks.subject import CLASSES, NETWORKS_TO_TIME, Subject, batch_of, tf32
from segmentor.objectives import build_objective
from segmentor.training.compilation import compile_training
from segmentor.training.step import TrainingModel, TrainingStep

FULL_STEP, LOSS_SHARE = 1.10, 0.08
"""Goals: a full step over the bare network's; the share of SAM-CL and RMI in a UNET's step."""
LOSSES = {"loss": {"loss_type": "rmi_loss"}, "samcl": {}}
FORMATS = {"fp32": (None, False), "TF32": (None, True), "bf16": (torch.bfloat16, False)}
"""Autocast, and whether TF32 is allowed, by name."""


def full_steps(subject: Subject) -> Iterator[Finding]:
    """Every network's step with RMI and SAM-CL against the bare network's, in the device's own number format."""
    for name, shape in cases(subject):
        try:
            bare, full = _bare(subject, name, shape), full_step(subject, subject.config(name, **LOSSES), shape)
            times = [subject.seconds(work) for work in (bare, full)]
            peaks = [subject.peak_gigabytes(work) for work in (bare, full)]
        except RuntimeError as error:
            yield _unfit(subject, f"{name}, {words(shape)}", error)
            continue
        finally:
            bare = full = None
            subject.tidy()
        memory = "" if None in peaks else f"; {peaks[1]:.1f} and {peaks[0]:.1f} GB"
        remark = f"{1000 * times[1]:.1f} ms, bare {1000 * times[0]:.1f} ms{memory}"
        name = f"{name}, {words(shape)}: step with RMI and SAM-CL, over the bare network's"
        yield Finding(name, times[1] / times[0], subject.goal(FULL_STEP), remark=remark)


def number_formats(subject: Subject) -> Iterator[Finding]:
    """The bare network's step in each number format and memory layout."""
    for name, shape in cases(subject):
        times = {}
        for kind, (dtype, allows_tf32) in FORMATS.items():
            for layout in (torch.channels_last, torch.contiguous_format):
                try:
                    with tf32(allows_tf32):
                        bare = _bare(subject, name, shape, dtype, layout)
                        times[kind, layout] = subject.seconds(bare, 3)
                except RuntimeError as error:
                    yield _unfit(subject, f"{name}, {words(shape)}, {kind}", error)
                finally:
                    bare = None
                    subject.tidy()
        remark = "; ".join(
            f"{kind} {1000 * times[kind, torch.channels_last]:.1f} ms, NCHW "
            f"{1000 * times[kind, torch.contiguous_format]:.1f} ms"
            for kind in FORMATS
            if {(kind, torch.channels_last), (kind, torch.contiguous_format)} <= set(times)
        )
        yield Finding(f"{name}, {words(shape)}: bare step in each format, channels last first", remark=remark)


def loss_shares(subject: Subject) -> Iterator[Finding]:
    """What RMI and SAM-CL take of a UNET's step, and against their published forms."""
    shape = cases(subject)[0][1]
    full, plain = (
        subject.seconds(full_step(subject, subject.config("unet", **sections), shape))
        for sections in (LOSSES, {"loss": {"loss_type": "fs_ce_loss"}})
    )
    remark = f"{1000 * full:.1f} ms, with cross-entropy alone {1000 * plain:.1f} ms"
    yield Finding("RMI and SAM-CL, share of a UNET's step", 1 - plain / full, subject.goal(LOSS_SHARE), remark=remark)
    config = subject.config("unet", **LOSSES)
    count, height, width = subject.pick((8, 256, 320), (2, 48, 64))
    logits = torch.randn(count, CLASSES, height, width).to(subject.device).requires_grad_()
    labels = batch_of((count, height, width))[1].to(subject.device)
    auxiliary = PublishedAuxiliary(CLASSES).to(subject.device)
    sides = {
        "RMI": (build_pixel_loss(config), published_rmi),
        "SAM-CL": (samcl(config, subject.device), lambda x, y: published_samcl(x, y, auxiliary)),
    }
    for name, losses in sides.items():
        ours, published = (subject.seconds(passes(loss, logits, labels)) for loss in losses)
        remark = f"{1000 * ours:.2f} ms, published {1000 * published:.2f} ms"
        yield Finding(
            f"{name}, {count}x{CLASSES}x{height}x{width}: over the published form", ours / published, remark=remark
        )


def cases(subject: Subject) -> list[tuple[str, tuple[int, int, int]]]:
    """Networks with the shapes of their batches: (N, H, W)."""
    if not subject.is_gpu:
        return [("unet", (2, 32, 40))]
    if subject.quick:
        return [(name, (16, 256, 320)) for name in NETWORKS_TO_TIME[:3]]
    return [(name, shape) for shape in ((16, 256, 320), (16, 512, 640)) for name in NETWORKS_TO_TIME]


def words(shape: tuple[int, int, int]) -> str:
    return f"{shape[2]}x{shape[1]}, batch {shape[0]}"


def _bare(
    subject: Subject,
    name: str,
    shape: tuple[int, int, int],
    dtype: torch.dtype | None = torch.bfloat16,
    layout: torch.memory_format = torch.channels_last,
) -> Callable[[], object]:
    """A step of the network alone, with cross-entropy, on a batch that is on the device."""
    images, labels = (tensor.to(subject.device) for tensor in batch_of(shape))
    return BareNetwork(subject.config(name), images, labels, dtype, layout).step


def full_step(
    subject: Subject, config: Config, shape: tuple[int, int, int], compiled: bool = False
) -> Callable[[], object]:
    """A step of the real trainer on a batch that is on the device."""
    torch.manual_seed(config.seed)
    model = TrainingModel(build_network(config), build_objective(config)).to(subject.device).train()
    model.network.to(memory_format=torch.channels_last)
    if compiled:
        compile_training(model.network, model.objective)
    step = TrainingStep(model, config, subject.runtime(choose_autocast(subject.device, "bf16")))
    images, labels = (tensor.to(subject.device) for tensor in batch_of(shape))
    return lambda: step({"image": images, "label": labels}, 0)


def _unfit(subject: Subject, name: str, error: RuntimeError) -> Finding:
    """What is said of a case that the device's memory can't hold; another error is raised."""
    if not subject.does_not_fit(error):
        raise error
    return Finding(name, remark="doesn't fit into the device's memory")
