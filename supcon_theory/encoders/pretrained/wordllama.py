"""WordLlama: static vectors of the tokens of a language model; a text is the mean of its tokens.

256 dimensions, trained with in-batch negatives on pairs of texts. Without attention or word order:
what remains of a sentence encoder if nothing but a table is learned.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from supcon_theory.data import pins


class Model(NamedTuple):
    """The tokenizer and the (tokens, 256) table."""

    tokenizer: Any
    table: Tensor


def load() -> Model:
    """The table and its tokenizer from their pinned files."""
    import safetensors.torch
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(pins.read("wordllama_tokenizer").decode())
    (table,) = safetensors.torch.load(pins.read("wordllama")).values()
    return Model(tokenizer, table.float())


def embed(model: Model, texts: Sequence[Sequence[str]]) -> Tensor:
    """Embeddings of texts.

    Args:
        model: what `load` returns.
        texts: N samples, K texts of each.

    Returns:
        (N, K, 256) float32, means over tokens, not scaled.
    """
    flat = [text for views in texts for text in views]
    encoded = model.tokenizer.encode_batch(flat, add_special_tokens=False)
    means = torch.stack([model.table[torch.tensor(e.ids)].mean(0) for e in encoded])
    return means.unflatten(0, (len(texts), -1))
