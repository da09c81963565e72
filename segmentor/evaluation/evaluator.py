"""The one evaluation of validation and test."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib.metrics import ConfusionMatrix
from lib.utils.distributed import sum_over_processes
from segmentor.evaluation.inference import Inference

Batch = dict[str, Any]
"""What the loaders of :mod:`lib.datasets.build` yield."""


@dataclass
class Evaluation:
    """The result of evaluating a network on a set of frames.

    Attributes:
        confusion: over all labelled frames.
        images: number of frames.
        labelled: number of them that have a label, ignored pixels or not.
        loss: mean validation loss per frame; None without a criterion or labels.
    """

    confusion: ConfusionMatrix
    images: int
    labelled: int
    loss: float | None


@torch.inference_mode()
def evaluate(
    inference: Inference,
    batches: Iterable[Batch],
    num_classes: int,
    *,
    criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
    on_batch: Callable[[Batch, Tensor, Tensor], None] | None = None,
) -> Evaluation:
    """Evaluate a network on every frame once; the scores come from one confusion matrix over the set.

    The network is set to evaluation mode for the time, and back. Matrices, counts and losses are summed over the
    processes of the run.

    Args:
        inference: of the network.
        batches: from :func:`lib.datasets.build.build_eval_loader`; this process's share of the frames.
        num_classes: C.
        criterion: ``(logits, labels) -> scalar`` mean over a batch.
        on_batch: called with each batch, its logits (N, C, H, W) float32 and predicted classes (N, H, W) int64.
    """
    network, device = inference.network, inference.runtime.device
    was_training = network.training
    network.eval()
    confusion = ConfusionMatrix(num_classes).to(device)
    images, labelled, loss_sum = 0, 0, torch.zeros((), device=device)
    for batch in batches:
        logits = inference(batch["image"])
        # max, as argmax over the second dimension takes CPUs eight times as long.
        prediction = logits.max(1).indices
        count = logits.shape[0]
        images += count
        if batch["label"] is not None:
            labels = batch["label"].to(device, non_blocking=True)
            confusion.update(prediction, labels)
            labelled += count
            if criterion is not None:
                loss_sum += criterion(logits, labels) * count
        if on_batch is not None:
            on_batch(batch, logits, prediction)
    network.train(was_training)
    sum_over_processes(confusion.matrix)
    counts = torch.tensor([images, labelled], dtype=torch.float32, device=device)
    images, labelled, loss = sum_over_processes(torch.cat([counts, loss_sum.reshape(1)])).tolist()
    mean_loss = loss / labelled if labelled and criterion is not None else None
    return Evaluation(confusion, int(images), int(labelled), mean_loss)
