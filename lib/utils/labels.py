"""What all parts of the project agree on about label arrays."""

from typing import Any

IGNORE = 255
"""Value of ignored pixels in label files and uint8 label arrays; int64 tensors say -1."""


def boundary_of(targets: Any) -> Any:
    """What SegFix's targets, 2 x direction + boundary, say of the boundary alone.

    Args:
        targets: integers, an array or tensor; -1 = unlabelled.

    Returns:
        1, 0 or -1 in the same shape.

    >>> import numpy as np
    >>> boundary_of(np.array([-1, 0, 1, 14, 15])).tolist()
    [-1, 0, 1, 0, 1]
    """
    return targets % 2 - 2 * (targets < 0)
