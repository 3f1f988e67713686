"""all-MiniLM-L6-v2: a sentence encoder trained with in-batch InfoNCE at temperature .05.

Six layers of BERT, the mean of the last hidden states over the tokens of a text, 384 dimensions.
Weights are safetensors, the tokenizer is JSON; both are read from the pinned archive in memory.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from supcon_theory.data import pins

LONGEST = 256  # tokens of a text that are read, as the model's own settings say
BATCH = 64  # texts of similar length at a time: padding changes no number but rounding


class Model(NamedTuple):
    """The tokenizer and the network."""

    tokenizer: Any
    network: Any


def load() -> Model:
    """The model from its pinned archive."""
    import safetensors.torch
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    with zipfile.ZipFile(io.BytesIO(pins.read("minilm"))) as archive:
        config = json.loads(archive.read("config.json"))
        weights = safetensors.torch.load(archive.read("model.safetensors"))
        tokenizer = Tokenizer.from_str(archive.read("tokenizer.json").decode())
    network = BertModel(BertConfig(**config), add_pooling_layer=False)
    known = {name: w for name, w in weights.items() if not name.startswith("pooler.")}
    known.pop("embeddings.position_ids", None)  # 0, 1, 2 ...: no weights
    network.load_state_dict(known)
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    return Model(tokenizer, network.eval())


@torch.inference_mode()
def embed(model: Model, texts: Sequence[Sequence[str]]) -> Tensor:
    """Embeddings of texts.

    Args:
        model: what `load` returns.
        texts: N samples, K texts of each.

    Returns:
        (N, K, 384) float32, means over tokens, not scaled.
    """
    flat = [text for views in texts for text in views]
    order = sorted(range(len(flat)), key=lambda k: len(flat[k]))
    found = torch.empty(len(flat), model.network.config.hidden_size)
    for start in range(0, len(flat), BATCH):
        rows = order[start : start + BATCH]
        encoded = model.tokenizer.encode_batch([flat[k] for k in rows])
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        hidden = model.network(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask[:, :, None].float()
        found[rows] = (hidden * weight).sum(1) / weight.sum(1)
    return found.unflatten(0, (len(texts), -1))
