"""Arrays in MATLAB's files."""

from pathlib import Path

import numpy as np

from lib.utils.errors import DataError


def read_integers(path: Path, name: str, axes: int = 2) -> np.ndarray:
    """A variable of a MATLAB file, an array of integers.

    Args:
        path: of the file.
        name: of the variable.
        axes: that it has: 2 for (H, W).

    Returns:
        The array, of the type as stored.

    Raises:
        DataError: unreadable, or without such a variable; names the file.
    """
    from scipy.io import loadmat  # slow to import

    try:
        found = loadmat(path, variable_names=[name]).get(name)
    except Exception as error:  # damaged files fail in many ways
        raise DataError(f"{path}: unreadable MATLAB file ({type(error).__name__}: {error})") from error
    if found is None or found.ndim != axes or found.dtype.kind not in "iu":
        given = "none" if found is None else f"{found.dtype} of shape {found.shape}"
        raise DataError(f"{path}: expected a variable {name}, integers along {axes} axes, got {given}")
    return found
