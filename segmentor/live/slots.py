"""What threads hand to each other live: the newest item, never a queue."""

import threading
import time
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class NewestSlot(Generic[Item]):
    """Holds one item for a thread that takes it; a newer one takes its place.

    Attributes:
        dropped: how many items nobody took.

    >>> slot = NewestSlot()
    >>> slot.put("old"), slot.put("new")
    (None, None)
    >>> slot.take(), slot.dropped
    ('new', 1)
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def put(self, item: Item) -> None:
        """Hold an item in place of the one before."""
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self) -> Item | None:
        """The newest item, once there is one that wasn't taken; None where no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """No more items will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()


class Rate:
    """How many times a second something happened of late."""

    SECONDS = 2.0
    """That are looked back on."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=1000)

    def tick(self) -> None:
        """It happened."""
        self._times.append(time.monotonic())

    def per_second(self) -> float:
        """0 where it happened less than twice."""
        now = time.monotonic()
        recent = [when for when in tuple(self._times) if now - when < self.SECONDS]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0
