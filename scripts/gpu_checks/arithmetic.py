"""Whether the device computes what the CPU does: networks, losses, SAM-CL, with gradients."""

import copy
from collections.abc import Collection, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.sam_cl import MODES
from lib.models.build import build_network
from lib.models.output import SegOutput
from scripts.gpu_checks.findings import Finding
from scripts.gpu_checks.subject import CLASSES, Subject, batch_of, networks_to_compare, relative_error, tf32
from segmentor.objectives import Objective, build_objective, loss_types

SHAPE = (4, 64, 80)
BACKBONES = ("resnet18_dilated8", "xception_16")
"""Of networks that have a choice; the trial on a CPU takes the first."""
WIRED, EXACT, TF32 = 1e-5, 1e-4, 1e-2
"""Relative errors that float64, float32 and TF32 may have; networks with object context compute some of it in float32
whatever their weights are in."""
OWN_ERRORS = 4.0
"""How many times the CPU's own error is allowed where that is more. It is the greatest of three passes in float32 over
images that differ by :data:`ROUNDING`: where rounding moves a feature across the corner of a ReLU or makes another
pixel the greatest of a pool, gradients jump on any machine."""
ROUNDING = 1e-5
HALF_ERRORS = 2.0
"""How many times the error of the CPU's bfloat16 is allowed in bfloat16 and float16."""

Passes = tuple[Tensor, Tensor]
"""Logits and the gradient of all parameters, flat."""


def networks(subject: Subject) -> Iterator[Finding]:
    """Logits and gradients of every network in training mode, but for dropout, whose draws depend on the device."""
    images, labels = batch_of(SHAPE)
    generator = torch.Generator().manual_seed(1)
    rounded = [images + ROUNDING * torch.randn(images.shape, generator=generator) for _ in range(3)]
    for name in networks_to_compare(BACKBONES[: subject.pick(2, 1)]):
        torch.manual_seed(0)
        network = _without_dropout(build_network(subject.config(name, network={"base_channels": 8})))
        exact = _passes(copy.deepcopy(network).double(), images.double(), labels, None)
        passes = [_errors(_passes(copy.deepcopy(network), each, labels, None), exact) for each in rounded]
        own = [max(errors) for errors in zip(*passes, strict=True)]
        half = _errors(_passes(copy.deepcopy(network), images, labels, torch.bfloat16), exact)
        for kind, stored, autocast, allows_tf32 in _formats(subject):
            with tf32(allows_tf32):
                moved = copy.deepcopy(network).to(subject.device, stored, memory_format=torch.channels_last)
                there = images.to(subject.device, stored, memory_format=torch.channels_last)
                errors = _errors(_passes(moved, there, labels.to(subject.device), autocast), exact)
            for what, error, cpu, cpu_half in zip(("logits", "gradients"), errors, own, half, strict=True):
                if stored == torch.float64:
                    limit, remark = WIRED, ""
                elif autocast:
                    limit, remark = HALF_ERRORS * cpu_half, f"the CPU's in bf16 {cpu_half:.1g}"
                else:
                    limit, remark = max(TF32 if allows_tf32 else EXACT, OWN_ERRORS * cpu), f"the CPU's {cpu:.1g}"
                yield Finding(f"{name}, {kind}: error of its {what}", error, limit, remark=remark)


def losses(subject: Subject) -> Iterator[Finding]:
    """Value and gradient of every loss."""
    for name, needs in loss_types().items():
        torch.manual_seed(0)
        objective = build_objective(subject.config("unet", loss={"loss_type": name}, network={"base_channels": 8}))
        yield _compared(f"loss {name}", objective, subject, needs)


def sam_cl(subject: Subject) -> Iterator[Finding]:
    """The three modes of SAM-CL, beside RMI."""
    for mode in MODES:
        torch.manual_seed(0)
        objective = build_objective(subject.config("unet", loss={"loss_type": "rmi_loss"}, samcl={"mode": mode}))
        yield _compared(f"RMI and SAM-CL, mode {mode}", objective, subject)


def _formats(subject: Subject) -> list[tuple[str, torch.dtype, torch.dtype | None, bool]]:
    """Name, number format of the weights, autocast and TF32 of what the device computes in."""
    formats: list[tuple[str, torch.dtype, torch.dtype | None, bool]] = [
        ("fp64", torch.float64, None, False),
        ("fp32", torch.float32, None, False),
        ("bf16", torch.float32, torch.bfloat16, False),
    ]
    if subject.is_gpu:
        formats += [("TF32", torch.float32, None, True), ("fp16", torch.float32, torch.float16, False)]
    return formats


def _without_dropout(network: nn.Module) -> nn.Module:
    """The network with batch norms as in training and all else as in evaluation."""
    for module in network.modules():
        module.training = isinstance(module, nn.modules.batchnorm._BatchNorm)
    return network


def _passes(network: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype | None) -> Passes:
    with torch.autocast(images.device.type, dtype, enabled=dtype is not None):
        logits = network(images).logits
    full = logits if logits.dtype == torch.float64 else logits.float()
    # Networks of boundaries have two classes whatever the config says.
    F.cross_entropy(full, labels.clamp(max=full.shape[1] - 1), ignore_index=-1).backward()
    gradients = [parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None]
    return logits, torch.cat(gradients)


def _errors(found: Passes, expected: Passes) -> list[float]:
    return [relative_error(*pair) for pair in zip(found, expected, strict=True)]


def _compared(name: str, objective: Objective, subject: Subject, needs: Collection[str] = ()) -> Finding:
    """The greater of the errors of the losses' sum and of its gradient to the outputs and parameters."""
    images, labels = batch_of(SHAPE)
    # The directions' targets are numbers of classes as well, and the logits beside them tell boundaries from the rest.
    channels = {"logits": 2, "direction": 8} if "direction" in needs else {"logits": CLASSES}
    channels |= {"aux": CLASSES} if "aux" in needs else {}
    generator = torch.Generator().manual_seed(1)
    outputs = {what: torch.randn(SHAPE[0], count, *SHAPE[1:], generator=generator) for what, count in channels.items()}
    found = []
    for side, device in ((copy.deepcopy(objective), subject.device), (objective, images.device)):
        side = side.to(device)
        leaves = {what: output.clone().to(device).requires_grad_() for what, output in outputs.items()}
        with tf32(False):
            aux = (leaves["aux"],) if "aux" in leaves else ()
            output = SegOutput(leaves["logits"], aux=aux, direction=leaves.get("direction"))
            total = torch.stack([*side(images.to(device), output, labels.to(device), 0).values()]).sum()
            total.backward()
        tensors = [leaf.grad for leaf in (*leaves.values(), *side.parameters()) if leaf.grad is not None]
        found.append((total, torch.cat([tensor.flatten() for tensor in tensors])))
    return Finding(f"{name}: error of value or gradient", max(_errors(*found)), EXACT)
