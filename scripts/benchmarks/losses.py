"""RMI and SAM-CL, forward and backward, beside their published forms."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lib.loss import build_pixel_loss
from lib.utils.config import Config
from scripts.benchmarks.measure import Row, Samples, Section, at_least, at_most, interleaved, table
from scripts.benchmarks.published_losses import PublishedAuxiliary, published_rmi, published_samcl
from scripts.benchmarks.setup import Setup
from segmentor.objectives import build_objective

CONFIG = "U_GCL_Occ"
SHAPE = (8, 6, 256, 320)
TOLERANCE = 1e-4

Loss = Callable[[Tensor, Tensor], Tensor]


def measure_rmi(setup: Setup) -> Section:
    """Speed and value."""
    config = setup.config(CONFIG, "rmi")
    ours = build_pixel_loss(config)
    rows = _compare("RMI, forward and backward, 8x6x256x320", ours, published_rmi, 4, setup)
    logits, labels = masks(SHAPE)
    difference = abs(ours(logits, labels).item() - published_rmi(logits, labels).item())
    rows.rows.append(
        Row(
            "RMI, difference of its value from the published one, against the tolerance",
            *(Samples((difference,)), Samples((TOLERANCE,)), "of the loss", at_most(1)),
        )
    )
    rows.title = "RMI"
    return rows


def measure_samcl(setup: Setup) -> Section:
    """Speed."""
    config = setup.config(CONFIG, "samcl")
    auxiliary = PublishedAuxiliary(config.data.num_classes)
    section = _compare(
        "SAM-CL, 4 scales, forward and backward, 8x6x256x320",
        *(samcl(config), lambda logits, labels: published_samcl(logits, labels, auxiliary), 5, setup),
    )
    section.title = "SAM-CL"
    return section


def samcl(config: Config, device: torch.device | None = None) -> Loss:
    """The config's SAM-CL term on a device (the CPU), with its auxiliary network and a new swap at every call."""
    term = build_objective(config).terms["samcl"].to(device)
    generator = torch.Generator().manual_seed(config.seed)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        permutation = term.samcl_loss.draw_permutation(generator).to(labels.device)
        return term.samcl_loss(logits, labels, term.auxiliary, permutation)

    return loss


def _compare(name: str, ours: Loss, published: Loss, goal: float, setup: Setup) -> Section:
    """Ours beside the published loss, and ours on logits as the network hands them over."""
    logits, labels = masks(SHAPE)
    as_network = logits.detach().to(torch.bfloat16, memory_format=torch.channels_last).requires_grad_()
    seconds = interleaved(
        {
            "ours": passes(ours, logits, labels),
            "published": passes(published, logits, labels),
            "ours, channels_last bfloat16 logits": passes(ours, as_network, labels),
        },
        setup.pick(15, 5),
        warmups=2,
    )
    times = {side: samples.times(1000) for side, samples in seconds.items()}
    row = Row(name, times["ours"], times["published"], "ms", at_least(goal))
    lines = [[side, str(samples)] for side, samples in times.items()]
    return Section(name, [row], [table(["float32 NCHW logits where nothing else is said", "ms"], lines)])


def passes(loss: Loss, logits: Tensor, labels: Tensor) -> Callable[[], None]:
    """One forward and backward pass."""

    def run() -> None:
        logits.grad = None
        value = loss(logits, labels)
        value.backward()

    return run


def masks(shape: tuple[int, int, int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits (N, C, H, W) float32 of a half-trained network, and labels (N, H, W) with a tenth ignored.

    Labels are blobs; logits are the smoothed truth and noise.
    """
    batch, classes, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(batch, classes, 6, 8, generator=generator)
    labels = F.interpolate(coarse, (height, width), mode="bilinear").argmax(1)
    truth = F.one_hot(labels, classes).permute(0, 3, 1, 2).float()
    noise = torch.randn(shape, generator=generator)
    logits = 4 * F.avg_pool2d(truth, 9, stride=1, padding=4) - 2 + noise
    labels[..., : width // 10] = -1
    return logits.contiguous().requires_grad_(), labels
