"""Strips a checkpoint to what a use of its network needs: weights, convolutions in half precision, and config.

python scripts/wild/publish_weights.py CKPT.pth [OUT.pth]
"""

import argparse
import sys
from pathlib import Path

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
    args = parser.parse_args(arguments)
    try:
        publish(args.checkpoint, args.out)
    except (CheckpointError, OutputError) as error:
        print(f"publish_weights.py: error: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {args.out.stat().st_size / 2**20:.1f} MiB")
    return 0


def publish(checkpoint: Path, out: Path) -> None:
    """Write ``out`` and its config beside it, as :func:`~lib.utils.checkpoint.save_checkpoint` does.

    Kernels, nearly all of the size, become float16, whose rounding is far below what training resolves; statistics of
    normalisation, which may leave float16's range, keep their type.
    """
    config = portable_config(checkpoint)
    weights = load_checkpoint(checkpoint)["state_dict"]
    weights = {name: value.half() if value.ndim == 4 else value for name, value in weights.items()}
    save_checkpoint(out, {"state_dict": weights, "config_dict": config}, yaml.safe_dump(config, sort_keys=False))


if __name__ == "__main__":
    sys.exit(main())
