"""SegFix's targets and refinement: against the published code's values, by hand, and by what a mirror must do."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import loadmat

from lib.datasets.build import build_eval_loader, build_train_loader
from lib.datasets.segfix import (
    DIRECTIONS,
    boundary_and_direction,
    boundary_distance,
    offsets_of,
    read_offset,
    refine,
    write_offset,
)
from lib.models.blocks import resize
from lib.utils.errors import DataError

GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden" / "rgb" / "segfix.npz"
IDS = [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
"""Label ids that are classes on Cityscapes."""


@pytest.fixture(scope="module")
def golden():
    if not GOLDEN.is_file():
        pytest.skip(f"the published code's values are not at {GOLDEN}")
    with np.load(GOLDEN) as file:
        return dict(file)


def squares(shift=0):
    """A square of class 1, 20 x 20, on class 0, 40 x 40."""
    label = np.zeros((40, 40), np.uint8)
    label[10:30, 10 + shift : 30 + shift] = 1
    return label


def test_targets_are_those_of_the_published_code(golden):
    label = np.where(np.isin(golden["label"], IDS), golden["label"], 255).astype(np.uint8)
    known = label != 255
    distance, angle = boundary_distance(label)
    boundary, direction = boundary_and_direction(label)
    np.testing.assert_array_equal(distance[known], golden["depth"][known])
    np.testing.assert_array_equal(boundary, golden["mask_label"].astype(np.uint8))
    np.testing.assert_array_equal(direction, golden["direction_label"].astype(np.uint8))
    # Where the slope is 0 one way, its rounding decides which side of the cut the stored angle is on.
    published = golden["deg_reduce"] * golden["dir_deg"].astype(float) - 180
    assert (abs((angle - published + 180) % 360 - 180)[known] <= 2).all()


def test_offsets_and_refined_masks_are_those_of_the_published_code(golden):
    size = golden["label"].shape
    boundary, directions = (torch.from_numpy(golden[f"{name}_logits"]) for name in ("mask", "direction"))
    maps = resize(torch.cat([boundary.softmax(1)[:, 1:], directions], 1), size)[0].numpy()
    offset = offsets_of(maps[0], maps[1:])
    np.testing.assert_array_equal(offset, golden["offset"])
    label = golden["label"]
    # The published code makes unlabelled ids 255 first.
    label = np.where(np.isin(label, IDS), label, 255).astype(np.uint8)
    for scale in (1, 2, 3):
        np.testing.assert_array_equal(refine(label, offset, scale), golden[f"refined_scale{scale}"])


def test_directions_lead_inside():
    label = squares()
    boundary, direction = boundary_and_direction(label, max_distance=3)
    assert boundary[8:12, 20].tolist() == [1, 1, 1, 1]
    assert (boundary[5, 20], boundary[14, 20]) == (0, 0)
    at = {(10, 20): (1, 0), (29, 20): (-1, 0), (20, 10): (0, 1), (20, 29): (0, -1), (10, 10): (1, 1), (9, 20): (-1, 0)}
    assert {place: tuple(DIRECTIONS[direction[place]].tolist()) for place in at} == at


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mirror_turns_directions_round(axis):
    """Also those that point exactly along the mirror's axis, which the published flip forgets."""
    label = squares(shift=3)
    boundary, direction = boundary_and_direction(label)
    mirrored = boundary_and_direction(np.ascontiguousarray(np.flip(label, axis)))
    np.testing.assert_array_equal(mirrored[0], np.flip(boundary, axis))
    step, turned = DIRECTIONS[direction].astype(int), DIRECTIONS[np.flip(mirrored[1], axis)].astype(int)
    turned[..., axis] *= -1
    straight = (boundary == 1) & ((step == 0).any(-1))
    assert (step == turned).all(-1)[straight].mean() > 0.95


def test_what_lies_outside_the_frame_is_no_boundary():
    label, valid = np.zeros((20, 20), np.uint8), np.ones((20, 20), bool)
    label[:, 15:], valid[:, 15:] = 255, False
    assert boundary_and_direction(label, valid)[0][:, :15].max() == 0
    assert boundary_and_direction(label)[0][:, 10:15].min() == 1


def test_unlabelled_pixels_have_no_target_and_small_parts_no_interior():
    label = squares()
    label[0, 0], label[35:38, 35:38] = 255, 2
    boundary, direction = boundary_and_direction(label)
    assert (boundary[0, 0], direction[0, 0]) == (255, 255)
    assert (boundary[35:38, 35:38] == 1).all()
    assert boundary_and_direction(label, max_distance=1)[0][36, 36] == 1
    assert boundary_and_direction(label, max_distance=1, min_pixels=1)[0][36, 36] == 0


def test_refined_masks_hold_no_other_values():
    rng = np.random.default_rng(0)
    label = rng.choice([7, 11, 26], (9, 12)).astype(np.uint8)
    offset = rng.integers(-1, 2, (9, 12, 2)).astype(np.int8)
    refined = refine(label, offset, 3)
    assert refined.dtype == np.uint8
    for y, x in np.ndindex(label.shape):
        dy, dx = 3 * offset[y, x].astype(int)
        assert refined[y, x] == label[min(max(y + dy, 0), 8), min(max(x + dx, 0), 11)]
    with pytest.raises(DataError, match=r"expected offsets as integers of shape \(9, 12, 2\)"):
        refine(label, offset[:-1])


def test_offsets_are_read_as_they_were_written(tmp_path):
    offset = np.random.default_rng(0).integers(-1, 2, (5, 7, 2)).astype(np.int8)
    write_offset(tmp_path / "a.mat", offset)
    np.testing.assert_array_equal(read_offset(tmp_path / "a.mat"), offset)
    assert set(loadmat(tmp_path / "a.mat")) >= {"mat"}
    whole = (tmp_path / "a.mat").read_bytes()
    for damaged in (whole[:-9], whole[:150], b"MATLAB 5.0" * 30):
        (tmp_path / "b.mat").write_bytes(damaged)
        with pytest.raises(DataError, match=r"b\.mat: unreadable"):
            read_offset(tmp_path / "b.mat")


def test_loaders_make_the_targets_after_the_transforms(make_config):
    pairs = ["network.model_name=segfix_hrnet", "network.backbone=resnet18_dilated8", "loss.loss_type=segfix_loss"]
    pairs += ["train_trans.trans_seq=[random_hflip]", "train_trans.random_hflip.ratio=1", "segfix.max_distance=2"]
    plain = pairs[3:-1]
    for build, direction_of in ((build_train_loader, 2), (build_eval_loader, 0)):
        label = next(iter(build(make_config(*plain))))["label"][0].numpy().astype(np.uint8)
        found = next(iter(build(make_config(*pairs))))["label"][0].numpy()
        boundary, direction = (part.astype(int) for part in boundary_and_direction(label, max_distance=2))
        expected = np.where(label == 255, -1, boundary + direction_of * direction)
        np.testing.assert_array_equal(found, expected)


def test_offsets_are_predicted_without_targets_being_made(make_config):
    pairs = ["network.model_name=segfix_hrnet", "network.backbone=resnet18_dilated8", "loss.loss_type=segfix_loss"]
    found, plain = (
        next(iter(build_eval_loader(make_config(*used))))["label"]
        for used in ([*pairs, "phase=test_offset", "network.resume=a.pth"], [])
    )
    np.testing.assert_array_equal(found, plain)
