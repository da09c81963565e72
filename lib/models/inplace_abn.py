"""The arithmetic of InPlace-ABN (Rota Bulo, Porzi, Kontschieder, CVPR 2018), which openseg's checkpoints need.

Its saving of memory is not here, and no extension is needed for it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lib.utils.distributed import sum_over_processes_with_gradient

SLOPE = 0.01
"""Of the leaky ReLU that takes the place of ReLUs in heads. Those of backbones stay: there the activation is apart."""


class InPlaceABN(nn.BatchNorm2d):
    """Batch norm that scales by ``|weight| + eps``, so that it can be inverted.

    Attributes:
        synchronised: in training, normalise by the statistics of the batches of all processes, as if they were one.

    >>> import torch
    >>> norm = InPlaceABN(1).eval()
    >>> torch.nn.init.constant_(norm.weight, -2.0).item()
    -2.0
    >>> norm(torch.full((1, 1, 1, 1), 3.0)).item() > 5.9
    True
    """

    synchronised = False

    @property
    def scale(self) -> Tensor:
        """(C,), > 0."""
        return self.weight.abs() + self.eps

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape; in training, by the batch's statistics."""
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        if self.training and self.synchronised:
            return self._over_processes(x)
        statistics = (self.running_mean, self.running_var)
        momentum = self.momentum or 0.0
        return F.batch_norm(x, *statistics, self.scale, self.bias, self.training, momentum, self.eps)

    def _over_processes(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            maps = x.float()
            # Of as many pixels as the process has: batches may differ.
            sums = torch.cat([maps.sum(dim=(0, 2, 3)), maps.new_full((1,), maps[:, 0].numel())])
            sums = sum_over_processes_with_gradient(sums)
            count = sums[-1].detach()
            mean = sums[:-1] / count
            apart = maps - mean.view(-1, 1, 1)
            variance = sum_over_processes_with_gradient(apart.square().sum(dim=(0, 2, 3))) / count
            if self.running_mean is not None and self.running_var is not None:
                momentum = self.momentum or 0.0
                self.running_mean.lerp_(mean.detach(), momentum)
                self.running_var.lerp_(variance.detach() * count / (count - 1), momentum)
            factor = (variance + self.eps).rsqrt() * self.scale
            return (apart * factor.view(-1, 1, 1) + self.bias.view(-1, 1, 1)).to(x.dtype)


def synchronise_inplace_abn(network: nn.Module) -> None:
    """Let every :class:`InPlaceABN` of a network share its statistics over the processes of the run."""
    for module in network.modules():
        if isinstance(module, InPlaceABN):
            module.synchronised = True


def use_inplace_abn(network: nn.Module, prefix: str = "") -> None:
    """Give a fresh network the arithmetic of InPlace-ABN in place; names and shapes of its weights stay.

    Args:
        network: with the weights of its constructor.
        prefix: of the names of its modules; those that begin with ``backbone.`` keep their ReLUs.
    """
    for name, module in network.named_children():
        if isinstance(module, nn.BatchNorm2d):
            setattr(network, name, InPlaceABN(module.num_features, module.eps, module.momentum))
        elif isinstance(module, nn.ReLU) and not prefix.startswith("backbone."):
            setattr(network, name, nn.LeakyReLU(SLOPE, inplace=module.inplace))
        else:
            use_inplace_abn(module, f"{prefix}{name}.")
