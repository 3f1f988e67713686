"""Affine maps of images: crop, rotation, scale, shear, shift and flip, fused into one resampling.

A map is an (N, 2, 3) matrix that takes *output* coordinates to *input* coordinates, both normalised
so that an image spans [-1, 1] from edge to edge (grid_sample, align_corners=False). Maps compose by
`compose`, so any chain of them costs one `warp`. The matrices are small: NumPy, float64.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor


def affine(
    angle: ArrayLike,
    shift_x: ArrayLike,
    shift_y: ArrayLike,
    scale: ArrayLike,
    shear_x: ArrayLike,
    shear_y: ArrayLike,
    size: int,
) -> np.ndarray:
    """Rotate by `angle` about the centre, shear, scale, then shift.

    In torchvision's convention (`transforms.v2.functional.affine`), M = T R(angle) Shear scale with
    R Shear = [[cos(a - sy) / cos sy, -cos(a - sy) tan sx / cos sy - sin a],
               [sin(a - sy) / cos sy, -sin(a - sy) tan sx / cos sy + cos a]].

    Args:
        angle: a, (N,) radians, like all of them up to `size`.
        shift_x: pixels to the right.
        shift_y: pixels downwards.
        scale: above 1 enlarges.
        shear_x: sx, radians.
        shear_y: sy, radians.
        size: side of the square image in pixels.

    Returns:
        (N, 2, 3), the inverse of M.
    """
    a, tx, ty, s, sx, sy = np.broadcast_arrays(
        *(
            np.atleast_1d(np.asarray(v, float))
            for v in (angle, shift_x, shift_y, scale, shear_x, shear_y)
        )
    )
    forward = np.empty((len(a), 2, 2))
    forward[:, 0, 0] = np.cos(a - sy) / np.cos(sy)
    forward[:, 0, 1] = -np.cos(a - sy) * np.tan(sx) / np.cos(sy) - np.sin(a)
    forward[:, 1, 0] = np.sin(a - sy) / np.cos(sy)
    forward[:, 1, 1] = -np.sin(a - sy) * np.tan(sx) / np.cos(sy) + np.cos(a)
    back = np.linalg.inv(forward * s[:, None, None])
    shift = np.stack([tx, ty], -1) * (2 / size)
    return np.concatenate([back, -back @ shift[..., None]], -1)


def crop(
    top: ArrayLike, left: ArrayLike, height: ArrayLike, width: ArrayLike, size: int
) -> np.ndarray:
    """The rectangle (pixels, fractions allowed) blown up to the whole image: (N, 2, 3)."""
    top, left, height, width = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (top, left, height, width))
    )
    matrix = np.zeros((len(top), 2, 3))
    matrix[:, 0, 0], matrix[:, 1, 1] = width / size, height / size
    matrix[:, 0, 2] = (2 * left + width) / size - 1
    matrix[:, 1, 2] = (2 * top + height) / size - 1
    return matrix


def mirror(flip: ArrayLike) -> np.ndarray:
    """Left and right exchanged where `flip` is true: (N, 2, 3)."""
    matrix = np.tile(np.eye(2, 3), (len(np.atleast_1d(flip)), 1, 1))
    matrix[:, 0, 0] = np.where(flip, -1.0, 1.0)
    return matrix


def compose(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The map of the image that `first` and then `second` make: (N, 2, 3)."""
    linear = first[..., :2] @ second[..., :2]
    shift = first[..., :2] @ second[..., 2:] + first[..., 2:]
    return np.concatenate([linear, shift], -1)


def warp(images: Tensor, matrix: np.ndarray, padding: str = "zeros") -> Tensor:
    """Resample bilinearly at `matrix` of the output's pixel centres.

    Args:
        images: (N, channels, H, W).
        matrix: (N, 2, 3), output to input coordinates.
        padding: what lies outside the image: "zeros", "border" or "reflection".

    Returns:
        (N, channels, H, W).
    """
    _n, _, height, width = images.shape
    m = torch.as_tensor(matrix, dtype=images.dtype).to(images.device)
    across = (torch.arange(width, dtype=m.dtype, device=m.device) + 0.5) * (2 / width) - 1
    down = (torch.arange(height, dtype=m.dtype, device=m.device) + 0.5) * (2 / height) - 1
    # (N, 2, H, W) planes: a sum of a row and a column, and the layout grid_sample reads fastest
    row = m[:, :, :1] * across + m[:, :, 2:]
    grid = row[:, :, None, :] + (m[:, :, 1:2] * down)[..., None]
    return F.grid_sample(
        images, grid.permute(0, 2, 3, 1), mode="bilinear", padding_mode=padding, align_corners=False
    )
