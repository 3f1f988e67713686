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
    value, least = torch.maximum(red, green), torch.minimum(red, green)
    torch.maximum(value, blue, out=value)  # in place: to allocate anew takes as long as to compute
    chroma = value - torch.minimum(least, blue, out=least)
    per = chroma.masked_fill(chroma == 0, 1).reciprocal_()  # a grey pixel: any hue will do
    hue = torch.sub(red, green).mul_(per).add_(4)
    other = torch.sub(blue, red).mul_(per).add_(2)
    torch.where(value == green, other, hue, out=hue)
    torch.sub(green, blue, out=other).mul_(per)
    torch.where(value == red, other, hue, out=hue)
    hue += 6 * shift[:, None, None]
    turned = torch.empty_like(images)
    for channel, n in enumerate((5, 3, 1)):
        k = torch.add(hue, n, out=other)
        k -= torch.div(k, 6, out=least).floor_().mul_(6)
        pull = torch.minimum(k, torch.sub(4, k, out=least), out=k).clamp_(0, 1)
        torch.addcmul(value, chroma, pull, value=-1, out=turned[:, channel])
    return turned
