"""Test-time modes: what they average, over what, and that they cover every pixel."""

import cv2
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from lib.models import SegOutput
from lib.utils.distributed import World
from lib.utils.runtime import Runtime
from segmentor.evaluation.inference import Inference

RUNTIME = Runtime(torch.device("cpu"), torch.bfloat16, World())


def predict_logits(network, batch, mode, amp=False, **options):
    options = {"crop_size": (8, 6), "crop_stride_ratio": 0.5, **options}
    return Inference(network, RUNTIME, mode=mode, amp=amp, **options)(batch)


class Recorder(nn.Module):
    """A function of the image as a network; remembers the images that it was given."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.seen = []

    def forward(self, image):
        self.seen.append(image.clone())
        return SegOutput(self.function(image))


def double(image):
    return torch.cat([image, -image], 1)


def images(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_ss_test_is_the_network_alone():
    network, batch = Recorder(double), images(2, 1, 9, 11)
    torch.testing.assert_close(predict_logits(network, batch, "ss_test"), double(batch))
    assert len(network.seen) == 1


@pytest.mark.parametrize("mode", ["ss_test", "ms_test", "zoom_test"])
def test_looking_once_takes_one_pass_over_the_whole_image(mode):
    network, batch = Recorder(double), images(1, 1, 9, 11)
    torch.testing.assert_close(Inference(network, RUNTIME, mode=mode).look_once(batch), double(batch))
    assert len(network.seen) == 1


def test_looking_once_through_windows_covers_images_that_the_network_does_not_take():
    network, batch = Recorder(double), images(1, 1, 9, 11)
    logits = Inference(network, RUNTIME, mode="sscrop_test", crop_size=(8, 6)).look_once(batch)
    torch.testing.assert_close(logits, double(batch))
    assert {tuple(seen.shape[-2:]) for seen in network.seen} == {(6, 8)}


def test_logits_are_float32_and_autocast_is_asked_for():
    network = Recorder(nn.Conv2d(1, 2, 3, padding=1))
    batch = images(1, 1, 8, 8)
    with torch.no_grad():
        exact, rough = (predict_logits(network, batch, "ss_test", amp) for amp in (False, True))
    assert exact.dtype == rough.dtype == torch.float32
    assert not torch.equal(exact, rough)
    torch.testing.assert_close(exact, rough, atol=0.05, rtol=0.05)


def test_mirroring_makes_the_result_mirror_symmetric():
    torch.manual_seed(0)
    network = Recorder(nn.Conv2d(1, 3, 3, padding=1))
    batch = images(2, 1, 10, 12)
    with torch.no_grad():
        got = predict_logits(network, batch, "ms_test")
        mirrored = predict_logits(network, batch.flip(-1), "ms_test")
        alone = network.function(batch)
    torch.testing.assert_close(mirrored.flip(-1), got)
    assert not torch.allclose(got, alone)
    torch.testing.assert_close(got, (alone + network.function(batch.flip(-1)).flip(-1)) / 2)


def test_scales_are_averaged_at_the_images_size():
    network, batch = Recorder(double), images(1, 1, 8, 12)
    got = predict_logits(network, batch, "ms_test", scale_search=(0.5, 1.0, 2.0), flip=False)
    assert [tuple(seen.shape[-2:]) for seen in network.seen] == [(4, 6), (8, 12), (16, 24)]
    there_and_back = [
        F.interpolate(F.interpolate(double(batch), size=size, mode="bilinear"), size=(8, 12), mode="bilinear")
        for size in [(4, 6), (8, 12), (16, 24)]
    ]
    torch.testing.assert_close(got, sum(there_and_back) / 3)


@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(1, 20), st.integers(1, 20), st.floats(0.05, 1, exclude_min=True)
)
def test_windows_cover_every_pixel_and_overlaps_are_averaged(height, width, crop_width, crop_height, ratio):
    network, batch = Recorder(double), images(2, 1, height, width)
    got = predict_logits(network, batch, "sscrop_test", crop_size=(crop_width, crop_height), crop_stride_ratio=ratio)
    # What a pixel becomes depends on itself alone here, so the mean over windows is what one pass gives.
    torch.testing.assert_close(got, double(batch))
    expected = (min(height, crop_height), min(width, crop_width))
    assert {tuple(seen.shape[-2:]) for seen in network.seen} == {expected}


def test_overlapping_windows_count_alike():
    def mean_of_window(image):
        return double(image.mean((-2, -1), keepdim=True).expand_as(image))

    batch = torch.arange(12.0).reshape(1, 1, 1, 12)
    got = predict_logits(Recorder(mean_of_window), batch, "sscrop_test", crop_size=(8, 1))
    # Windows 0-7 and 4-11, of means 3.5 and 7.5.
    torch.testing.assert_close(got[0, 0, 0], torch.tensor([3.5] * 4 + [5.5] * 4 + [7.5] * 4))


def test_windows_are_at_most_a_stride_apart():
    network = Recorder(double)
    predict_logits(network, images(1, 1, 1, 100), "sscrop_test", crop_size=(10, 1), crop_stride_ratio=0.3)
    assert len(network.seen) == 31


def test_windows_lie_side_by_side_and_the_last_one_ends_at_the_edge():
    network = Recorder(double)
    batch = torch.arange(10.0).expand(1, 1, 1, 10)
    predict_logits(network, batch, "sscrop_test", crop_size=(4, 1), crop_stride_ratio=1.0)
    assert [seen.flatten()[0].item() for seen in network.seen] == [0, 4, 6]


def test_a_swap_of_classes_under_mirroring_leaves_the_sides_of_a_symmetric_network_apart():
    """The network tells left from right by where a pixel is: mirrored, it takes class 1 for 2."""

    def sides(image):
        x = torch.linspace(-1, 1, image.shape[-1]).expand_as(image)
        return torch.cat([image, x + image, image - x], 1)

    batch = images(1, 1, 4, 6)
    swapped = predict_logits(Recorder(sides), batch, "ms_test", swaps=[[1, 2]])
    torch.testing.assert_close(swapped, sides(batch))
    torch.testing.assert_close(predict_logits(Recorder(sides), batch, "ms_test")[:, 1], batch[:, 0])


def test_mscrop_looks_whole_below_scale_one_and_through_windows_from_it_on():
    network, batch = Recorder(double), images(1, 1, 8, 12)
    options = {"scale_search": (0.5, 1.0), "flip": False, "crop_size": (8, 6), "crop_stride_ratio": 1.0}
    got = predict_logits(network, batch, "mscrop_test", **options)
    assert [tuple(seen.shape[-2:]) for seen in network.seen] == [(4, 6), *[(6, 8)] * 4]
    torch.testing.assert_close(got, predict_logits(Recorder(double), batch, "ms_test", **options))


@pytest.mark.parametrize(("eval_size", "seen"), [((6,), (6, 9)), ((10, 5), (5, 10)), ((8,), (8, 12))])
def test_images_are_resized_for_the_network_alone_as_opencv_does_it(eval_size, seen):
    network, batch = Recorder(double), images(1, 1, 8, 12)
    got = predict_logits(network, batch, "ss_test", eval_size=eval_size)
    (image,) = network.seen
    assert image.shape[-2:] == seen
    expected = cv2.resize(batch[0, 0].numpy(), seen[::-1], interpolation=cv2.INTER_CUBIC)
    torch.testing.assert_close(image[0, 0], torch.from_numpy(expected), atol=1e-5, rtol=1e-5)
    back = cv2.resize(expected, (12, 8), interpolation=cv2.INTER_CUBIC)
    torch.testing.assert_close(got[0, 0], torch.from_numpy(back), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mode", ["ss_test", "ms_test", "sscrop_test", "mscrop_test"])
def test_every_mode_keeps_the_size(mode):
    got = predict_logits(Recorder(double), images(3, 1, 13, 17), mode, scale_search=(0.5, 0.75, 1.25))
    assert got.shape == (3, 2, 13, 17)
