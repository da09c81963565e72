"""Training steps that tests look at or disturb."""

from collections.abc import Callable
from typing import Any

from segmentor.trainer import Trainer


class ObservedStep:
    """A trainer's step with calls before and after it.

    Args:
        trainer: gets this object as its step.
        before: called with batch and iteration.
        after: called with the result and the iteration.
    """

    def __init__(
        self,
        trainer: Trainer,
        before: Callable[[Any, int], Any] = lambda batch, iteration: None,
        after: Callable[[Any, int], Any] = lambda result, iteration: None,
    ) -> None:
        self._step, self._before, self._after = trainer.step, before, after
        trainer.step = self

    def __call__(self, batch: Any, iteration: int) -> Any:
        self._before(batch, iteration)
        result = self._step(batch, iteration)
        self._after(result, iteration)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._step, name)
