"""What cannot be read as numbers: sparse, nested, masked or batched by vmap."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def refuse_unreadable(x: Tensor, name: str) -> None:
    """Refuse tensors that hold no numbers, or not one at every place."""
    dense = x.layout == torch.strided and not (x.is_nested or x.is_quantized or x.is_meta)
    if not dense or isinstance(x, torch.masked.MaskedTensor):
        kind = "meta" if x.is_meta else "quantized" if x.is_quantized else type(x).__name__
        kind = kind if x.layout == torch.strided else str(x.layout)
        raise TypeError(f"{name} is a {kind} tensor; pass a plain dense one, as x.to_dense() is.")


def unmasked(x: Any, name: str) -> Any:
    """What is masked is missing: it must not come back as the number under the mask."""
    mask = np.ma.getmask(x)
    if mask.any():
        first = int(np.argwhere(mask)[0, 0]) if mask.ndim else 0
        raise ValueError(
            f"{name} is masked in {int(mask.sum())} entries, first in row {first}: remove such "
            "samples or fill them in."
        )
    return x


def refuse_batched(x: Tensor, name: str) -> None:
    """Refuse what `vmap` stands a stack of values behind: they cannot be looked at."""
    if torch.func.debug_unwrap(x).ndim != x.ndim:
        raise TypeError(
            f"{name} is batched by torch.func.vmap, which hides its values: use a loop."
        )
