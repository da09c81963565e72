"""Orders: what a batch holds follows from seed and step; evaluation sees every frame once."""

from itertools import chain, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.datasets.loading.order import EndlessBatches, equal_size_batches
from lib.utils.errors import ConfigError


def batches_of(count: int, number: int, **options) -> list[list[tuple[int, int]]]:
    return list(islice(EndlessBatches(count, **{"batch_size": 4, "seed": 1, **options}), number))


@given(
    count=st.integers(1, 30),
    share=st.integers(1, 5),
    world=st.integers(1, 3),
    drop_last=st.booleans(),
    start=st.integers(0, 40),
    seed=st.integers(0, 2**31),
)
def test_processes_share_one_order_that_any_step_can_enter(count, share, world, drop_last, start, seed):
    options = {"batch_size": share * world, "seed": seed, "drop_last": drop_last}
    whole = batches_of(count, start + 3, **options)
    parts = [batches_of(count, 3, **options, start_step=start, rank=rank, world_size=world) for rank in range(world)]
    assert [list(chain(*slices)) for slices in zip(*parts, strict=True)] == whole[start:]
    assert all(len(batch) == share for part in parts for batch in part)
    assert len(set(chain(*whole))) == share * world * len(whole)  # no sample of an epoch twice


@given(count=st.integers(1, 30), batch_size=st.integers(1, 12), drop_last=st.booleans())
def test_an_epoch_has_every_sample_once_but_for_what_is_dropped(count, batch_size, drop_last):
    batches = batches_of(count, 3 * count // batch_size + 3, batch_size=batch_size, drop_last=drop_last)
    epochs: dict[int, list[int]] = {}
    for epoch, index in chain(*batches):
        epochs.setdefault(epoch, []).append(index)
    dropped = count % batch_size if drop_last and count >= batch_size else 0
    assert all(len(epochs[epoch]) == len(set(epochs[epoch])) == count - dropped for epoch in sorted(epochs)[:-1])


def test_epochs_and_seeds_have_different_orders():
    orders = [tuple(index for _, index in batch) for batch in batches_of(50, 3, batch_size=50)]
    orders += [tuple(index for _, index in batches_of(50, 1, batch_size=50, seed=2)[0])]
    assert len(set(orders)) == 4


@pytest.mark.parametrize(("batch_size", "world"), [(5, 2), (1, 2), (0, 1)])
def test_a_batch_that_cannot_be_shared_names_its_key(batch_size, world):
    with pytest.raises(ConfigError, match="train.batch_size"):
        EndlessBatches(10, batch_size, 0, world_size=world)


@given(
    sizes=st.lists(st.sampled_from([(4, 6), (5, 6), (6, 4)]), max_size=30),
    batch_size=st.integers(1, 5),
    world=st.integers(1, 4),
)
def test_evaluation_shares_every_frame_once_in_batches_of_one_size(sizes, batch_size, world):
    shares = [equal_size_batches(sizes, batch_size, rank, world) for rank in range(world)]
    assert sorted(index for share in shares for batch in share for index in batch) == list(range(len(sizes)))
    for batch in chain(*shares):
        assert len(batch) <= batch_size
        assert len({sizes[index] for index in batch}) == 1
        assert batch == sorted(batch)
    counts = [sum(map(len, share)) for share in shares]
    assert max(counts) - min(counts) <= 1
