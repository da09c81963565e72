"""Critics: networks that tell predicted from true masks, and learn against the segmentation network."""

import torch
from torch import Tensor, nn


class SegANCritic(nn.Module):
    """The critic of SegAN: features of an image that each class's mask cuts out, at several scales.

    Xue, Xu, Zhang, Long, Huang: SegAN, Neuroinformatics 2018. Every scale but the first, which is the masked image
    itself, halves the last by a 4x4 convolution, batch norm and leaky ReLU. The batch norm has no scale of its own and
    takes the statistics of the batch at hand, predicted and true masks together. So features have a bounded size, and
    their distance, which the critic maximises, is bounded without the published clipping of weights.

    Args:
        in_channels: K of the image.
        num_classes: C of the masks.
        base_channels: of the first convolution; each further one has twice the channels.
        num_stages: convolutions; SegAN has four that halve.
    """

    def __init__(self, in_channels: int, num_classes: int, base_channels: int = 64, num_stages: int = 4) -> None:
        super().__init__()
        widths = [in_channels * num_classes, *(base_channels * 2**stage for stage in range(num_stages))]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, width, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width, affine=False, track_running_stats=False),
                nn.LeakyReLU(0.2),
            )
            for before, width in zip(widths, widths[1:], strict=False)
        )

    def forward(self, images: Tensor, masks: Tensor) -> tuple[Tensor, ...]:
        """Features at every scale.

        Args:
            images: (N, K, H, W) of any range; each is brought to [0, 1], as what is 0 looks the same in any mask.
            masks: (N, C, H, W) in [0, 1].

        Returns:
            The masked images (N, K C, H, W), then (N, width, about H / 2^k, about W / 2^k).
        """
        low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
        images = (images - low) / (high - low).clamp(min=torch.finfo(images.dtype).eps)
        features = (images.unsqueeze(2) * masks.unsqueeze(1)).flatten(1, 2)
        scales = [features]
        for stage in self.stages:
            features = stage(features)
            scales.append(features)
        return tuple(scales)


class PatchDiscriminator(nn.Module):
    """Whether each patch of a mask looks true, given the image.

    Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017: 4x4
    convolutions, three that halve and two that don't, patches of 70 x 70 pixels. Instance norm keeps the frames of a
    batch apart, true ones from predicted ones in particular.

    Args:
        in_channels: K of the image.
        num_classes: C of the masks.
        base_channels: of the first convolution.
    """

    def __init__(self, in_channels: int, num_classes: int, base_channels: int = 64) -> None:
        super().__init__()
        layers = [nn.Conv2d(in_channels + num_classes, base_channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        width = base_channels
        for stride in (2, 2, 1):
            layers += [
                nn.Conv2d(width, 2 * width, 4, stride=stride, padding=1, bias=False),
                nn.InstanceNorm2d(2 * width),
                nn.LeakyReLU(0.2),
            ]
            width *= 2
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, padding=1))

    def forward(self, images: Tensor, masks: Tensor) -> tuple[Tensor]:
        """Images (N, K, H, W) and masks (N, C, H, W), at least 32 pixels high and wide, to logits.

        Returns:
            One tensor (N, 1, about H / 8, about W / 8), high = taken for true.

        >>> (logits,) = PatchDiscriminator(1, 6, base_channels=2)(torch.zeros(2, 1, 32, 48), torch.zeros(2, 6, 32, 48))
        >>> tuple(logits.shape)
        (2, 1, 2, 4)
        """
        return (self.layers(torch.cat([images, masks.to(images.dtype)], dim=1)),)
