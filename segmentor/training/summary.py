"""Scalars and pictures for TensorBoard; a disk that fails or fills up does not end the run."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

logger = logging.getLogger("samcl")


class TensorBoardSummary:
    """Writes scalars and pictures for TensorBoard; at an error or a bound on size it warns and stops for good.

    Args:
        folder: of the event files; those of an earlier run are deleted where a new one starts.
        start: iterations done before the run is resumed; what it wrote after them is not shown.
        max_mb: bound on the size of the event files, in MB (1e6 bytes).
    """

    def __init__(self, folder: Path, start: int, max_mb: int) -> None:
        self._folder = folder
        self._start = start
        self._max_mb = max_mb
        self._writer: Any = None
        self._stopped = False

    def scalars(self, iteration: int, values: dict[str, float | None]) -> None:
        """Write the values by name that are not None."""
        for name, value in values.items():
            if value is not None:
                self._write("add_scalar", name, value, iteration)

    def picture(self, name: str, picture: np.ndarray, iteration: int) -> None:
        """Write a picture (H, W, 3) uint8 RGB."""
        self._write("add_image", name, picture, iteration, dataformats="HWC")

    def close(self) -> None:
        """Flush what is buffered, and write nothing from then on."""
        if self._writer is not None:
            self._write("close")
        self._stopped = True

    def _write(self, method: str, *arguments: Any, **named: Any) -> None:
        if self._stopped:
            return
        try:
            self._writer = self._writer or self._open()
            if sum(file.stat().st_size for file in self._folder.iterdir()) > self._max_mb * 1e6:
                self._stop(f"{self._folder} has reached logging.max_mb ({self._max_mb})")
            else:
                getattr(self._writer, method)(*arguments, **named)
        except OSError as error:
            self._stop(str(error))

    def _open(self) -> Any:
        # Imported here: TensorBoard takes a second to import, and nothing needs it before the first step is done.
        from torch.utils.tensorboard import SummaryWriter

        for old in self._folder.glob("events.out.tfevents.*") if self._start == 0 else ():
            old.unlink()
        return SummaryWriter(self._folder, purge_step=self._start + 1 if self._start else None)

    def _stop(self, reason: str) -> None:
        logger.warning("TensorBoard ends here, and the run goes on: %s", reason)
        self._stopped = True
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()
