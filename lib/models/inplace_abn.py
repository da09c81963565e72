"""The arithmetic of InPlace-ABN (Rota Bulo, Porzi, Kontschieder, CVPR 2018), which openseg's checkpoints need.

Its saving of memory is not here, and no extension is needed for it.
"""

from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.01
"""Of the leaky ReLU that takes the place of ReLUs in heads. Those of backbones stay: there the activation is apart."""


class InPlaceABN(nn.BatchNorm2d):
    """Batch norm that scales by ``|weight| + eps``, so that it can be inverted.

    >>> import torch
    >>> norm = InPlaceABN(1).eval()
    >>> torch.nn.init.constant_(norm.weight, -2.0).item()
    -2.0
    >>> norm(torch.full((1, 1, 1, 1), 3.0)).item() > 5.9
    True
    """

    @property
    def scale(self) -> Tensor:
        """(C,), > 0."""
        return self.weight.abs() + self.eps

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape; in training, by the batch's statistics of this process."""
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        statistics = (self.running_mean, self.running_var)
        momentum = self.momentum or 0.0
        return F.batch_norm(x, *statistics, self.scale, self.bias, self.training, momentum, self.eps)


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
