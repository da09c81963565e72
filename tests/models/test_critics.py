"""The critics of masks: what they see, and what their outputs do not depend on."""

import pytest
import torch

from lib.models.critics import PatchDiscriminator, SegANCritic

BOTH = pytest.mark.parametrize("critic", [SegANCritic, PatchDiscriminator])


def frames(batch=2, channels=1, height=48, width=64, classes=3, seed=0):
    """Images in [-1, 1] and masks that sum to 1."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(batch, channels, height, width, generator=generator) * 2 - 1
    return images, torch.randn(batch, classes, height, width, generator=generator).softmax(1)


def build(critic, channels=1, classes=3):
    torch.manual_seed(0)
    return critic(channels, classes, base_channels=4)


@BOTH
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (48, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_from_32_on_and_any_channels(critic, size, channels):
    images, masks = frames(1, channels, *size)
    both = torch.cat([images, images]), torch.cat([masks, masks])
    for part in build(critic, channels)(*both):
        assert part.shape[0] == 2
        assert part.isfinite().all()


@BOTH
def test_every_weight_and_the_masks_have_a_gradient(critic):
    critic = build(critic)
    images, masks = frames()
    masks.requires_grad_()
    sum((part**2).mean() for part in critic(images, masks)).backward()
    for name, parameter in critic.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert masks.grad.abs().sum() > 0


@BOTH
def test_nothing_is_left_behind_by_a_pass(critic):
    assert not list(build(critic).buffers())


def test_segan_sees_each_class_cut_out_at_scales_that_halve():
    images, masks = frames(channels=2)
    scales = build(SegANCritic, channels=2)(images, masks)
    assert [tuple(scale.shape[1:]) for scale in scales] == [
        (6, 48, 64),
        (4, 24, 32),
        (8, 12, 16),
        (16, 6, 8),
        (32, 3, 4),
    ]
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    assert torch.allclose(scales[0][:, 3], ((images - low) / (high - low))[:, 1] * masks[:, 0])


def test_segan_sees_a_mask_where_the_image_is_zero():
    images, masks = frames()
    images[:, :, 10:20] = 0
    scales = build(SegANCritic)(images, masks)
    assert (scales[0][:, :, 10:20] > 0).all()


def test_segan_takes_an_image_of_one_temperature():
    _, masks = frames()
    assert all(scale.isfinite().all() for scale in build(SegANCritic)(torch.full((2, 1, 48, 64), 21.5), masks))


def test_segan_features_stay_bounded_whatever_the_weights():
    critic = build(SegANCritic)
    before = [scale.abs().mean() for scale in critic(*frames())[1:]]
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_(1000)
    after = [scale.abs().mean() for scale in critic(*frames())[1:]]
    assert torch.allclose(torch.stack(before), torch.stack(after), rtol=0.05)


def test_discriminator_scores_each_frame_alone():
    critic = build(PatchDiscriminator)
    images, masks = frames(batch=3)
    (together,) = critic(images, masks)
    (alone,) = critic(images[1:2], masks[1:2])
    assert together.shape == (3, 1, 4, 6)
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_discriminator_reads_the_image():
    critic = build(PatchDiscriminator)
    images, masks = frames()
    assert not torch.allclose(critic(images, masks)[0], critic(images.flip(3), masks)[0])
