"""Photometric operations on (N, channels, H, W) in [0, 1], one factor per image (N,).

Each is torchvision's functional operation of the same name, whose results are clamped to [0, 1];
here the factor may differ from image to image.
"""

import torch
from torch import Tensor

_LUMA = (0.2989, 0.587, 0.114)


def _each(factor: Tensor) -> Tensor:
    return factor[:, None, None, None]


def luminance(images: Tensor) -> Tensor:
    """(N, 1, H, W): .2989 R + .587 G + .114 B; a one-channel image is its own luminance."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    return (_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, None]


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """clamp(factor x)."""
    return (images * _each(factor)).clamp_(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """clamp(factor x + (1 - factor) m), m the mean luminance of the image."""
    mean = luminance(images).mean((1, 2, 3))
    return torch.addcmul(_each((1 - factor) * mean), images, _each(factor)).clamp_(0, 1)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """clamp(factor x + (1 - factor) luminance(x)); 0 is grayscale."""
    return torch.addcmul(_each(1 - factor) * luminance(images), images, _each(factor)).clamp_(0, 1)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """The hue of (N, 3, H, W) turned by `shift` (1 is the whole circle), saturation and value kept.

    With v = max, c = max - min over the channels and h in [0, 6) the hue, the channel n = 5, 3, 1
    (R, G, B) of the result is v - c clamp(min(k, 4 - k), 0, 1), k = (n + h + 6 shift) mod 6.

    Args:
        images: (N, 3, H, W) in [0, 1].
        shift: (N,) of each image, in turns of the circle.

    Returns:
        (N, 3, H, W) in [0, 1].
    """
    red, green, blue = images.unbind(1)
    value = torch.maximum(torch.maximum(red, green), blue)
    chroma = value - torch.minimum(torch.minimum(red, green), blue)
    per = 1 / torch.where(chroma == 0, 1, chroma)  # a grey pixel has c = 0: any hue will do
    hue = torch.where(
        value == red,
        (green - blue) * per,
        torch.where(value == green, 2 + (blue - red) * per, 4 + (red - green) * per),
    )
    hue += 6 * shift[:, None, None]
    k = hue[:, None] + torch.tensor([5.0, 3.0, 1.0], device=hue.device).to(hue)[:, None, None]
    k -= 6 * torch.floor(k / 6)
    pull = torch.minimum(k, 4 - k).clamp_(0, 1)
    return torch.addcmul(value[:, None], chroma[:, None], pull, value=-1)
