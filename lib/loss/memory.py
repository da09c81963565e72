"""A memory of embeddings for contrast across batches."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib.loss.contrast import EMPTY
from lib.loss.masks import no_autocast


class RingBuffer(nn.Module):
    """For each class the last ``size`` embeddings that were written to it.

    Args:
        num_classes: C.
        size: slots of a class.
        dim: D, length of an embedding.
    """

    def __init__(self, num_classes: int, size: int, dim: int) -> None:
        super().__init__()
        self.slots: Tensor
        self.written: Tensor
        self.register_buffer("slots", torch.zeros(num_classes, size, dim))
        self.register_buffer("written", torch.zeros(num_classes, dtype=torch.int64))

    @torch.no_grad()
    def write(self, embeddings: Tensor, exists: Tensor) -> None:
        """Append to every class's buffer, over its oldest entries.

        Args:
            embeddings: (C, M, D); at most ``size`` of each class are taken.
            exists: (C, M) bool, which of them exist.
        """
        size, dim = self.slots.shape[1:]
        order = exists.byte().argsort(dim=1, descending=True, stable=True)[:, :size]
        count = exists.sum(dim=1).clamp(max=size)
        step = torch.arange(order.shape[1], device=order.device)
        slot = ((self.written.unsqueeze(1) + step) % size).unsqueeze(2).expand(-1, -1, dim)
        new = embeddings.to(self.slots.dtype).gather(1, order.unsqueeze(2).expand(-1, -1, dim))
        kept = self.slots.gather(1, slot)
        self.slots.scatter_(1, slot, torch.where((step < count.unsqueeze(1)).unsqueeze(2), new, kept))
        self.written += count

    def content(self) -> tuple[Tensor, Tensor]:
        """All slots (C size, D) and their classes (C size,), ``EMPTY`` where nothing was written yet."""
        num_classes, size, _ = self.slots.shape
        classes = torch.arange(num_classes, device=self.slots.device).unsqueeze(1)
        written = torch.arange(size, device=self.slots.device) < self.written.unsqueeze(1)
        return self.slots.flatten(0, 1), torch.where(written, classes, EMPTY).flatten()


class EmbeddingMemory(nn.Module):
    """Pixel and region embeddings of earlier batches; its content is in the state dict.

    A region is what an image shows of a class; its embedding is the normalised mean over the region's pixels.
    What a batch adds is collected apart from writing it, so that several processes can gather what they collected and
    write the same to their copies.

    Args:
        num_classes: C.
        size: pixel embeddings and region embeddings of a class, each.
        dim: D, length of an embedding.
        pixels_per_region: pixel embeddings that a region adds at most.
    """

    def __init__(self, num_classes: int, size: int, dim: int, pixels_per_region: int = 10) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.pixels_per_region = pixels_per_region
        self.pixels = RingBuffer(num_classes, size, dim)
        self.regions = RingBuffer(num_classes, size, dim)

    @torch.no_grad()
    def collect(
        self, embedding: Tensor, labels: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What a batch has for the memory: random pixels of each region, and the region itself.

        Args:
            embedding: (N, D, h, w), L2-normalised over D.
            labels: (N, h, w) int64; values outside [0, C) are ignored.
            generator: on the device of the embedding.

        Returns:
            Pixel embeddings (C, N K, D) and which of them exist (C, N K); regions (C, N, D) and which exist (C, N);
            K = ``pixels_per_region``, or h w where that is less.
        """
        with no_autocast(embedding):
            vectors, labels = embedding.float().flatten(2).transpose(1, 2), labels.flatten(1)  # (N, h w, D), (N, h w)
            classes = torch.arange(self.num_classes, device=labels.device).view(-1, 1, 1)
            members = labels == classes  # (C, N, h w)

            regions = F.normalize(torch.einsum("cnp,npd->cnd", members.float(), vectors), dim=2)
            noise = torch.rand(labels.shape, generator=generator, device=labels.device)
            chosen = noise.masked_fill(~members, 2.0).topk(min(self.pixels_per_region, labels.shape[1]), largest=False)
            image = torch.arange(len(labels), device=labels.device).view(1, -1, 1)
            pixels = vectors[image, chosen.indices]  # (C, N, K, D)
            return pixels.flatten(1, 2), (chosen.values < 1).flatten(1), regions, members.any(dim=2)

    def write(self, pixels: Tensor, pixels_exist: Tensor, regions: Tensor, regions_exist: Tensor) -> None:
        """Store what :meth:`collect` returned, of this process or of all, concatenated along dimension 1."""
        self.pixels.write(pixels, pixels_exist)
        self.regions.write(regions, regions_exist)

    def content(self) -> tuple[Tensor, Tensor]:
        """All embeddings (B, D) and their classes (B,), ``EMPTY`` for slots that were never written."""
        parts = zip(self.pixels.content(), self.regions.content(), strict=True)
        embeddings, classes = (torch.cat(part) for part in parts)
        return embeddings, classes
