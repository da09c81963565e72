"""The files of a test about all frames: ``metrics.json``, ``frames.csv`` and ``report.html``."""

import csv
import json
import logging
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from lib import vis
from lib.datasets.build import build_eval_loader
from lib.metrics import FrameScores
from lib.metrics.history import read_history
from lib.utils.checkpoint import KINDS
from lib.utils.config import Config
from lib.utils.device import name_of_device
from lib.utils.files import atomic_write
from lib.utils.runtime import Runtime
from lib.vis.report.evaluation import EvaluationReport, evaluation_page
from lib.vis.report.gallery import Example
from lib.vis.report.numbers import percent

logger = logging.getLogger("samcl")

RESULT_FILES = ("metrics.json", "frames.csv", "report.html")
"""What :func:`write_results` writes."""
MAX_EXAMPLES = 3
"""Of the best, of the median and of the worst frames."""

Curves = dict[str, dict[str, list[tuple[float, float]]]]
"""Points (iteration, value) by chart and curve."""


def write_results(config: Config, out_dir: Path, metrics: dict[str, Any], frames: Sequence[FrameScores]) -> Path:
    """Write all three files; returns the path of the report.

    Args:
        config: of the run.
        out_dir: of the results, with ``label/`` in it.
        metrics: content of ``metrics.json``.
        frames: of all processes, sorted by name.
    """
    rows = [frame.row(config.data.names) for frame in frames]
    # File names that aren't UTF-8 keep their bytes.
    with atomic_write(out_dir / "frames.csv", "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with atomic_write(out_dir / "metrics.json", "w") as file:
        json.dump(metrics, file, indent=2)
    groups = choose_examples(frames)
    report = EvaluationReport(
        metrics,
        rows,
        vis.palette_of(config.data.num_classes, config.data.palette),
        read_examples(config, out_dir, groups),
        learning_curves(Path(metrics["checkpoint"])),
        config.to_yaml(),
    )
    with atomic_write(out_dir / "report.html", "w", encoding="utf-8", errors="replace") as file:
        file.write(evaluation_page(report))
    return out_dir / "report.html"


def environment(config: Config, runtime: Runtime) -> dict[str, str | int]:
    """Versions, device, seed and time: what else the scores may depend on."""
    dtype = runtime.autocast_dtype if config.test.amp else None
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": name_of_device(runtime.device),
        "processes": runtime.world.size,
        "precision": str(dtype or torch.float32).removeprefix("torch."),
        "test_mode": config.test.mode,
        "seed": config.seed,
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def choose_examples(frames: Iterable[FrameScores]) -> dict[str, list[FrameScores]]:
    """The frames of the worst, median and best mIoU by heading; of three frames or more none appears twice."""
    ranked = sorted((frame for frame in frames if frame.miou is not None), key=lambda frame: (frame.miou, frame.name))
    count = min(MAX_EXAMPLES, max(1, len(ranked) // 3))
    middle = (len(ranked) - count) // 2
    groups = {
        "Worst": ranked[:count],
        "Median": ranked[middle : middle + count],
        "Best": ranked[::-1][:count],
    }
    return {heading: group for heading, group in groups.items() if group}


def read_examples(config: Config, out_dir: Path, groups: dict[str, list[FrameScores]]) -> dict[str, list[Example]]:
    """The frames of ``groups`` with their labels and the predictions in ``out_dir``.

    They are read again from their files, so that a test of thousands of frames keeps none of them in memory.
    """
    names = {frame.name for group in groups.values() for frame in group}
    alone = config.model_copy(update={"data": config.data.model_copy(update={"workers": 0})})
    batches = build_eval_loader(alone, test_dir=config.test.test_dir, val_aug=config.test.val_aug, names=names)
    found = {
        name: (frame, truth)
        for batch in batches
        for name, frame, truth in zip(
            batch["name"], batch["frame"], batch["label"].to(torch.uint8).numpy(), strict=True
        )
    }
    examples: dict[str, list[Example]] = {}
    for heading, group in groups.items():
        for scores in group:
            path = out_dir / "label" / f"{scores.name}.png"
            # Processes on other machines may have written to disks of their own.
            if path.is_file():
                with Image.open(path) as picture:
                    prediction = np.asarray(picture)
                caption = f"mIoU {percent(scores.miou)} %"
                example = Example(scores.name, caption, *found[scores.name], prediction)
                examples.setdefault(heading, []).append(example)
    return examples


def learning_curves(checkpoint: Path) -> Curves:
    """The learning curves of a run from the history beside its checkpoint; empty where none can be read."""
    run = re.fullmatch(rf"(.+)_(?:{'|'.join(KINDS)}|previous(?:_\d+)?)", checkpoint.stem)
    if run is None:
        return {}
    path = checkpoint.with_name(f"{run[1]}_history.csv")
    try:
        rows = read_history(path)
    except (OSError, UnicodeDecodeError):
        return {}
    curves: Curves = {}
    for iteration, kind, name, value in rows:
        chart, curve = _chart(kind, name)
        curves.setdefault(chart, {}).setdefault(curve, []).append((iteration, value))
    for named in curves.values():
        if len(named) == 2:
            named.pop("total", None)  # the sum of a single loss
    return curves


def _chart(kind: str, name: str) -> tuple[str, str]:
    """The chart and the curve that a row of a history belongs to."""
    if kind == "iou" or name == "miou":
        return "Validation IoU", "mean" if name == "miou" else name
    if kind == "validation":
        return f"Validation {name}", name
    return f"Training {kind}" if kind == "loss" else kind.replace("_", " ").capitalize(), name
