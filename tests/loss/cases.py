"""Every loss of logits and labels, and batches to try them on."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lib.loss.combine import AuxiliaryLoss, WeightedSum
from lib.loss.cross_entropy import BCELoss, CrossEntropyLoss, HardExampleLoss
from lib.loss.dice import DiceLoss, SoftDiceLoss
from lib.loss.lovasz import LovaszSoftmaxLoss
from lib.loss.rmi import RMILoss
from lib.loss.sam_cl import SAMCLLoss
from lib.models.samcl_auxiliary import SAMCLAuxiliary

CLASSES = 3

Loss = Callable[[Tensor, Tensor], Tensor]


class _SAMCL(nn.Module):
    """SAM-CL with its auxiliary network; classes move up by one."""

    def __init__(self, mode: str, ignore_index: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.auxiliary = SAMCLAuxiliary(CLASSES)
        self.loss = SAMCLLoss(CLASSES, mode=mode, ignore_index=ignore_index)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        if logits.dtype == torch.float64:
            self.auxiliary.double()
        permutation = (torch.arange(CLASSES, device=labels.device) + 1) % CLASSES
        return self.loss(logits, labels, self.auxiliary, permutation)


def _auxiliary(ignore_index: int) -> Loss:
    loss = AuxiliaryLoss(RMILoss(ignore_index=ignore_index), CrossEntropyLoss(CLASSES, ignore_index=ignore_index))
    return lambda logits, labels: loss(logits, labels, (2 * logits,))


MAKE: dict[str, Callable[[int], Loss]] = {
    "bce": lambda ignore: BCELoss(ignore_index=ignore),
    "ce": lambda ignore: CrossEntropyLoss(CLASSES, ignore_index=ignore),
    "weighted ce": lambda ignore: CrossEntropyLoss(CLASSES, weight=[0.5, 1.0, 2.0], ignore_index=ignore),
    "auto-weighted ce": lambda ignore: CrossEntropyLoss(CLASSES, weight="auto", ignore_index=ignore),
    "summed ce": lambda ignore: CrossEntropyLoss(CLASSES, reduction="sum", ignore_index=ignore),
    "hard examples": lambda ignore: HardExampleLoss(CLASSES, threshold=0.3, min_kept=20, ignore_index=ignore),
    "dice": lambda ignore: DiceLoss(CLASSES, ignore_index=ignore),
    "log dice of some classes": lambda ignore: DiceLoss(CLASSES, classes=[0, 2], log_loss=True, ignore_index=ignore),
    "soft dice": lambda ignore: SoftDiceLoss(ignore_index=ignore),
    "lovasz": lambda ignore: LovaszSoftmaxLoss(ignore_index=ignore),
    "rmi": lambda ignore: RMILoss(ignore_index=ignore),
    "rmi of averages": lambda ignore: RMILoss(rmi_pool_way=1, lambda_way=0, ignore_index=ignore),
    "rmi of interpolations": lambda ignore: RMILoss(rmi_pool_way=2, rmi_radius=2, ignore_index=ignore),
    "rmi + dice": lambda ignore: WeightedSum(
        (1.0, RMILoss(ignore_index=ignore)), (2.0, SoftDiceLoss(ignore_index=ignore))
    ),
    "with auxiliary output": _auxiliary,
    "sam-cl overlap": lambda ignore: _SAMCL("overlap", ignore),
    "sam-cl paper": lambda ignore: _SAMCL("paper", ignore),
}


def make(name: str, ignore_index: int = -1) -> Loss:
    """The loss of that name for three classes."""
    return MAKE[name](ignore_index)


def batch(height: int = 18, width: int = 21, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Random logits (2, 3, H, W) and labels (2, H, W), about a quarter of them -1, the same every time."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(2, CLASSES, height, width, generator=generator, dtype=dtype)
    labels = torch.randint(-1, CLASSES, (2, height, width), generator=generator)
    return logits, labels
