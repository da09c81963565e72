"""Records what the project does, bit by bit, so that a refactoring can prove that it changed nothing.

python scripts/record_behaviour.py OUT_DIR [--checkpoints DIR]     before and after; then compare OUT_DIR/record.json

It holds digests of drawn and prepared frames, of every shipped network's logits, of predictions with the shipped
weights, of losses and weights after 20 steps of five objectives (two workers, resumed once), and every shipped config
as it resolves. Equal digests need the same machine and the same packages.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from lib.models import build_network  # noqa: E402
from lib.utils.checkpoint import load_checkpoint  # noqa: E402
from lib.utils.config import load_config  # noqa: E402

WEIGHTS = REPO / "lib/models/pretrained/face.pth"
OBJECTIVES = {
    "samcl": ("thermalFaceDB/U_GCL_Occ.json", ()),
    "samcl_paper": ("thermalFaceDB/X_8_SAMCL_Occ.json", ("gcl.mode=paper", "gcl.negative=confusable")),
    "contrast_memory": ("thermalFaceDB/AU_Contrast_Mem_Occ.json", ("contrast.warmup_iters=5",)),
    "segan": ("thermalFaceDB/U_Occ.json", ("loss.loss_type=segan_loss",)),
    "auxiliary_dice": ("thermalFaceDB/R_101_O_8_RMI_Occ.json", ()),
}
"""A config of :data:`CONFIGS` and pairs over it, for each kind of objective."""
CONFIGS = REPO / "configs"
STEPS, RESUMED_AT = 20, 10


def main() -> int:
    """Parse, record, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR", help="an empty or new folder")
    parser.add_argument("--checkpoints", type=Path, metavar="DIR", help="resume from those of another record's OUT_DIR")
    args = parser.parse_args()
    out = args.out_dir.resolve()
    torch.set_num_threads(1)
    record = {
        "configs": {path.relative_to(CONFIGS).as_posix(): _resolved(path) for path in _shipped()},
        "logits": _logits(),
        "frames": _frames(out),
        "predictions": _predictions(out),
        "training": {name: _training(name, out, args.checkpoints) for name in OBJECTIVES},
    }
    (out / "record.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    print(out / "record.json")
    return 0


def _shipped() -> list[Path]:
    return sorted(p for p in CONFIGS.rglob("*.*") if p.suffix in (".json", ".yaml") and p.parent.name != "_base_")


def _resolved(path: Path) -> dict[str, Any]:
    return yaml.safe_load(load_config(path)[0].to_yaml())


def _logits() -> dict[str, str]:
    """Digests of the logits of every network that a shipped config names, at base width 8."""
    digests = {}
    y, x = np.mgrid[0:64, 0:80].astype(np.float32)
    image = torch.from_numpy(np.sin(x / 11) * np.cos(y / 7))[None, None]
    for path in _shipped():
        config, _ = load_config(path, pairs=["network.base_channels=8"])
        contrast = "" if config.pixel_contrast is None else "_contrast"
        channels = config.data.num_channels
        name = f"{config.network.model_name}{contrast}:{config.network.backbone}{':3' if channels == 3 else ''}"
        if name not in digests:
            torch.manual_seed(0)
            network = build_network(config).eval()
            with torch.inference_mode():
                digests[name] = _digest([network(image.expand(-1, channels, -1, -1)).logits])
    return digests


def _frames(out: Path) -> dict[str, str]:
    """Draw and prepare the database and people in the wild; digests of all arrays and pictures."""
    _python("scripts/thermalFaceDB/synthesize_data.py", out / "raw", "--subjects", 3, "--frames", 4, "--workers", 1)
    prepare = ("scripts/thermalFaceDB/prepare_data.py", out / "raw", out / "Processed")
    _python(*prepare, "--target_res", 64, 80, "--val_subjects", "sub003")
    _python("scripts/wild/synthesize_wild.py", out / "wild", "--train", 10, "--val", 2)
    return {folder: _digest(_contents(out / folder)) for folder in ("raw", "Processed", "wild")}


def _predictions(out: Path) -> str:
    """The digest of the masks and temperatures that the shipped weights find in ten drawn frames."""
    _main("predict", "--resume", WEIGHTS, "--input", out / "wild/train/image", "--out_dir", out / "predicted")
    return _digest([*_contents(out / "predicted/label"), (out / "predicted/regions.csv").read_bytes()])


def _training(name: str, out: Path, checkpoints: Path | None) -> dict[str, Any]:
    """Losses and weights of :data:`STEPS` steps, interrupted and resumed at :data:`RESUMED_AT`."""
    config, pairs = OBJECTIVES[name]
    folder = out / "runs" / name
    latest = folder / "checkpoints" / f"{name}_latest.pth"
    start = (checkpoints or out).resolve() / "runs" / name / "half.pth"
    common = [
        *("--configs", CONFIGS / config, "--gpu", -1, "--workers", 2, "--checkpoints_name", name),
        *("network.base_channels=8", f"data.data_dir={out / 'Processed'}", "train.batch_size=4", "val.batch_size=2"),
        *("train.data_transformer.input_size=[80,64]", "train_trans.random_crop.crop_size=[80,64]"),
        *("solver.precision=fp32", "solver.display_iter=1", f"solver.max_iters={STEPS}", "checkpoints.save_iters=5"),
        *(f"checkpoints.checkpoints_root={folder}", "checkpoints.checkpoints_dir=checkpoints"),
        *("solver.test_interval=10", f"logging.log_file={folder / 'train.log'}", *pairs),
    ]
    if not checkpoints:
        _main("train", *common, f"checkpoints.save_iters={RESUMED_AT}")
        (latest.with_name(f"{name}_previous.pth")).rename(start)
    _main("train", *common, "--overwrite", "y", "--resume", start, "--resume_continue", "y")
    history = (latest.with_name(f"{name}_history.csv")).read_text().splitlines()
    weights = load_checkpoint(latest)["state_dict"]
    losses = [row for row in history if ",train," in row or ",loss," in row]
    return {"losses": losses, "weights": _digest([weights[key] for key in sorted(weights)])}


def _contents(folder: Path) -> Iterable[np.ndarray | bytes]:
    """What the files below a folder hold, in the order of their names: arrays and pixels, else the bytes."""
    for path in sorted(path for path in folder.rglob("[!.]*") if path.is_file() and path.suffix != ".csv"):
        yield path.relative_to(folder).as_posix().encode()
        if path.suffix == ".npy":
            yield np.load(path)
        elif path.suffix == ".png":
            yield np.array(Image.open(path))
        elif path.suffix == ".ljson":
            yield path.read_bytes()


def _digest(parts: Iterable[torch.Tensor | np.ndarray | bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        array = part if isinstance(part, bytes) else np.ascontiguousarray(part)
        total.update(b"" if isinstance(array, bytes) else f"{array.dtype}{array.shape}".encode())
        total.update(array if isinstance(array, bytes) else array.tobytes())
    return total.hexdigest()


def _main(phase: str, *arguments: object) -> None:
    _python("main.py", "--phase", phase, "logging.stdout_level=warning", *arguments)


def _python(script: str, *arguments: object) -> None:
    command = [sys.executable, str(REPO / script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"record_behaviour.py: {' '.join(command)}\n{done.stdout}")


if __name__ == "__main__":
    sys.exit(main())
