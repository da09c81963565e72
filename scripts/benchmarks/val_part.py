"""Validates some frames, then passes them through the network alone, and tells the seconds of both.

``python -m scripts.benchmarks.val_part THREADS CONFIG section.key=value...``, for :mod:`scripts.benchmarks.validation`.
"""

import sys
import time

import torch
from torch import Tensor, nn

from lib.datasets.build import build_eval_loader
from lib.utils.config import load_config
from lib.utils.runtime import Runtime, start_runtime
from scripts.benchmarks.children import tell
from scripts.benchmarks.setup import CONFIGS, threads
from segmentor.tester import Tester


def main(number: str, name: str, *pairs: str) -> None:
    """Loading processes start before the first pass, as a user's do: one that is forked after a pass shares its memory,
    and the first write to each page of it copies the page."""
    config, _ = load_config(CONFIGS / f"{name}.json", {}, pairs)
    with threads(int(number)), start_runtime(config) as runtime:
        tester = Tester(config, runtime)
        images = [batch["image"] for batch in build_eval_loader(config, test_dir=config.test.test_dir)]
        start = time.perf_counter()
        tester.run()
        ours = time.perf_counter() - start
        start = time.perf_counter()
        forward(tester.network, images, runtime)
        tell({"ours": ours, "bare": time.perf_counter() - start, "frames": sum(map(len, images))})


@torch.inference_mode()
def forward(network: nn.Module, images: list[Tensor], runtime: Runtime) -> None:
    """The network's passes alone."""
    network.eval()
    for batch in images:
        with runtime.autocast():
            network(runtime.to_device(batch))


if __name__ == "__main__":
    main(*sys.argv[1:])
