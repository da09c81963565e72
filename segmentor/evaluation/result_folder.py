"""The result folder of a test: an earlier test's files are removed, then frames are written and scored in threads."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lib.metrics import FrameScores, frame_scores
from lib.utils.config import Config
from lib.utils.errors import ConfigError
from lib.utils.machine import available_cores
from segmentor.evaluation.frame_files import Background, FrameFiles

SUMMARIES = ("metrics.json", "frames.csv", "report.html")
"""Files about all frames."""
FRAME_FILES = (("label", ".png"), ("vis", ".png"), ("prob", ".npy"))
"""Folder and suffix of the files of each frame."""
LISTING = ".written-{}.jsonl"
"""Names of the frames whose files were written by a process, one JSON string a line."""
MAX_THREADS = 8


def refuse_source_folder(config: Config, out_dir: Path) -> None:
    """Check that results aren't written where frames are read from: masks would replace labels, or be taken for them.

    Raises:
        ConfigError: ``out_dir`` is such a folder.
    """
    sources = [Path(root, split) for root in config.data.data_dir for split in ("", "train", "val")]
    if config.test.test_dir:
        folder = Path(config.test.test_dir)
        sources += [folder, *([folder.parent] if folder.name == "image" else [])]
    if out_dir.resolve() in [source.resolve() for source in sources]:
        raise ConfigError(
            f"test.out_dir: {out_dir} is a folder that frames and labels are read from, and the masks in its label/ "
            f"would be taken for the truth; name another one with --out_dir"
        )


def clear_results(folder: Path) -> None:
    """Remove what earlier tests and predictions wrote into ``folder``, and nothing else."""
    for name in SUMMARIES:
        (folder / name).unlink(missing_ok=True)
    for listing in sorted(folder.glob(LISTING.format("*"))):
        for name in _listed(listing):
            for part, suffix in FRAME_FILES:
                (folder / part / f"{name}{suffix}").unlink(missing_ok=True)
        listing.unlink()


def _listed(listing: Path) -> Iterator[str]:
    """Names in a listing; the last line of a killed test may be cut off."""
    for line in listing.read_text(encoding="utf-8").splitlines():
        try:
            name = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(name, str) and Path(name).name == name:
            yield name


class Listing:
    """A context that lists the frames whose files are written, for the next :func:`clear_results`.

    A name is listed before the files are written: those of a killed process must be found, too.

    Args:
        folder: of the results.
        rank: of this process.
    """

    def __init__(self, folder: Path, rank: int = 0) -> None:
        self._path = folder / LISTING.format(rank)

    def __enter__(self) -> "Listing":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._path, "w", encoding="utf-8", buffering=1)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def add(self, name: str) -> None:
        """List a frame whose files are about to be written."""
        self._file.write(f"{json.dumps(name)}\n")


class ResultWriter:
    """A context that writes and scores the frames of batches in threads, so that the network need not wait.

    Args:
        config: of the run.
        out_dir: see :class:`~segmentor.evaluation.frame_files.FrameFiles`.
        rank: of this process.
    """

    def __init__(self, config: Config, out_dir: Path, rank: int = 0) -> None:
        self._files = FrameFiles(config, out_dir)
        self._num_classes = config.data.num_classes
        threads = min(MAX_THREADS, available_cores())
        self._background = Background(threads, max_pending=2 * config.test.batch_size + threads)
        self._listing = Listing(out_dir, rank)
        self._contexts = ExitStack()
        self._scores: list[Future] = []

    def __enter__(self) -> "ResultWriter":
        self._contexts.enter_context(self._background)
        self._contexts.enter_context(self._listing)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._contexts.__exit__(kind, error, trace)

    def write(self, batch: dict[str, Any], logits: Tensor, prediction: Tensor) -> None:
        """Queue the files and scores of a batch.

        Args:
            batch: with ``frame`` (deg C), ``name``, and ``label`` int64 (N, H, W) with -1 ignored, or None.
            logits: (N, C, H, W) float32.
            prediction: (N, H, W) integer classes.
        """
        predictions = prediction.to(torch.uint8).cpu().numpy()
        count = len(predictions)
        probabilities: Sequence[np.ndarray | None] = [None] * count
        if self._files.save_prob:
            probabilities = list(logits.softmax(1).permute(0, 2, 3, 1).cpu().numpy())
        # As bytes, -1 is 255.
        truths = [None] * count if batch["label"] is None else batch["label"].to(torch.uint8).numpy()
        for frame in zip(batch["name"], batch["frame"], predictions, probabilities, truths, strict=True):
            self._listing.add(frame[0])
            self._scores.append(self._background.submit(self._finish, *frame))

    def scores(self) -> list[FrameScores]:
        """The scores of all labelled frames in the order of their batches; call it after the ``with`` block."""
        return [scores for scores in (future.result() for future in self._scores) if scores is not None]

    def _finish(
        self,
        name: str,
        frame: np.ndarray,
        prediction: np.ndarray,
        probability: np.ndarray | None,
        truth: np.ndarray | None,
    ) -> FrameScores | None:
        self._files.write(name, frame, prediction, probability)
        return None if truth is None else frame_scores(name, prediction, truth, self._num_classes)
