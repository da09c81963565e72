"""What every prediction does with a frame, whoever asks for it: prepare, segment, measure."""

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lib.datasets.build import normalization
from lib.metrics.components import remove_small_components
from lib.metrics.regions import Measurement, find_regions, measure
from lib.models.build import build_network_with_weights
from lib.models.folding import fold_batch_norms
from lib.thermal import Letterbox, ThermalFrame, normalize
from lib.thermal.plausibility import doubt_about_face
from lib.utils.config import Config
from lib.utils.runtime import Runtime
from segmentor.evaluation.inference import Inference, build_inference
from segmentor.prediction.polarity import Polarity

logger = logging.getLogger("samcl")

MAX_NOTES = 5


class Segmented(NamedTuple):
    """What was found in a frame.

    Attributes:
        label: (H, W) uint8 classes at the frame's own size, without facial areas that are too small.
        probability: (H, W) float32, that of each pixel's most probable class.
        probabilities: (C, H, W) float32 on the network's device.
    """

    label: np.ndarray
    probability: np.ndarray
    probabilities: Tensor


class Segmenter:
    """A trained network with all that frames go through before and after it.

    Frames are letterboxed to the size that the network was trained at (``train.data_transformer.input_size``); with
    ``test.mode`` ``sscrop_test`` a window slides over them at their own size. Grey pictures are made white hot. What a
    reader assumed about frames, and what is strange about their faces, is logged once.

    Threads may call :meth:`logits` and :meth:`segment` at the same time, and one of them :meth:`prepare`.

    Args:
        config: of the run.
        runtime: device and number format.
        network_turn: a context in which the network is called.

    Attributes:
        inference: the network, from images to logits.

    Raises:
        CheckpointError: ``network.resume`` can't be read, or doesn't fit the network.
    """

    def __init__(self, config: Config, runtime: Runtime, network_turn: AbstractContextManager | None = None) -> None:
        self._config = config
        self.inference = _build_inference(config, runtime)
        self._network_turn = nullcontext() if network_turn is None else network_turn
        self._polarity = Polarity(config.predict.polarity, self._face_area)
        self._notes: set[str] = set()
        self._doubted = False

    def prepare(self, name: str, frame: ThermalFrame) -> tuple[Tensor, Letterbox | None]:
        """The image that the network gets.

        Args:
            name: of the frame, for the log.
            frame: as read.

        Returns:
            (1, h, w) float32, normalised, and what leads back to the frame's size; None where it has that size.
        """
        self._log_notes(name, frame)
        letterbox, image, valid = None, frame.values, None
        if self._config.test.mode != "sscrop_test":
            width, height = self._config.train.data_transformer.input_size
            letterbox = Letterbox(frame.values.shape, (height, width))
            image, valid = letterbox.to_network(frame.values)
        section = self._config.normalize
        if not frame.radiometric:
            section = section.model_copy(update={"clip": None, "window": None})
        image = normalize(image, valid, **normalization(section))
        if not frame.radiometric:
            image = self._polarity.white_hot(image)
        return torch.from_numpy(image)[None], letterbox

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """(N, C, h, w) float32, on the network's device, of prepared images (N, 1, h, w)."""
        with self._network_turn:
            return self.inference(images)

    @torch.inference_mode()
    def segment(self, logits: Tensor, letterbox: Letterbox | None) -> Segmented:
        """What a frame's logits (C, h, w) say, at its own size; ``letterbox`` is that of :meth:`prepare`."""
        maps = logits[None] if letterbox is None else letterbox.to_frame(logits[None])
        probabilities = maps[0].softmax(0)
        probability, label = (found.cpu().numpy() for found in probabilities.max(0))
        label = remove_small_components(label.astype(np.uint8), self._config.predict.min_component_ratio)
        return Segmented(label, probability, probabilities)

    def measure(self, name: str, frame: ThermalFrame, found: Segmented) -> list[Measurement]:
        """What the regions of a frame measure, one entry for each; arguments as of the other methods."""
        regions = find_regions(found.label, self._config.data.names, self._config.predict.erode)
        temperatures = frame.values if frame.radiometric else None
        if temperatures is not None and not self._doubted:
            doubt = doubt_about_face(temperatures[found.label > 0], frame.unit)
            if doubt:
                self._doubted = True
                logger.warning("%s: %s", name, doubt)
        return [measure(region, area, temperatures, found.probability) for region, area in regions.items()]

    @torch.inference_mode()
    def _face_area(self, image: np.ndarray) -> float:
        """The share of pixels of a normalised image (h, w) that are not the first class, the background."""
        with self._network_turn:
            logits = self.inference.look_once(torch.from_numpy(image)[None, None])
        return float((logits.argmax(1) > 0).float().mean())

    def _log_notes(self, name: str, frame: ThermalFrame) -> None:
        """Log what a reader assumed about a frame; each note is logged once."""
        notes = [frame.note]
        if not frame.radiometric:
            notes.append("not radiometric: no temperatures are measured")
            if self._config.normalize.window is not None:
                notes.append("normalize.window means deg C: grey levels are normalised by their own extremes instead")
        for note in notes:
            if note and note not in self._notes and len(self._notes) < MAX_NOTES:
                self._notes.add(note)
                logger.info("%s: %s", name, note)


def _build_inference(config: Config, runtime: Runtime) -> Inference:
    """The network with its weights, in the number format that ``solver.precision`` says."""
    if config.solver.precision == "auto" and runtime.autocast_dtype is not torch.bfloat16:
        # Features of a network that learnt in another format may exceed the range of float16.
        runtime = replace(runtime, autocast_dtype=None)
    network = build_network_with_weights(config).eval()
    if runtime.autocast_dtype is not None:
        network = fold_batch_norms(network)
    network = network.to(runtime.device).to(memory_format=torch.channels_last)
    return build_inference(config, config.test, network, runtime, amp=True)
