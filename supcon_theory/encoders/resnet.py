"""The encoder of the published experiments: ResNet-50 with a stem for 32x32 images."""

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import resnet50 as torchvision_resnet50


class ResNet50(nn.Module):
    """3x3 stride-1 stem without pooling; projector 2048 -> 2048 -> d with BatchNorm after both.

    h is the 2048-dimensional average, z the unit output of the projector (arXiv 2506.04411). Unlike
    the other encoders it normalises over the batch, so train and eval mode differ.
    """

    def __init__(self, channels: int, d: int) -> None:
        super().__init__()
        self.backbone = torchvision_resnet50(weights=None)
        stem = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
        for name, layer in {"conv1": stem, "maxpool": nn.Identity(), "fc": nn.Identity()}.items():
            setattr(self.backbone, name, layer)
        self.projector = nn.Sequential(
            nn.Linear(2048, 2048, bias=False),
            nn.BatchNorm1d(2048),
            nn.ReLU(inplace=True),
            nn.Linear(2048, d, bias=False),
            nn.BatchNorm1d(d),
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, channels, 32, 32) -> features (B, 2048), unit embeddings (B, d)."""
        h = self.backbone(images)
        return h, F.normalize(self.projector(h), dim=1)
