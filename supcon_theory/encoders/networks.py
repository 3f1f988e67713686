"""Encoders: (B, channels, size, size) images -> features h (B, D) and unit embeddings z (B, d).

h is what the backbone gives, z = p(h) / |p(h)| with a projector p, of one hidden layer unless asked
otherwise. Weights are drawn from a generator seeded by `seed` alone; nothing global is seeded.

Normalisation is over groups of channels of one image (GroupNorm), not over the batch. So train and
eval mode compute the same function, an embedding never depends on its batch, and there are no
running statistics that lag behind: a checkpoint at step 0 or 20 is as well defined as the last one.
Seen with the plain net on glyphs, C = 100, 150 steps of 128 x 2 views: BatchNorm costs as much and
ends alike, but after 20 steps its eval mode is worse than the random net it started from (its
running statistics lag), where GroupNorm is better.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from supcon_theory.data.pictures import SIZE
from supcon_theory.encoders.heads import Encoder, plain_projector
from supcon_theory.encoders.recipe import ENCODERS, SIZED, SMALL, WIDENED, Recipe


def _convolution(inside: int, outside: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
        nn.GroupNorm(max(outside // 16, 1), outside),
        nn.ReLU(inplace=True),
    ]


def plain(channels: int, d: int, hidden: int = 1) -> Encoder:
    """Four 3x3 convolutions to 16, 32, 64, 64 channels, strides 2, 2, 2, 1: 0.19 M parameters."""
    w = [channels, 16, 32, 64, 64]
    layers = [m for i, s in enumerate((2, 2, 2, 1)) for m in _convolution(w[i], w[i + 1], s)]
    backbone = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten())
    return Encoder(backbone, plain_projector(256, 320, d, hidden), channels_last=True)


class _Residual(nn.Module):
    """relu(x' + norm conv relu norm conv x), x' = x or its strided 1x1 convolution."""

    def __init__(self, inside: int, outside: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(inside, outside, stride), *_convolution(outside, outside, 1)[:2]
        )
        same = inside == outside and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(inside, outside, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.skip(x) + self.body(x))


def residual(channels: int, d: int, hidden: int = 1) -> Encoder:
    """A stride-2 stem, residual blocks of 32, 64, 128 channels; 0.34 M parameters at d = 128."""
    backbone = nn.Sequential(
        *_convolution(channels, 32, 2),
        _Residual(32, 32, 1),
        _Residual(32, 64, 2),
        _Residual(64, 128, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Encoder(backbone, plain_projector(128, 128, d, hidden), channels_last=True)


def mlp(channels: int, d: int, hidden: int = 1) -> Encoder:
    """Two hidden layers on the pixels, each followed by LayerNorm and ReLU; h is the second."""
    layers = []
    for inside in (channels * 32 * 32, 256):
        layers += [nn.Linear(inside, 256), nn.LayerNorm(256), nn.ReLU(inplace=True)]
    return Encoder(
        nn.Sequential(nn.Flatten(), *layers),
        plain_projector(256, 256, d, hidden),
        channels_last=False,
    )


class _Tokens(nn.Module):
    """4x4-pixel patches as 64 tokens with learned positions, through a transformer, averaged."""

    def __init__(self, channels: int, width: int, depth: int):
        super().__init__()
        self.patch = nn.Conv2d(channels, width, 4, 4)
        self.position = nn.Parameter(torch.randn(1, 64, width) * 0.02)
        block = nn.TransformerEncoderLayer(
            width, max(width // 32, 1), 2 * width, dropout=0.0, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patch(images).flatten(2).mT + self.position
        return self.norm(self.blocks(tokens)).mean(1)


def vit(channels: int, d: int, hidden: int = 1) -> Encoder:
    """Four pre-norm transformer layers on 4x4 patches, no dropout; h is the mean token."""
    return Encoder(
        _Tokens(channels, 96, 4), plain_projector(96, 192, d, hidden), channels_last=False
    )


MAKERS = dict(zip(SMALL, (plain, residual, mlp, vit), strict=True))


def _large(name: str, channels: int, d: int, size: int, width: float) -> Encoder:
    from supcon_theory.encoders import large  # torchvision's models take a second to load

    if name in WIDENED:
        block, layers = large.BLOCKS[name]
        return large.residual_network(block, layers, channels, d, size, width)
    hidden, heads = large.TOKENS[name]
    return large.vision_transformer(channels, d, size, hidden, heads)


@contextmanager
def _single_precision() -> Iterator[None]:
    """Weights are float32 whatever the caller's default is, which is back afterwards."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def build(
    name: str,
    channels: int,
    d: int,
    seed: int = 0,
    size: int = SIZE,
    width: float = 1.0,
    hidden: int = 1,
) -> Encoder:
    """The encoder `name` with weights that depend on its arguments only.

    Args:
        name: one of `ENCODERS`.
        channels: of the images, 1 or 3.
        d: dimension of the embeddings, at least 2.
        seed: of the weights.
        size: side of the images, 32 or what `recipe.SIZED` take.
        width: multiplies the widths of `recipe.WIDENED`.
        hidden: layers of the projector between its first and its last, other than 1 for
            `recipe.SMALL` only.

    Returns:
        the encoder; nothing global is seeded.

    Raises:
        ValueError: an argument is none of these.

    """
    if name not in ENCODERS:
        raise ValueError(f"unknown encoder {name!r}; allowed are {', '.join(ENCODERS)}.")
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}; images must have 1 or 3 channels.")
    if d < 2:
        raise ValueError(f"d is {d}; embeddings need at least 2 dimensions.")
    if (size != SIZE and name not in SIZED) or (width != 1 and name not in WIDENED):
        raise ValueError(f"{name} is for images of {SIZE} x {SIZE} and of width 1 only.")
    if hidden < 0 or (hidden != 1 and name not in SMALL):
        raise ValueError(f"hidden is {hidden}; it must be 1, or 0 or more for {', '.join(SMALL)}.")
    with torch.random.fork_rng(devices=[]), _single_precision():
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reseed the GPUs
        if name in SMALL:
            return MAKERS[name](channels, d, hidden)
        return _large(name, channels, d, size, width)


def network_of(recipe: Recipe, channels: int) -> Encoder:
    """The encoder of a recipe with the weights that its training starts from."""
    seed = recipe.seed_of("weights")
    shape = recipe.size, recipe.width, recipe.hidden
    network = build(recipe.encoder, channels, recipe.d, seed, *shape)
    network.surface = recipe.surface
    return network
