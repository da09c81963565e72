"""The one evaluation of validation and test."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lib.metrics import ConfusionMatrix
from lib.utils.config.data_sections import Evaluation as EvaluationSettings
from lib.utils.distributed import sum_over_processes
from lib.utils.runtime import Runtime
from segmentor.evaluation.inference import predict_logits

Batch = dict[str, Any]


@dataclass
class Evaluation:
    """What was found on a set of frames.

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
    network: nn.Module,
    batches: Iterable[Batch],
    runtime: Runtime,
    num_classes: int,
    *,
    settings: EvaluationSettings,
    criterion: Callable[[Tensor, Tensor], Tensor] | None = None,
    amp: bool = False,
    on_batch: Callable[[Batch, Tensor, Tensor], None] | None = None,
) -> Evaluation:
    """Evaluate ``network`` on every frame once; the scores come from one confusion matrix over the set.

    Args:
        network: set to evaluation mode for the time, and back.
        batches: from :func:`lib.datasets.build_eval_loader`; this process's share of the frames.
        runtime: of the run; matrices and losses are summed over its processes.
        num_classes: C.
        settings: config ``val`` or ``test``, for :func:`~segmentor.evaluation.inference.predict_logits`.
        criterion: ``(logits, labels) -> scalar`` mean over a batch.
        amp: run in the training's number format instead of float32.
        on_batch: called with each batch, its logits (N, C, H, W) float32 and predicted classes (N, H, W) int64.
    """
    was_training = network.training
    network.eval()
    confusion = ConfusionMatrix(num_classes).to(runtime.device)
    images, labelled, loss_sum = 0, 0, torch.zeros((), device=runtime.device)
    for batch in batches:
        logits = predict_logits(network, batch["image"], settings, runtime, amp)
        # max, as argmax over the second dimension takes CPUs eight times as long.
        prediction = logits.max(1).indices
        count = logits.shape[0]
        images += count
        if batch["label"] is not None:
            labels = batch["label"].to(runtime.device, non_blocking=True)
            confusion.update(prediction, labels)
            labelled += count
            if criterion is not None:
                loss_sum += criterion(logits, labels) * count
        if on_batch is not None:
            on_batch(batch, logits, prediction)
    network.train(was_training)
    sum_over_processes(confusion.matrix)
    counts = torch.tensor([images, labelled], dtype=torch.float32, device=runtime.device)
    images, labelled, loss = sum_over_processes(torch.cat([counts, loss_sum.reshape(1)])).tolist()
    mean_loss = loss / labelled if labelled and criterion is not None else None
    return Evaluation(confusion, int(images), int(labelled), mean_loss)
