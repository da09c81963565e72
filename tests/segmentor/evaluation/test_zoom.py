"""The closer look: where it goes, what it sees, and that it changes nothing where no face is found."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from segmentor.evaluation.zoom import MOST_ZOOM, face_window, zoomed


def found_where_bright(images):
    """Two classes: face where the image is above 0."""
    return torch.cat([torch.zeros_like(images), images], 1)


def picture(height=64, width=80, face=(20, 30, 12, 10)):
    """-1, and a face (top, left, height, width) of structure above 0."""
    image = torch.full((1, 1, height, width), -1.0)
    top, left, rows, columns = face
    noise = torch.rand(rows, columns, generator=torch.Generator().manual_seed(0))
    image[0, 0, top : top + rows, left : left + columns] = 0.5 + noise
    return image


@given(
    height=st.integers(8, 90),
    width=st.integers(8, 90),
    margin=st.floats(1, 4),
    data=st.data(),
)
def test_the_window_holds_the_face_and_has_the_images_proportions(height, width, margin, data):
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    label = np.zeros((height, width), np.uint8)
    label[top:bottom, left:right] = 1
    share = margin * max((bottom - top) / height, (right - left) / width)
    window = face_window(label, margin)
    if window is None:
        assert share >= 1
        return
    assert 0 <= window.top <= top
    assert bottom <= window.top + window.height <= height
    assert 0 <= window.left <= left
    assert right <= window.left + window.width <= width
    assert abs(window.height / height - window.width / width) <= 0.5 / height + 0.5 / width + 1e-9
    assert window.height >= round(height / MOST_ZOOM)


def test_the_window_is_as_much_larger_than_the_face_as_asked_for():
    label = np.zeros((100, 200), np.uint8)
    label[40:70, 90:110] = 1
    assert face_window(label, 1.5) == (32, 55, 45, 90)
    assert face_window(label, 2.0) == (25, 40, 60, 120)


def test_the_window_is_about_the_largest_face():
    label = np.zeros((64, 80), np.uint8)
    label[5:25, 5:25], label[50:56, 60:66] = 1, 1
    window = face_window(label, 1.5)
    assert window.top + window.height < 50
    assert window.left + window.width < 60


def test_without_a_face_there_is_one_look():
    looks = []

    def forward(images):
        looks.append(images)
        return found_where_bright(images)

    image = torch.full((2, 1, 32, 40), -1.0)
    torch.testing.assert_close(zoomed(forward, image, 1.0, 2.0), found_where_bright(image))
    assert len(looks) == 1


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_the_second_look_sees_the_window_enlarged_and_decides_there(scale):
    looks = []

    def forward(images):
        looks.append(images)
        return found_where_bright(images) + len(looks)

    image = picture()
    result = zoomed(forward, image, scale, 2.0)
    size = (round(64 * scale), round(80 * scale))
    first = F.interpolate(image, size, mode="bilinear") if scale != 1 else image
    torch.testing.assert_close(looks[0], first)
    seen = (
        F.interpolate(found_where_bright(first), (64, 80), mode="bilinear") if scale != 1 else found_where_bright(first)
    )
    top, left, height, width = face_window(seen.argmax(1)[0].numpy().astype(np.uint8), 2.0)
    part = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
    torch.testing.assert_close(looks[1], F.interpolate(image[part], size, mode="bilinear"))
    expected = seen + 1
    expected[part] = F.interpolate(found_where_bright(looks[1]) + 2, (height, width), mode="bilinear")
    torch.testing.assert_close(result, expected)


def test_each_image_of_a_batch_as_if_it_were_alone():
    batch = torch.cat([picture(), torch.full((1, 1, 64, 80), -1.0), picture(face=(2, 60, 6, 18))])
    whole = zoomed(found_where_bright, batch, 0.5, 1.8)
    alone = torch.cat([zoomed(found_where_bright, image[None], 0.5, 1.8) for image in batch])
    torch.testing.assert_close(whole, alone)


def test_the_closer_look_resolves_what_the_first_could_not():
    image = torch.full((1, 1, 64, 80), -1.0)
    image[..., 20:40, 30:50] = 1.0
    image[..., 20:40:4, 30:50] = -1.0  # lines of one pixel, lost at a quarter of the size
    truth = image[0, 0] > 0
    quarter = F.interpolate(F.interpolate(image, scale_factor=0.25, mode="bilinear"), (64, 80), mode="bilinear")
    once = (quarter[0, 0] > 0) == truth
    twice = zoomed(found_where_bright, image, 0.25, 1.0).argmax(1)[0].bool() == truth
    assert twice.float().mean() > once.float().mean()
