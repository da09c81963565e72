"""ContrastiveSeg: contrast of pixel embeddings beside a pixel loss, in the batch or against a memory."""

from torch import Tensor, nn

from lib.loss import EmbeddingMemory, PixelContrastLoss
from lib.loss.contrast import to_grid
from lib.models.output import SegOutput
from lib.utils.distributed import gather_over_processes


class ContrastTerm(nn.Module):
    """``weight`` x pixel contrast of the network's embedding.

    Anchors and what the memory keeps are drawn from torch's own generator, which the trainer seeds anew in every
    iteration.

    Args:
        contrast_loss: of a batch.
        weight: of the term.
        warmup_iters: iterations in which the weight is 0; a memory fills in them.
        memory: of earlier batches; what all processes collect is written to the copy of each, so that all are alike.
            None = contrast within the batch.
    """

    def __init__(
        self,
        contrast_loss: PixelContrastLoss,
        *,
        weight: float,
        warmup_iters: int,
        memory: EmbeddingMemory | None = None,
    ) -> None:
        super().__init__()
        self.contrast_loss = contrast_loss
        self.weight = weight
        self.warmup_iters = warmup_iters
        self.memory = memory

    def forward(self, images: Tensor, output: SegOutput, labels: Tensor, iteration: int) -> dict[str, Tensor]:
        """``contrast_loss``; arguments as of :meth:`Objective.forward`. The memory is read, then written."""
        embedding = output.embedding
        assert embedding is not None, "names are checked before a run: the network has an embedding"
        remembered = None if self.memory is None else self.memory.content()
        loss = self.contrast_loss(embedding, output.logits, labels, memory=remembered)
        if self.memory is not None:
            collected = self.memory.collect(embedding, to_grid(labels, embedding.shape[2:]))
            self.memory.write(*(gather_over_processes(part, dim=1) for part in collected))
        # A weight of 0 rather than no term: the projection head always has a gradient.
        return {"contrast_loss": (self.weight if iteration >= self.warmup_iters else 0.0) * loss}
