"""A backbone and a projector: features h, and unit embeddings z = p(h) / |p(h)|."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    """Backbone and projector; `forward` returns (h, z)."""

    def __init__(self, backbone: nn.Module, projector: nn.Module, channels_last: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.projector = projector
        self.surface = "sphere"  # or another of `recipe.SURFACES`
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.format)  # convolutions are faster on channels_last

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, channels, size, size) -> features (B, D), embeddings (B, d), usually unit."""
        h = self.backbone(images.contiguous(memory_format=self.format))
        p = self.projector(h)
        # rows are scaled in float32 at least, whatever autocast made of them
        p = p.to(torch.promote_types(p.dtype, torch.float32))
        if self.surface in ("sphere", "positive"):
            return h, F.normalize(p.relu() if self.surface == "positive" else p, dim=1)
        return h, p / p.norm(dim=1, keepdim=True).clamp(min=1) if self.surface == "ball" else p


def plain_projector(features: int, hidden: int, d: int, layers: int = 1) -> nn.Module:
    """So many hidden layers of one width; none is a linear map."""
    inside, before = [], features
    for _ in range(layers):
        inside += [nn.Linear(before, hidden), nn.ReLU(inplace=True)]
        before = hidden
    return nn.Sequential(*inside, nn.Linear(before, d))


def published_projector(features: int, d: int) -> nn.Module:
    """Layers features -> features -> d, BatchNorm after both (arXiv 2506.04411)."""
    return nn.Sequential(
        nn.Linear(features, features, bias=False),
        nn.BatchNorm1d(features),
        nn.ReLU(inplace=True),
        nn.Linear(features, d, bias=False),
        nn.BatchNorm1d(d),
    )
