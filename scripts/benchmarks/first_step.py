"""Runs main.py with the given arguments up to the network's first batch, and tells when that came.

``python -m scripts.benchmarks.first_step MAIN_ARGUMENTS``, for :mod:`scripts.benchmarks.startup`.
"""

import gc

if __name__ == "__main__":
    gc.disable()  # as main.py does where it is the program

import sys
import time

import main
from scripts.benchmarks.children import tell

LATE = ("tensorboard", "torch.utils.tensorboard", "matplotlib", "torchvision", "scipy")


class FirstStepError(BaseException):
    """Leaves main.py, which handles every Exception."""


def stop(*_: object) -> None:
    """The network is called for the first time."""
    loaded = [name for name in LATE if name in sys.modules]
    tell({"time": time.time(), "loaded": loaded, "scipy": sorted(n for n in sys.modules if n.startswith("scipy."))[:5]})
    raise FirstStepError


if __name__ == "__main__":
    from torch.nn.modules.module import register_module_forward_pre_hook

    register_module_forward_pre_hook(stop)
    try:
        status = main.main(sys.argv[1:])
    except FirstStepError:
        status = 0
    sys.exit(status)
