"""PyTorch's and Hugging Face's files: `.pt` (weights only: nothing is executed), `.safetensors`."""

from pathlib import Path

import numpy as np

from supcon_theory.data.embeddings.fault import Fault


def pt(path: Path) -> dict[str, np.ndarray | Fault]:
    """The tensor of a file under the name "", or the tensors and lists of a dict by name.

    Args:
        path: of the file, as `torch.save` writes it.

    Returns:
        Name to array, or to what is wrong with it.

    Raises:
        Fault: it holds other Python objects, is no tensor and no dict, or is truncated.
    """
    import pickle
    import warnings

    import torch

    try:
        with warnings.catch_warnings(action="ignore"):  # what is odd about the file is said below
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise Fault(
            f"{path} is damaged, or holds Python objects other than tensors, lists and dicts, "
            "which are not read: torch.save({'z': z, 'y': y}, path) with tensors."
        ) from None
    found = found if isinstance(found, dict) else {"": found}
    return {str(name): _values(path, name, value) for name, value in found.items()}


def safetensors(path: Path) -> dict[str, np.ndarray | Fault]:
    """The tensors of a file by name.

    Args:
        path: of the file.

    Returns:
        Name to array.
    """
    from safetensors.torch import load_file

    return {name: _values(path, name, value) for name, value in load_file(path).items()}


def _values(path: Path, name: object, value: object) -> np.ndarray | Fault:
    """A tensor as an array (bfloat16 as float32: the same numbers), or a list of labels."""
    import torch

    if isinstance(value, torch.Tensor):
        if value.layout == torch.strided and not (value.is_quantized or value.is_nested):
            value = value.detach()
            return (value.float() if value.dtype == torch.bfloat16 else value).numpy(force=True)
        return Fault(f"{path}: {name} is a sparse or quantised tensor: save x.to_dense().float().")
    if isinstance(value, list) and {*map(type, value)} in ({int}, {str}, {bool}):  # 1 is not "1"
        return np.array(value)
    return Fault(f"{path}: {name} is a {type(value).__name__}: save tensors, or lists of labels.")
