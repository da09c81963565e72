"""Counting training frames that can't be read, so that a few may be done without."""

import logging
from collections.abc import Mapping

from lib.utils.errors import DataError
from lib.utils.text import first_few

logger = logging.getLogger("samcl")
SHOWN = 20


class BadSamples:
    """The frames of this process's stream of batches that were found to be bad; each is logged once.

    Batches are counted when they are used, not when a worker reads them, so the same frame ends a run at the same
    step with any number of workers. A resumed run counts anew.

    Args:
        most: more different bad samples than this end the run.

    Attributes:
        reasons: what was wrong, by index of the sample, in the order of discovery.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.reasons: dict[int, str] = {}

    def add(self, reasons: Mapping[int, str]) -> None:
        """Count bad samples.

        Args:
            reasons: by index of the sample; those that are known are ignored.

        Raises:
            DataError: there are more than ``most``; names their number and files.
        """
        for index, reason in reasons.items():
            if index in self.reasons:
                continue
            self.reasons[index] = reason
            logger.warning(
                "%s; other frames take its place (data.on_bad_sample: skip), bad frames so far: %d of at most %d",
                *(reason, len(self.reasons), self.most),
            )
        if len(self.reasons) > self.most:
            listed = first_few([f"\n  {reason}" for reason in self.reasons.values()], SHOWN, "")
            raise DataError(
                f"{len(self.reasons)} bad training frames, at most {self.most} may be (data.max_bad_samples); mend or "
                f"remove them, or allow more:{listed}"
            )
