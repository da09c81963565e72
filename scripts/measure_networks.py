"""Measure the networks: parameters, multiply-adds and milliseconds per image, as a Markdown table."""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from lib.models import NETWORKS, build_network  # noqa: E402
from lib.utils.config import Config  # noqa: E402
from lib.utils.device import choose_device  # noqa: E402
from lib.utils.errors import ConfigError  # noqa: E402
from lib.utils.files import atomic_write  # noqa: E402

DEFAULT = [
    "unet",
    "attention_unet",
    "deeplab_v3:xception_8",
    "deeplab_v3:xception_16",
    "deeplab_v3:resnet18_dilated8",
    "deeplab_v3:resnet50_dilated8",
    "deeplab_v3:resnet101_dilated8",
    "hrnet_w18",
    "hrnet_w32",
    "hrnet_w48",
    *("hrnet_w48_ocr", "hrnet_w48_ocr_b", "hrnet_w48_asp_ocr"),
    *(
        f"{head}:deepbase_resnet101_dilated8"
        for head in (
            *("base_ocnet", "asp_ocnet", "isanet", "spatial_ocrnet", "spatial_asp_ocrnet", "fcnet"),
            "deeplab_v3_contrastiveseg",
        )
    ),
    *("segfix_hrnet:hrnet48", "segfix_hrnet:hrnet2x20"),
]


def main(arguments: list[str] | None = None) -> int:
    """Print the table; returns the exit status."""
    args = _parser().parse_args(arguments)
    device = choose_device(args.gpu)
    torch.set_num_threads(args.threads)
    width, height = args.size
    where = f"{args.threads} CPU thread(s)" if device.type == "cpu" else device.type
    lines = [
        f"| network | backbone | parameters | multiply-adds at {width}x{height} | fp32, ms | bf16, ms |",
        "|---|---|---:|---:|---:|---:|",
    ]
    print("\n".join(lines))
    for entry in args.networks:
        try:
            lines.append(_row(entry, (1, args.channels, height, width), args, device))
        except ConfigError as error:
            print(f"measure_networks.py: error: {entry}: {error}", file=sys.stderr)
            return 2
        print(lines[-1], flush=True)
    lines.append(f"\nForward pass of one image, {where}, the median of {args.repeats}; torch {torch.__version__}.")
    print(lines[-1])
    if args.out:
        with atomic_write(args.out, "w") as file:
            file.write("\n".join(lines) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "networks",
        nargs="*",
        default=DEFAULT,
        metavar="NETWORK[:BACKBONE]",
        help=f"networks of {', '.join(NETWORKS.names())}; default: all of the table",
    )
    parser.add_argument("--size", type=int, nargs=2, default=(320, 256), metavar=("W", "H"), help="pixels (320 256)")
    parser.add_argument("--channels", type=int, default=1, help="channels of the image (1)")
    parser.add_argument("--classes", type=int, default=6, help="classes (6)")
    parser.add_argument("--repeats", type=int, default=5, help="timed passes after one that isn't (5)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    parser.add_argument("--gpu", type=int, nargs="*", help="CUDA index; -1 for the CPU; default: what there is")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    return parser


def _row(entry: str, shape: tuple[int, ...], args: argparse.Namespace, device: torch.device) -> str:
    """One network's line of the table."""
    model_name, _, backbone = entry.partition(":")
    config = Config.model_validate(
        {
            "data": {"num_channels": args.channels, "num_classes": args.classes},
            "network": {"model_name": model_name, "backbone": backbone or "none"},
        }
    )
    with torch.device("meta"):
        network = build_network(config).eval()
        parameters = sum(p.numel() for p in network.parameters())
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(shape))
    network = build_network(config).eval().to(device, memory_format=torch.channels_last)
    image = torch.randn(shape, device=device).to(memory_format=torch.channels_last)
    fp32, bf16 = (_milliseconds(network, image, args.repeats, dtype) for dtype in (None, torch.bfloat16))
    giga = counter.get_total_flops() / 2 / 1e9
    return f"| {model_name} | {backbone or '-'} | {parameters:,} | {giga:.1f} G | {fp32:.0f} | {bf16:.0f} |"


@torch.inference_mode()
def _milliseconds(network: nn.Module, image: torch.Tensor, repeats: int, dtype: torch.dtype | None) -> float:
    """The median time of a forward pass, after one that isn't counted."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        with torch.autocast(image.device.type, dtype, enabled=dtype is not None):
            logits = network(image).logits
        logits[0, 0, 0, 0].item()  # waits for the device
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times[1:])[repeats // 2]


if __name__ == "__main__":
    sys.exit(main())
