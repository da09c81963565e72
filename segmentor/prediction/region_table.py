"""The table of a sequence's facial regions, a row per frame and region, with its figures and the breathing rate."""

import csv
import json
import logging
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import astuple, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from lib.metrics.breathing import breathing
from lib.metrics.regions import Measurement, region_names
from lib.utils.files import atomic_write
from lib.vis.series import save_breathing, save_region_series

logger = logging.getLogger("samcl")

COLUMNS = ("frame", "time_s", *(field.name for field in fields(Measurement)))
CSV: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape", "newline": ""}
"""How tables are opened; file names that aren't UTF-8 keep their bytes."""
DECIMALS = {"centroid_x": 2, "centroid_y": 2, "confidence": 4}
"""Temperatures have four as well: means of many pixels are finer than a camera's noise."""
FILES = ("regions.csv", "regions.png", "breathing.csv", "breathing.json", "breathing.png")


class RegionTable:
    """A context that writes ``regions.csv``, a row per frame and region; keeps one mean per row in memory.

    The file appears when the ``with`` block ends. After an error it has what was added until then, if anything was.

    Args:
        out_dir: folder of the :data:`FILES`.
        class_names: C names.
        fps: frames per second; None where it is unknown.
    """

    def __init__(self, out_dir: Path, class_names: Sequence[str], fps: float | None) -> None:
        self._out_dir, self._fps = out_dir, fps
        self._means = {name: array("d") for name in region_names(class_names)}
        self._frames = 0
        self._opened = atomic_write(out_dir / "regions.csv", "w", **CSV)

    def __enter__(self) -> "RegionTable":
        self._rows = csv.writer(self._opened.__enter__(), lineterminator="\n")
        self._rows.writerow(COLUMNS)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or not self._frames:
            self._opened.__exit__(kind, error, trace)
            return
        with suppress(OSError):  # the error that is on its way says more
            self._opened.__exit__(None, None, None)

    def add(self, name: str, measurements: Iterable[Measurement], position: int | None = None) -> None:
        """Append the rows of the next frame, one per region.

        Args:
            name: of the frame.
            measurements: from :func:`lib.metrics.regions.measure`.
            position: of the frame in its sequence, of which frames may be missing; None for the one after the last.
        """
        missing = 0 if position is None else position - self._frames
        for means in self._means.values():
            means.extend([np.nan] * missing)
        self._frames += missing
        time = "" if self._fps is None else f"{self._frames / self._fps:.4f}"
        for measured in measurements:
            row = zip(COLUMNS[2:], astuple(measured), strict=True)
            self._rows.writerow([name, time, *(_text(column, value) for column, value in row)])
            mean = measured.mean if measured.valid else None
            self._means[measured.region].append(np.nan if mean is None else mean)
        self._frames += 1

    def summarise(self) -> None:
        """Draw ``regions.png``, and find the breathing rate where the frame rate is known; of two frames or more."""
        means = {name: np.asarray(values) for name, values in self._means.items()}
        if self._frames < 2 or not any(np.isfinite(values).any() for values in means.values()):
            return
        index = np.arange(self._frames)
        time, label = (index, "frame") if self._fps is None else (index / self._fps, "time (s)")
        save_region_series(self._out_dir / "regions.png", time, label, means)
        if self._fps is None:
            logger.info("the frame rate is unknown: no times, no breathing; --fps N says it")
        elif "nostrils" in means:
            self._summarise_breathing(time, means["nostrils"], self._fps)

    def _summarise_breathing(self, time: np.ndarray, nostrils: np.ndarray, fps: float) -> None:
        found = breathing(nostrils, fps)
        logger.info("breathing: %s", found.note)
        if found.filtered is None or found.frequencies is None or found.power is None:
            return
        with atomic_write(self._out_dir / "breathing.csv", "w", **CSV) as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("time_s", "nostrils", "band_passed"))
            for when, raw, filtered in zip(time, nostrils, found.filtered, strict=True):
                rows.writerow((f"{when:.4f}", "" if np.isnan(raw) else f"{raw:.4f}", f"{filtered:.5f}"))
        with atomic_write(self._out_dir / "breathing.json", "w", encoding="utf-8") as file:
            rate = None if found.rate is None else round(found.rate, 2)
            json.dump({"breaths_per_minute": rate, "clear": found.clear, "note": found.note}, file, indent=2)
        save_breathing(
            self._out_dir / "breathing.png",
            time,
            nostrils,
            found.filtered,
            found.frequencies,
            found.power,
            found.rate,
            f"Breathing: {found.note}",
        )


def _text(column: str, value: str | float | int | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{DECIMALS.get(column, 4)}f}"
    return str(int(value)) if isinstance(value, bool) else str(value)
