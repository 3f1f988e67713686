"""The control: no model at all, an image is the row of its pixels less their mean."""

from torch import Tensor

from supcon_theory.data.pixels import in_unit_range, resized

SIDE = 32  # pixels; larger images are scaled down


def load() -> None:
    """Nothing."""


def embed(model: None, images: Tensor) -> Tensor:
    """Centred pixels.

    Args:
        model: None.
        images: (N, K, channels, side, side), uint8 or float32 in [0, 1].

    Returns:
        (N, K, d) float32, d the number of pixels, over the colours.

    Raises:
        ValueError: an image of one colour, which has no direction.
    """
    x = in_unit_range(images.flatten(0, 1))
    if x.shape[-1] > SIDE:
        x = resized(x, SIDE)
    rows = x.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    if (flat := rows.abs().amax(1) == 0).any():
        raise ValueError(
            f"image {int(flat.nonzero()[0])} has one colour only: remove it, since nothing is seen"
        )
    return rows.unflatten(0, images.shape[:2])
