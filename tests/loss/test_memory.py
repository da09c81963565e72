"""The memory of embeddings: what is stored, where, and what is never drawn."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.loss.contrast import EMPTY, PixelContrastLoss
from lib.loss.memory import EmbeddingMemory, RingBuffer


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=50, deadline=None)
@given(size=st.integers(1, 7), writes=st.lists(st.lists(st.booleans(), min_size=2, max_size=6), max_size=6))
def test_ring_holds_the_last_entries_and_moves_by_what_it_wrote(size, writes):
    ring, queues, number = RingBuffer(2, size, 1), [[None] * size for _ in range(2)], 0.0
    pointers = [0, 0]
    for there in writes:
        entries = torch.zeros(2, len(there), 1)
        mask = torch.tensor([there, [not one for one in there]])
        for k in range(2):
            taken = 0
            for m in range(len(there)):
                number += 1
                entries[k, m] = number
                if mask[k, m] and taken < size:
                    queues[k][pointers[k] % size] = number
                    pointers[k] += 1
                    taken += 1
        ring.write(entries, mask)
    assert ring.written.tolist() == pointers
    slots, classes = ring.content()
    for k, queue in enumerate(queues):
        for slot, entry in enumerate(queue):
            index = k * size + slot
            assert classes[index] == (EMPTY if entry is None else k)
            assert entry is None or slots[index, 0] == entry


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), batches=st.integers(1, 4), ignored=st.floats(0, 1))
def test_memory_stores_only_pixels_of_their_class(seed, batches, ignored):
    memory, g = EmbeddingMemory(3, size=8, dim=4, pixels_per_region=3), generator(seed)
    for _ in range(batches):
        labels = torch.randint(0, 3, (2, 4, 5), generator=g)
        labels = labels.masked_fill(torch.rand(labels.shape, generator=g) < ignored, -1)
        embedding = F.one_hot(labels.clamp(min=0) + (labels == -1) * 3, 4).movedim(-1, 1).float()  # tells the class
        memory.write(*memory.collect(embedding, labels, g))
    embeddings, classes = memory.content()
    for vector, k in zip(embeddings, classes.tolist(), strict=True):
        if k == EMPTY:
            assert not vector.any()
        else:
            torch.testing.assert_close(vector, F.one_hot(torch.tensor(k), 4).float())


def test_class_zero_is_stored():
    memory = EmbeddingMemory(2, size=8, dim=3)
    memory.write(*memory.collect(torch.ones(1, 3, 2, 2), torch.zeros(1, 2, 2, dtype=torch.int64)))
    assert memory.pixels.written.tolist() == [4, 0]
    assert memory.regions.written.tolist() == [1, 0]


def test_a_region_is_the_normalised_mean_of_its_pixels():
    memory, labels = EmbeddingMemory(2, size=4, dim=3), torch.tensor([[[0, 1, 1], [0, -1, 1]]])
    embedding = F.normalize(torch.randn(1, 3, 2, 3, generator=generator()), dim=1)
    *_, regions, there = memory.collect(embedding, labels)
    assert there.all()
    for k in range(2):
        mean = embedding[0][:, labels[0] == k].mean(dim=1)
        torch.testing.assert_close(regions[k, 0], mean / mean.norm())


def test_an_empty_memory_gives_no_contrast_and_a_filled_one_does():
    labels = torch.randint(0, 3, (2, 6, 6), generator=generator())
    logits = torch.randn(2, 3, 6, 6, generator=generator(1))
    embedding = F.normalize(torch.randn(2, 5, 6, 6, generator=generator(2)), dim=1)
    loss, memory = PixelContrastLoss(3, max_views=2), EmbeddingMemory(3, size=20, dim=5)
    assert loss(embedding, logits, labels, generator(), memory.content()) == 0
    memory.write(*memory.collect(embedding, labels, generator()))
    assert loss(embedding, logits, labels, generator(), memory.content()) > 0


def test_memory_is_saved_and_resumed():
    first, second = EmbeddingMemory(2, size=4, dim=3), EmbeddingMemory(2, size=4, dim=3)
    labels = torch.randint(0, 2, (1, 4, 4), generator=generator())
    first.write(*first.collect(torch.randn(1, 3, 4, 4, generator=generator()), labels))
    second.load_state_dict(first.state_dict())
    for one, other in zip(first.content(), second.content(), strict=True):
        assert torch.equal(one, other)


def test_gathered_offers_give_every_process_the_same_memory():
    offers = []
    for seed in range(2):
        labels = torch.randint(0, 2, (1, 4, 4), generator=generator(seed))
        embedding = torch.randn(1, 3, 4, 4, generator=generator(seed))
        offers.append(EmbeddingMemory(2, size=16, dim=3).collect(embedding, labels, generator(seed)))
    gathered = [torch.cat(parts, dim=1) for parts in zip(*offers, strict=True)]
    memories = [EmbeddingMemory(2, size=16, dim=3) for _ in range(2)]
    for memory in memories:
        memory.write(*gathered)
    assert torch.equal(memories[0].content()[0], memories[1].content()[0])
    assert memories[0].regions.written.tolist() == [2, 2]
