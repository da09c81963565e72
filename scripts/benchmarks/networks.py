"""Every network's training step in bfloat16, channels_last, against float32, NCHW."""

import gc

import torch

from lib.utils.config import Config
from scripts.benchmarks.measure import Section, interleaved, number, table
from scripts.benchmarks.setup import SIZE, Setup
from scripts.benchmarks.stepping import BareNetwork

NETWORKS = (
    *("unet", "attention_unet", "deeplab_v3:xception_8", "deeplab_v3:xception_16", "deeplab_v3:resnet101_dilated8"),
    *("hrnet_w18", "hrnet_w32", "hrnet_w48", "base_ocnet:deepbase_resnet101_dilated8"),
)
WIDTH = 64


def measure_networks(setup: Setup) -> Section:
    """Forward, cross-entropy, backward, optimiser step, on a batch in memory."""
    batch, (height, width) = 2, setup.pick(SIZE, (128, 160))
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, 1, height, width, generator=generator)
    labels = torch.randint(0, 6, (batch, height, width), generator=generator)
    lines = []
    for name in NETWORKS[: setup.pick(None, 5)]:
        print(f"   {name}", flush=True)
        model, _, backbone = name.partition(":")
        config = Config.model_validate(
            {"network": {"model_name": model, "backbone": backbone or "none", "base_channels": WIDTH}}
        )
        sides = {
            "fp32, NCHW": BareNetwork(config, images, labels, None, torch.contiguous_format),
            "bf16, channels_last": BareNetwork(config, images, labels, torch.bfloat16),
        }
        seconds = interleaved({side: bare.step for side, bare in sides.items()}, setup.pick(3, 2))
        ratio = seconds["fp32, NCHW"].median / seconds["bf16, channels_last"].median
        lines.append([name, *(str(samples) for samples in seconds.values()), number(ratio)])
        del sides
        gc.collect()
    head = [f"step of {batch} images of {height}x{width}", "fp32, NCHW, s", "bf16, channels_last, s", "speed-up"]
    return Section("Each network: bf16, channels_last against fp32, NCHW", text=[table(head, lines)])
