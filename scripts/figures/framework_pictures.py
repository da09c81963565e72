"""The small pictures in the drawing of the training framework: a synthetic frame and what training makes of it."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from lib.datasets.labels import LabelMap
from lib.datasets.landmarks import draw_labels
from lib.datasets.transforms import build_transforms
from lib.loss import SAMCLLoss
from lib.models.samcl_auxiliary import SAMCLAuxiliary
from lib.synthetic.database import FrameName, Options, make_frame
from lib.utils.config import Config
from lib.utils.labels import IGNORE
from lib.vis import palette_of
from lib.vis.overlay import grey_levels, tinted

_OUTSIDE = 255
_BACKGROUND = 40
_BLUR = 4.0  # pixels: how unsure the drawn network is of its outlines


class Pictures(NamedTuple):
    """Pictures (H, W) uint8 grey or (H, W, 3) uint8.

    Attributes:
        frame, truth: of a synthetic person.
        segmented: the frame under its truth, as a trained network would find it.
        augmented: the frame after TiAug.
        masks: at each of the four scales those of anchor, positive and negative.
    """

    frame: np.ndarray
    truth: np.ndarray
    segmented: np.ndarray
    augmented: np.ndarray
    masks: list[list[np.ndarray]]


def draw_pictures(cfg: Config, subject: int, seed: int) -> Pictures:
    """Everything from one synthetic frame: ``seed`` decides augmentation, swapped classes and auxiliary network."""
    frame, points = make_frame(FrameName(subject, 1, 1), Options(256, 320, seed=0, unconstrained=False))
    truth = LabelMap(cfg.data.num_classes, cfg.data.remap_classes)(draw_labels(points, frame.shape), "synthetic frame")
    sequence = build_transforms(cfg.train_trans, cfg.train.data_transformer)
    augmented, label, valid = sequence(frame, truth, np.random.default_rng(seed))
    colours = bright(palette_of(cfg.data.num_classes, cfg.data.palette))
    return Pictures(
        frame=grey_levels(frame),
        truth=mixed(one_hot(truth, cfg.data.num_classes), colours),
        segmented=tinted(frame, truth, palette_of(cfg.data.num_classes, cfg.data.palette)),
        augmented=np.where(valid, grey_levels(augmented), _OUTSIDE).astype(np.uint8),
        masks=[[mixed(mask, colours) for mask in scale] for scale in scales(label, cfg.data.num_classes, seed)],
    )


def bright(palette: np.ndarray) -> np.ndarray:
    """(C, 3) float: the palette at full brightness, on a dark background."""
    colours = 255.0 * palette / palette.max(1, initial=1, keepdims=True)
    return np.where(palette.any(1, keepdims=True), colours, _BACKGROUND)


def one_hot(label: np.ndarray, num_classes: int) -> np.ndarray:
    """(C, H, W) float32 masks, zero where ignored."""
    return (label == np.arange(num_classes)[:, None, None]).astype(np.float32)


@torch.no_grad()
def scales(label: np.ndarray, num_classes: int, seed: int) -> list[np.ndarray]:
    """What SAM-CL compares: for each of its scales (3, C, h, w), those of anchor, positive and negative.

    The anchor is the truth with soft outlines, in place of a network's; the auxiliary network is untrained.
    """
    generator = torch.Generator().manual_seed(seed)
    swap = SAMCLLoss(num_classes).draw_permutation(generator).numpy()
    valid = label != IGNORE
    positive = one_hot(label, num_classes)
    negative = one_hot(np.where(valid, swap[np.where(valid, label, 0)], IGNORE), num_classes)
    anchor = np.stack([cv2.GaussianBlur(mask, (0, 0), _BLUR) for mask in positive]) * valid
    masks = torch.from_numpy(np.stack([anchor, positive, negative]).astype(np.float32))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        auxiliary = SAMCLAuxiliary(num_classes)
    features = [F.normalize(scale, dim=1) for scale in auxiliary(masks)]
    return [scale.numpy() for scale in (masks, *features)]


def mixed(masks: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Masks (C, h, w) as a picture of their classes' colours, (h, w, 3) uint8; white where all are zero."""
    amount = masks.sum(0, keepdims=True)
    shares = masks / np.maximum(amount, 1e-6)
    picture = np.einsum("chw,ck->hwk", shares, colours)
    return np.where(amount[0, ..., None] > 0.01, picture, _OUTSIDE).astype(np.uint8)
