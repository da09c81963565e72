"""A live view: frames from a source through the network, the newest result at hand, the rest dropped."""

import base64
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from lib.metrics.regions import Measurement
from lib.thermal import ThermalFrame
from lib.utils.config import Config
from lib.utils.runtime import Runtime
from lib.vis.overlay import tinted
from segmentor.live.curve import SAMPLES_PER_SECOND, NostrilCurve
from segmentor.live.slots import NewestSlot, Rate
from segmentor.live.sources import LiveFrame, Source
from segmentor.live.tracking import FaceTracker
from segmentor.prediction.segmenter import Segmenter

logger = logging.getLogger("samcl")

KEPT = 16
"""Results that can still be asked for: a person who saves one saw it a moment ago."""
JPEG_QUALITY = 90


@dataclass(frozen=True)
class Shown:
    """A frame with what was found in it.

    Attributes:
        number: 1, 2, ... in the order of the results.
        source: the frame with its name and time.
        label: (H, W) uint8 classes.
        measurements: one for each facial region.
        jpeg: of the frame with its masks.
    """

    number: int
    source: LiveFrame
    label: np.ndarray
    measurements: list[Measurement]
    jpeg: bytes


Find = Callable[[str, ThermalFrame], tuple[np.ndarray, list[Measurement]]]
"""From a frame's name and the frame to its classes (H, W) uint8 and what its regions measure."""


def build_find(config: Config, runtime: Runtime) -> Find:
    """What the network of a config finds; of ``zoom_test`` for one look a frame (:class:`FaceTracker`).

    Raises:
        CheckpointError: ``network.resume`` can't be read, or doesn't fit the network.
    """
    segmenter, test = Segmenter(config, runtime), config.test
    look: Callable[[Tensor], Tensor] = segmenter.logits
    if test.mode == "zoom_test" and test.scale_search[0] == 1:
        look = FaceTracker(segmenter.inference.look_once, test.zoom_margin)

    @torch.inference_mode()
    def find(name: str, frame: ThermalFrame) -> tuple[np.ndarray, list[Measurement]]:
        image, letterbox = segmenter.prepare(name, frame)
        found = segmenter.segment(look(image[None])[0], letterbox)
        return found.label, segmenter.measure(name, frame, found)

    return find


class LiveSession:
    """A context in which one thread reads a source and another one finds faces in its newest frame.

    Args:
        source: of the frames.
        find: see :data:`Find`.
        palette: (C, 3) uint8 of the classes.

    Attributes:
        source: the same.
    """

    def __init__(self, source: Source, find: Find, palette: np.ndarray) -> None:
        self.source = source
        self._find, self._palette = find, palette
        self._cores = torch.get_num_threads()
        self._slot: NewestSlot[LiveFrame] = NewestSlot()
        self._changed = threading.Condition()
        self._recent: deque[Shown] = deque(maxlen=KEPT)
        self._running = threading.Event()
        self._running.set()
        self._stopped = False
        self._state = "waiting for frames"
        self._failure = ""
        self._curve, self._curve_at = NostrilCurve(), -np.inf
        self._breathing: dict[str, Any] = {"note": "", "celsius": [], "step": 1 / SAMPLES_PER_SECOND}
        self._came, self._went = Rate(), Rate()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._segment)]

    def __enter__(self) -> "LiveSession":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped = True
        self._running.set()
        self._slot.close()
        self._threads[1].join()  # the other one may wait for a frame that never comes

    def pause(self, paused: bool) -> None:
        """Keep what is shown, or go on: a file waits, the frames of other sources pass unseen."""
        if paused:
            self._running.clear()
        else:
            self._running.set()
        with self._changed:
            self._changed.notify_all()

    def newest(self, after: int, timeout: float) -> Shown | None:
        """The newest result, once its number is greater than ``after``; None if it isn't within ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout)
            return self._recent[-1] if self._number > after else None

    def recent(self, number: int) -> Shown | None:
        """One of the newest results by its number; None where it has gone."""
        with self._changed:
            return next((shown for shown in self._recent if shown.number == number), None)

    def state(self) -> dict[str, Any]:
        """What the page says beside the result, for JSON."""
        return {
            "source": self.source.title,
            "state": self._failure or ("paused" if not self._running.is_set() else self._state),
            "failed": bool(self._failure),
            "paused": not self._running.is_set(),
            "came": round(self._came.per_second(), 1),
            "shown": round(self._went.per_second(), 1),
            "frames": self._number,
            "dropped": self._slot.dropped,
        }

    def result(self, shown: Shown) -> dict[str, Any]:
        """What the page says of a result, for JSON."""
        regions = [
            {
                "name": found.region.replace("_", " "),
                "mean": _rounded(found.mean),
                "min": _rounded(found.min),
                "max": _rounded(found.max),
                "pixels": found.pixels,
                "valid": found.valid,
            }
            for found in shown.measurements
        ]
        return {
            "number": shown.number,
            "name": shown.source.name,
            "picture": f"data:image/jpeg;base64,{base64.b64encode(shown.jpeg).decode()}",
            "regions": regions,
            "breathing": self._breathing,
        }

    @property
    def _number(self) -> int:
        return self._recent[-1].number if self._recent else 0

    def _read(self) -> None:
        """The first thread's work."""
        try:
            for frame in self.source.frames():
                if self.source.waits:
                    self._running.wait()
                if self._stopped:
                    return
                self._came.tick()
                self._slot.put(frame)
            self._state = "the source has ended"
        except Exception as error:  # the page must say why it stands still
            self._fail(error)
        finally:
            self._slot.close()

    def _segment(self) -> None:
        """The second thread's work."""
        torch.set_num_threads(self._cores)  # OpenMP counts its threads anew for each
        try:
            while (frame := self._slot.take()) is not None and not self._stopped:
                if self._running.is_set():
                    self._show(frame)
        except Exception as error:  # as above
            self._fail(error)

    def _show(self, source: LiveFrame) -> None:
        label, measurements = self._find(source.name, source.frame)
        picture = cv2.cvtColor(tinted(source.frame.values, label, self._palette), cv2.COLOR_RGB2BGR)
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
        self._measure_breathing(source.seconds, measurements)
        if self._state == "waiting for frames":
            self._state = "live"
        with self._changed:
            self._recent.append(Shown(self._number + 1, source, label, measurements, jpeg))
            self._went.tick()
            self._changed.notify_all()

    def _measure_breathing(self, seconds: float, measurements: list[Measurement]) -> None:
        """Once a second find the breathing rate anew."""
        nostrils = next((found for found in measurements if found.region == "nostrils"), None)
        self._curve.add(seconds, nostrils.mean if nostrils and nostrils.valid else None)
        if not 0 <= seconds - self._curve_at < 1:
            curve = self._curve.curve()
            celsius = [_rounded(value) for value in curve.celsius.tolist()]
            self._breathing = {"note": curve.found.note, "celsius": celsius, "step": 1 / SAMPLES_PER_SECOND}
            self._curve_at = seconds

    def _fail(self, error: Exception) -> None:
        logger.error("%s", error)
        with self._changed:
            self._failure = str(error)
            self._changed.notify_all()


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 2)
