"""Predictions on frames without labels: masks, pictures, a video, and measurements of facial regions."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from lib.datasets.annotations.masks import LABEL_MAP, label_map
from lib.datasets.annotations.shapes import LabelledPicture
from lib.datasets.build import reading_of
from lib.datasets.preparation import SKIPPED_FILE, write_skipped
from lib.metrics.regions import Measurement, region_names
from lib.thermal import ThermalFrame, open_sequence
from lib.utils.config import Config
from lib.utils.errors import CheckpointError, ConfigError, DataError
from lib.utils.files import atomic_write
from lib.utils.runtime import Runtime
from lib.utils.text import first_few
from lib.vis.palette import palette_of
from lib.vis.series import load_figures
from lib.vis.video import VideoFile
from segmentor.conversion.tool_folder import ToolFolder
from segmentor.evaluation.frame_files import Background, FrameFiles
from segmentor.evaluation.result_folder import refuse_result, result_manifest
from segmentor.prediction.pipeline import PreparedFrame, batches_of, plan_pipeline, prefetched
from segmentor.prediction.region_table import FILES, RegionTable
from segmentor.prediction.segmenter import Segmenter
from segmentor.training.stopping import interrupted_by_sigterm

logger = logging.getLogger("samcl")

DEFAULT_FPS = 10.0
"""Frames per second of the video where the frame rate is unknown."""
OTHER_FILES = (*FILES, "overlay.mp4", SKIPPED_FILE, LABEL_MAP)
"""Those in the folder of the results that are not of one frame."""


class FinishedFrame(NamedTuple):
    """A frame whose files are written, for the video and the table of regions.

    Attributes:
        name: unique among the frames.
        position: 0, 1, ... in the sequence, files that were left out counted.
        picture: (H', W', 3) uint8 RGB; None without ``test.save_vis``.
        measurements: one for each facial region.
        to_correct: its shapes for an annotation tool; None where none are written.
    """

    name: str
    position: int
    picture: np.ndarray | None
    measurements: list[Measurement]
    to_correct: LabelledPicture | None


class Predictor:
    """Segments the frames of ``predict.input`` with ``network.resume``.

    Each goes through a :class:`~segmentor.prediction.segmenter.Segmenter`. Threads read frames, compute and write files
    at the same time (:class:`~segmentor.prediction.pipeline.Pipeline`), a bounded number of frames each, so a sequence
    may have any length.

    Args:
        config: of the run.
        runtime: device and processes.

    Raises:
        CheckpointError: no checkpoint is named, or it doesn't fit the network.
        ConfigError: no input is named, it would be replaced by the results, or the network doesn't take one channel.
        DataError: the input can't be read.
        OutputError: the folder of the results holds labels or results that no test or prediction wrote.
    """

    def __init__(self, config: Config, runtime: Runtime) -> None:
        if not config.network.resume:
            raise CheckpointError("--phase predict needs a checkpoint: name it with --resume FILE.pth")
        if not config.predict.input:
            raise ConfigError(
                "--phase predict needs frames: name a file, a folder or a video with --input, or - for names on "
                "standard input"
            )
        if config.data.num_channels != 1:
            raise ConfigError(
                f"--phase predict reads thermal frames, which have one channel, and the network takes "
                f"data.num_channels {config.data.num_channels}; use one that takes 1, or --phase test --test_dir DIR, "
                "which writes masks of any frames"
            )
        self.config, self.runtime, reading = config, runtime, config.predict
        self._skips = config.data.on_bad_sample == "skip"
        self.out_dir = Path(config.test.out_dir or f"seg_results/{Path(config.network.resume).stem}_predict")
        self.sequence = open_sequence(
            *(config.predict.input, reading_of(config.data), self._skip if self._skips else None),
            lambda path: refuse_result(self.out_dir, OTHER_FILES, path),
        )
        sources = [] if reading.input == "-" else [Path(config.predict.input)]
        self._manifest = result_manifest(self.out_dir, OTHER_FILES, sources)
        self.fps = reading.fps or self.sequence.fps
        self._pipeline = plan_pipeline(runtime.device, config.test.batch_size)
        self._segmenter = Segmenter(config, runtime, self._pipeline.network_turn)
        self._files = FrameFiles(config, self._manifest)
        tool = reading.correct_in
        self._tool = ToolFolder(self.out_dir / tool, tool, config.data.names, self._manifest) if tool else None
        self._to_correct: list[LabelledPicture] = []
        self._position = 0
        self._skipped: list[tuple[str, str]] = []
        self._failure: Exception | None = None

    def run(self) -> None:
        """Write ``label/``, with ``test.save_vis`` ``vis/``, with ``test.save_prob`` ``prob/``, ``regions.csv``,
        ``labelmap.txt``, with ``predict.correct_in`` a folder of that name, and of sequences figures, the breathing
        rate and, with ``test.save_vis``, ``overlay.mp4``.

        What was found before a frame that can't be read is written. With ``data.on_bad_sample`` ``skip`` so is what
        comes after it, and ``skipped.csv`` names the files that were left out. Before the first frame has gone through
        the network nothing is written or removed.

        Raises:
            DataError: a frame can't be read, or there is none; with ``skip`` after all others.
            Interrupted: SIGTERM came; what was measured is written.
        """
        self._announce()
        start = time.monotonic()
        batches = self._batches()
        first = next(batches, None)
        if first is None:
            raise self._failure or self._without_frames()
        logits = self._logits(first)
        self._manifest.clear()
        with (
            self._pipeline.computing(),
            interrupted_by_sigterm(),
            self._manifest.writing(*(self.out_dir / name for name in OTHER_FILES)),
        ):
            self._write_label_map()
            table = RegionTable(self.out_dir, self.config.data.names, self.fps)
            count = self._write_all(chain([(first, logits)], ((batch, None) for batch in batches)), table)
            seconds = time.monotonic() - start
            logger.info("%s in %.1f s (%.1f frames per second)", _counted(count), seconds, count / seconds)
            table.summarise()
            if self._skipped:
                write_skipped(self.out_dir, self._skipped)
        logger.info("results: %s", self.out_dir)
        self._raise_what_was_bad(count)

    def _write_all(self, batches: Iterator[tuple[list[PreparedFrame], Tensor | None]], table: RegionTable) -> int:
        """Predict batches, some of which have logits already, and write what there is of them; returns how many frames
        there were."""
        count, waiting = 0, self._pipeline.workers + 1
        with ExitStack() as stack:
            if self._tool:  # after all else, also when a signal or an error ends it
                stack.callback(self._tool.finish, self._to_correct)
            stack.enter_context(table)
            video = stack.enter_context(VideoFile(self.out_dir / "overlay.mp4", self.fps or DEFAULT_FPS))
            # One thread for what goes in order, others for what doesn't.
            ordered = stack.enter_context(Background(1, waiting))
            workers = stack.enter_context(Background(self._pipeline.workers, waiting, self._pipeline.start_thread))
            if self.sequence.length != 1:
                ordered.submit(load_figures)
            progress = stack.enter_context(
                tqdm(total=self.sequence.length, unit="frame", dynamic_ncols=True, disable=None)
            )
            for batch, logits in batches:
                finished = workers.submit(self._predict, batch, logits)
                ordered.submit(self._append, finished, table, video)
                count += len(batch)
                progress.update(len(batch))
        return count

    def _without_frames(self) -> DataError:
        source = self.config.predict.input
        if not self._skipped:
            return DataError(f"{source}: no frames")
        reasons = first_few([f"\n  {reason}" for _, reason in self._skipped], separator="")
        return DataError(f"{source}: none of {len(self._skipped)} files can be read:{reasons}")

    def _raise_what_was_bad(self, count: int) -> None:
        if self._failure is not None:
            logger.warning(
                "results are of %s, those before one that can't be read; --on_bad_sample skip leaves such files out",
                _counted(count),
            )
            raise self._failure
        if self._skipped:
            reasons = first_few([f"\n  {reason}" for _, reason in self._skipped], separator="")
            raise DataError(
                f"{len(self._skipped)} of {count + len(self._skipped)} frames can't be read and are left out, see "
                f"{self.out_dir / SKIPPED_FILE}:{reasons}"
            )

    def _announce(self) -> None:
        length = "frames" if self.sequence.length is None else _counted(self.sequence.length)
        rate = f" at {self.fps:g} frames per second" if self.fps else ""
        source = "standard input" if self.config.predict.input == "-" else self.config.predict.input
        what = (length + rate, source, self.config.network.resume, self.out_dir)
        logger.info("predicting %s of %s with %s, writing to %s", *what)
        if "nostrils" not in region_names(self.config.data.names):
            logger.info("no class is called nose: no nostrils, no nose tip, no breathing")

    def _batches(self) -> Iterator[list[PreparedFrame]]:
        """Batches of frames, read before the network needs them."""
        frames = prefetched(self._prepared(), self._pipeline.ahead, self._pipeline.start_thread)
        return batches_of(frames, self._pipeline.batch_size)

    def _logits(self, batch: list[PreparedFrame]) -> Tensor:
        """(N, C, h, w) float32 of a batch, at the images' size."""
        return self._segmenter.logits(torch.stack([prepared.image for prepared in batch]))

    def _predict(self, batch: list[PreparedFrame], logits: Tensor | None) -> list[FinishedFrame]:
        """Take a batch through the network, unless its logits are there, and write its files."""
        maps = self._logits(batch) if logits is None else logits
        return [self._finish(prepared, frame_logits) for prepared, frame_logits in zip(batch, maps, strict=True)]

    def _prepared(self) -> Iterator[PreparedFrame]:
        """The frames up to one that can't be read, or all others where those are skipped."""
        frames = iter(self.sequence)
        while self._failure is None:
            try:
                prepared = self._prepare(*next(frames))
            except StopIteration:
                return
            except Exception as error:  # raised when the frames before it have been through the network
                self._failure = error
                return
            yield prepared
            self._position += 1

    def _skip(self, name: str, reason: DataError) -> None:
        """Leave out a file that can't be read; in the time of the sequence it counts."""
        logger.warning("left out, as data.on_bad_sample is skip: %s", reason)
        self._skipped.append((name, str(reason)))
        self._position += 1

    def _prepare(self, name: str, frame: ThermalFrame) -> PreparedFrame:
        image, letterbox = self._segmenter.prepare(name, frame)
        return PreparedFrame(name, self._position, frame, image, letterbox)

    def _finish(self, prepared: PreparedFrame, logits: Tensor) -> FinishedFrame:
        """Bring a frame's logits to its own size, write its files and measure its regions."""
        name, frame = prepared.name, prepared.frame
        found = self._segmenter.segment(logits, prepared.letterbox)
        whole = found.probabilities.permute(1, 2, 0).cpu().numpy() if self._files.save_prob else None
        picture = self._files.write(name, frame.values, found.label, whole)
        measurements = self._segmenter.measure(name, frame, found)
        to_correct = self._tool.add(name, frame.values, found.label) if self._tool else None
        return FinishedFrame(name, prepared.position, picture, measurements, to_correct)

    def _append(self, finished: Future, table: RegionTable, video: VideoFile) -> None:
        frames: list[FinishedFrame] = finished.result()
        for frame in frames:
            table.add(frame.name, frame.measurements, frame.position)
            if frame.picture is not None:
                video.write(frame.picture)
            if frame.to_correct is not None:
                self._to_correct.append(frame.to_correct)

    def _write_label_map(self) -> None:
        """Names and colours of the classes, by which other programs read the masks."""
        data = self.config.data
        with atomic_write(self.out_dir / LABEL_MAP, "w", encoding="utf-8") as file:
            file.write(label_map(data.names, palette_of(data.num_classes, data.palette)))


def _counted(frames: int) -> str:
    return "1 frame" if frames == 1 else f"{frames} frames"
