"""Which samples a batch holds, and in which order batches come: a matter of seed and step, not of workers."""

from collections.abc import Iterator, Sequence

import numpy as np

from lib.utils.errors import ConfigError


class EndlessBatches:
    """This process's share of an endless stream of full batches, from any step on.

    Every epoch is a new permutation of the samples. With ``drop_last`` the rest of an epoch that doesn't
    fill a batch is dropped; without, or if a batch is larger than an epoch, batches run on into the next.

    Args:
        num_samples: samples in an epoch.
        batch_size: samples of a batch over all processes.
        seed: of the permutations.
        start_step: number of batches that were drawn before.
        drop_last: see above.
        rank, world_size: this process and the number of all; each takes an equal slice of the same batch.

    Yields:
        list of (epoch, index of the sample), ``batch_size / world_size`` of them.

    Raises:
        ConfigError: the processes can't share a batch equally.
    """

    def __init__(
        self,
        num_samples: int,
        batch_size: int,
        seed: int,
        start_step: int = 0,
        drop_last: bool = True,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if batch_size < 1 or batch_size % world_size:
            raise ConfigError(
                "train.batch_size: expected a multiple of the number of processes, as it counts the frames "
                f"of all, got {batch_size} for {world_size}"
            )
        full = num_samples // batch_size * batch_size
        self._per_epoch = full if drop_last and full else num_samples
        self._num_samples = num_samples
        self._batch_size = batch_size
        self._seed = seed
        self._start_step = start_step
        self._share = batch_size // world_size
        self._rank = rank

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        position = self._start_step * self._batch_size + self._rank * self._share
        epoch, order = -1, np.empty(0, np.int64)
        while True:
            batch = []
            for place in range(position, position + self._share):
                if place // self._per_epoch != epoch:
                    epoch = place // self._per_epoch
                    order = self._permutation(epoch)
                batch.append((epoch, int(order[place % self._per_epoch])))
            yield batch
            position += self._batch_size

    def _permutation(self, epoch: int) -> np.ndarray:
        # the fourth word sets the stream apart from those of the samples, which have three
        return np.random.default_rng([self._seed, epoch, 0, 1]).permutation(self._num_samples)


def equal_size_batches(
    sizes: Sequence[tuple[int, int]], batch_size: int, rank: int = 0, world_size: int = 1
) -> list[list[int]]:
    """Share samples among processes without repeating any, and group each share into batches of equal (H, W).

    Args:
        sizes: (H, W) of each sample.
        batch_size: samples of a batch at most, per process.
        rank, world_size: this process takes samples rank, rank + world_size, ...

    Returns:
        Batches of indices, in the order of the samples within each size.

    >>> equal_size_batches([(6, 8), (4, 8), (6, 8)], batch_size=2)
    [[0, 2], [1]]
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for index in range(rank, len(sizes), world_size):
        groups.setdefault(sizes[index], []).append(index)
    return [
        group[start : start + batch_size] for group in groups.values() for start in range(0, len(group), batch_size)
    ]
