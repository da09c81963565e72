"""A training step as published: float32, NCHW, no workers, published augmentation and losses."""

import numpy as np
import torch
from torch import Tensor

from lib.datasets.dataset import SegmentationDataset, find_samples
from lib.models.build import build_network
from lib.utils.config import Config
from scripts.benchmarks.published_augmentation import PublishedTiAug, normalise
from scripts.benchmarks.published_losses import PublishedAuxiliary, published_rmi, published_samcl


class PublishedRecipe:
    """RMI + 0.5 x SAM-CL on augmented frames, all in this process.

    Args:
        config: network, data, batch size and optimiser are its; what is published otherwise isn't.
    """

    def __init__(self, config: Config) -> None:
        torch.manual_seed(config.seed)
        self.batch_size = config.train.batch_size
        data, sgd = config.data, config.optim.sgd
        samples = find_samples(data.data_dir, ("train",))
        self.dataset = SegmentationDataset(samples, data.num_classes, data.remap_classes, data.num_channels)
        self.augment = PublishedTiAug(data.num_classes, tuple(config.train.data_transformer.input_size))
        self.network = build_network(config)
        self.auxiliary = PublishedAuxiliary(data.num_classes)
        parameters = [*self.network.parameters(), *self.auxiliary.parameters()]
        self.optimizer = torch.optim.SGD(
            parameters, config.lr.base_lr, sgd.momentum, weight_decay=sgd.weight_decay, foreach=False
        )
        self.rng = np.random.default_rng(config.seed)

    def step(self) -> float:
        """One step; returns the loss."""
        images, labels = self.load()
        logits = self.network(images).logits
        loss = published_rmi(logits, labels) + 0.5 * published_samcl(logits, labels, self.auxiliary)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def load(self) -> tuple[Tensor, Tensor]:
        """Images (N, 1, H, W) float32 and labels (N, H, W) int64 of a random batch."""
        images, labels = [], []
        for index in self.rng.integers(len(self.dataset), size=self.batch_size):
            image, label = self.augment(*self.dataset[int(index)], self.rng)
            images.append(normalise(image))
            labels.append(label)
        return torch.from_numpy(np.stack(images))[:, None], torch.from_numpy(np.stack(labels))
