"""Strips a checkpoint to what a use of its network needs: weights, convolutions in half precision, and config.

python scripts/wild/publish_weights.py CKPT.pth [OUT.pth] [--average CKPT.pth ...] [--input_size W H]
"""

import argparse
import sys
from pathlib import Path

import torch
import yaml

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from lib.utils.checkpoint import load_checkpoint, portable_config, save_checkpoint  # noqa: E402
from lib.utils.errors import CheckpointError, OutputError  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Read, strip, write; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("checkpoint", metavar="CKPT", type=Path, help="of a training run")
    parser.add_argument("out", metavar="OUT", type=Path, nargs="?", default=REPO / "lib/models/pretrained/face.pth")
    parser.add_argument(
        "--input_size", type=int, nargs=2, metavar=("W", "H"), help="pixels of predictions; default: those of training"
    )
    parser.add_argument(
        "--average", type=Path, nargs="+", default=[], metavar="CKPT", help="earlier ones whose mean with CKPT is taken"
    )
    args = parser.parse_args(arguments)
    try:
        publish([args.checkpoint, *args.average], args.out, args.input_size)
    except (CheckpointError, OutputError) as error:
        print(f"publish_weights.py: error: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {args.out.stat().st_size / 2**20:.1f} MiB")
    return 0


def publish(checkpoints: list[Path], out: Path, input_size: list[int] | None = None) -> None:
    """Write ``out`` and its config beside it, as :func:`~lib.utils.checkpoint.save_checkpoint` does.

    Kernels, nearly all of the size, become float16, whose rounding is far below what training resolves; statistics of
    normalisation, which may leave float16's range, keep their type. Predictions letterbox frames to ``input_size``
    (width, height), which a network that was trained on parts of frames may have larger than those. Of several
    checkpoints the mean of the weights is taken (Izmailov et al. 2018, *Averaging Weights Leads to Wider Optima and
    Better Generalization*), and the config of the first.
    """
    config = portable_config(checkpoints[0])
    if input_size is not None:
        config["train"]["data_transformer"]["input_size"] = list(input_size)
    states = [load_checkpoint(checkpoint)["state_dict"] for checkpoint in checkpoints]
    weights = {}
    for name, value in states[0].items():
        mean = value
        if value.is_floating_point() and len(states) > 1:
            mean = torch.stack([state[name] for state in states]).mean(0)
        weights[name] = mean.half() if mean.ndim == 4 else mean
    save_checkpoint(out, {"state_dict": weights, "config_dict": config}, yaml.safe_dump(config, sort_keys=False))


if __name__ == "__main__":
    sys.exit(main())
