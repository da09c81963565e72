"""The result folder of a test or a prediction: who may write to it, and frames written and scored in threads."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
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
from lib.utils.manifest import REMEDY, Manifest, is_same, refuse_sources
from segmentor.evaluation.frame_files import FRAME_FILES, Background, FrameFiles

PARTS = tuple(part for part, _ in FRAME_FILES)
TOOLS = ("labelme", "coco", "cvat")
"""Folders of labels to correct, see ``predict.correct_in``."""
MAX_THREADS = 8


def result_manifest(folder: Path, names: Iterable[str], sources: Iterable[Path], rank: int = 0) -> Manifest:
    """The manifest of a folder that the results of a test or a prediction may be written to.

    Args:
        folder: of the results; gets ``label/``, ``vis/``, ``prob/`` and one of :data:`TOOLS`. It is neither made nor
            changed here.
        names: of the other files in it.
        sources: files and folders that the run reads; they need not exist.
        rank: of this process.

    Raises:
        ConfigError: results would replace what the run reads, or be taken for the truth of frames that it reads.
        OutputError: the folder holds labels, or files of these names, that no test or prediction wrote.
    """
    sources, manifest = list(sources), Manifest(folder, "results", rank)
    read = [source for source in sources if source.is_dir()]
    read += [source.parent for source in read if source.name == "image"]
    read += [source / part for source in read for part in ("image", "label")]
    refuse_sources(folder, PARTS, read, REMEDY)
    for source in sources:
        refuse_result(folder, names, source)
    frame_files = [path for part in (*PARTS, *TOOLS) for path in (folder / part).glob("[!.]*") if path.is_file()]
    manifest.refuse_others([*frame_files, *manifest.own_files(), *(folder / name for name in names)], REMEDY)
    return manifest


def refuse_result(folder: Path, names: Iterable[str], source: Path) -> None:
    """Check that a file that is read is none that results in ``folder`` would replace; see :func:`result_manifest`.

    Raises:
        ConfigError: it is.
    """
    parents = [folder / part for part in PARTS]
    replaced = any(is_same(source.parent, parent) for parent in parents)
    if replaced or any(is_same(source, folder / name) for name in names):
        raise ConfigError(f"{folder}: {source} is read, and results written there would replace it; {REMEDY}")


class ResultWriter:
    """A context that writes and scores the frames of batches in threads, so that the network need not wait.

    Args:
        config: of the run.
        manifest: see :class:`~segmentor.evaluation.frame_files.FrameFiles`.
    """

    def __init__(self, config: Config, manifest: Manifest) -> None:
        self._files = FrameFiles(config, manifest)
        self._num_classes = config.data.num_classes
        threads = min(MAX_THREADS, available_cores())
        self._background = Background(threads, max_pending=2 * config.test.batch_size + threads)
        self._scores: list[Future] = []

    def __enter__(self) -> "ResultWriter":
        self._background.__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._background.__exit__(kind, error, trace)

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
