"""What may be measured: features with one label per sample, and which classes there are."""

from collections.abc import Sequence
from numbers import Integral

import torch
from torch import Tensor


def check_floating(what: str, x: Tensor) -> None:
    """Refuse anything but a floating-point tensor; `what` begins the sentence."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{what} a {type(x).__name__}; pass a floating-point torch tensor.")
    if not x.is_floating_point():
        raise TypeError(f"{what} {x.dtype}; pass floating point.")


def checked_views(features: Tensor, labels: Tensor) -> Tensor:
    """Features as (N, K, D) without their graph, or an error that says what does not fit.

    Whether they are finite is seen at no cost where they are first summed.
    """
    check_floating("features are", features)
    if not isinstance(labels, Tensor):
        raise TypeError(f"labels are a {type(labels).__name__}; pass an integer torch tensor.")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(f"labels are {labels.dtype}; pass integers.")
    if features.ndim not in (2, 3) or 0 in features.shape:
        raise ValueError(
            f"features have shape {tuple(features.shape)}; pass (N, D) or (N, K, D), "
            f"none of them 0."
        )
    if labels.shape != features.shape[:1]:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)} for {len(features)} samples; "
            f"pass one label per sample, not per view."
        )
    features = features.detach()
    return features if features.ndim == 3 else features[:, None]


def class_values(labels: Tensor, classes: int | Sequence[int] | None) -> Tensor:
    """The classes that ought to be there, ascending: given by number or value, or those found."""
    found = labels.unique()
    if len(found) < 2:
        raise ValueError(
            f"all labels are of one class, {found.item()}; these measures compare at least 2."
        )
    if classes is None:
        known = found
    elif isinstance(classes, Integral):
        known = torch.arange(classes, device=labels.device)
    else:
        known = torch.as_tensor(list(classes), device=labels.device).unique()
    if len(known) < 2:
        raise ValueError(f"classes names {len(known)}; these measures compare at least 2.")
    return known


def what_is_missing(known: Tensor, samples: Tensor, views: int) -> str:
    """Which classes have no sample, or a single row and thus no variance, in words."""
    parts = []
    if (samples == 0).any():
        parts.append(f"no sample of class {_listed(known[samples == 0])}")
    if views == 1 and (samples == 1).any():
        parts.append(f"one sample, so no variance, of class {_listed(known[samples == 1])}")
    return "; ".join(parts)


def _listed(values: Tensor) -> str:
    shown = ", ".join(str(v) for v in values[:5].tolist())
    return shown if len(values) <= 5 else f"{shown} and {len(values) - 5} more"
