"""Finds what makes the host wait for a device: operators whose results it must see, and copies between both.

The meta device stands for any: nobody can see the values of its tensors.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")

WAITING = {"_local_scalar_dense", "item", "is_nonzero", "equal", "_linalg_check_errors"}
"""Operators whose result the host must have."""
WAITING |= {"nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive", "bincount", "repeat_interleave"}
"""Operators whose result has a size that depends on values."""


class WaitingOperators(TorchDispatchMode):
    """Lists, as ``found``, the operators that would wait for a device."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        name = function.overloadpacket.__name__
        tensors = [leaf for leaf in tree_leaves((arguments, named)) if isinstance(leaf, torch.Tensor)]
        if name in WAITING or name.startswith("index") and any(index.dtype is torch.bool for index in tensors[1:]):
            self.found.append(name)
        result = function(*arguments, **(named or {}))
        self.look_at(name, [*tensors, *(leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor))])
        return result

    def look_at(self, name, tensors):
        """What an operator took and returned; for subclasses."""


class OperatorsOnMeta(WaitingOperators):
    """Also lists operators that touch tensors of the host."""

    def look_at(self, name, tensors):
        if any(tensor.device != META for tensor in tensors):
            self.found.append(f"{name} has to do with the host's memory")


FROM_HOST = {torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy, torch.Tensor.new_tensor}
"""Functions that copy values of the host to the device."""


class Literals(TorchFunctionMode):
    """Adds to ``found`` the functions that make tensors of numbers, which the dispatcher doesn't see on this device."""

    def __init__(self, found):
        super().__init__()
        self.found = found

    def __torch_function__(self, function, types, arguments=(), named=None):
        if function in FROM_HOST:
            self.found.append(f"{function.__name__} copies from the host's memory")
        return function(*arguments, **(named or {}))


@contextmanager
def on_meta() -> Iterator[OperatorsOnMeta]:
    """The operators of what runs inside; without autocast, which the meta device has none of."""
    with (
        patch("torch.autocast", lambda **options: nullcontext()),
        OperatorsOnMeta() as operators,
        Literals(operators.found),
    ):
        yield operators


def like_on_meta(*tensors: torch.Tensor) -> list[torch.Tensor]:
    """Tensors of the same shapes on the meta device; those of floats want a gradient."""
    return [torch.empty_like(tensor, device=META).requires_grad_(tensor.is_floating_point()) for tensor in tensors]
