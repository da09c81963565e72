"""Batch norms folded into the convolutions before them, of networks that no longer learn."""

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Give each convolution that a batch norm follows in an ``nn.Sequential`` that norm's scale and shift, in place.

    In evaluation mode a batch norm is one multiplication and one addition per channel, which the convolution can do
    as well (Jacob et al., CVPR 2018, section 3.2): one pass over the features less. Outputs change by rounding alone.

    Args:
        network: in evaluation mode; it can't be trained any more.

    Returns:
        The network.

    >>> network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU()).eval()
    >>> fold_batch_norms(network)
    Sequential(
      (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))
      (1): Identity()
      (2): ReLU()
    )
    """
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for (name, module), (following_name, following) in pairwise(list(sequence.named_children())):
            if type(module) is nn.Conv2d and type(following) is nn.BatchNorm2d and _is_constant(following):
                setattr(sequence, name, fuse_conv_bn_eval(module, following))
                setattr(sequence, following_name, nn.Identity())
    return network


def _is_constant(norm: nn.BatchNorm2d) -> bool:
    """Whether a norm uses stored statistics rather than those of its batch."""
    return not norm.training and norm.running_mean is not None
