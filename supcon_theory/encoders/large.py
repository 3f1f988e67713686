"""The encoders of published experiments: torchvision's ResNets and vision transformers, for GPUs.

Unlike the small encoders these normalise over the batch (in the vision transformers the projector
does), so train and eval mode differ.
"""

from torch import nn
from torchvision.models import VisionTransformer
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.resnet import ResNet as TorchvisionResNet

from supcon_theory.data.pictures import SIZE
from supcon_theory.encoders.heads import Encoder, published_projector

STEM = 64  # channels after the first convolution, at width 1


class ResNet(TorchvisionResNet):
    """torchvision's ResNet with every width multiplied (as in arXiv 2002.05709), and a CIFAR stem.

    The stem is a 3x3 convolution without pooling, of stride size / 32: what follows sees 32 x 32
    positions whatever the size of the images.
    """

    def __init__(
        self, block: type, layers: list[int], channels: int, size: int, width: float
    ) -> None:
        self.width = width
        super().__init__(block, layers)
        stem = round(STEM * width)
        self.conv1 = nn.Conv2d(channels, stem, 3, size // SIZE, 1, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.bn1 = nn.BatchNorm2d(stem)
        self.maxpool = nn.Identity()
        self.features, self.fc = self.inplanes, nn.Identity()

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False) -> nn.Sequential:
        if planes == STEM:  # the first: its input comes from the stem
            self.inplanes = round(STEM * self.width)
        return super()._make_layer(block, round(planes * self.width), blocks, stride, dilate)


def residual_network(
    block: type, layers: list[int], channels: int, d: int, size: int, width: float
) -> Encoder:
    """A ResNet with the published projector.

    Args:
        block: torchvision's `BasicBlock` or `Bottleneck`.
        layers: blocks in each of the four stages.
        channels: of the images.
        d: dimension of the embeddings.
        size: side of the images.
        width: multiplies every width.

    Returns:
        the encoder.
    """
    backbone = ResNet(block, layers, channels, size, width)
    return Encoder(backbone, published_projector(backbone.features, d), channels_last=True)


def vision_transformer(
    channels: int, d: int, size: int, hidden: int, heads: int, layers: int = 12
) -> Encoder:
    """A vision transformer of torchvision on 8 x 8 patches, without its classifier.

    Args:
        channels: of the images.
        d: dimension of the embeddings.
        size: side of the images; a patch has size / 8 pixels.
        hidden: width of the tokens.
        heads: of the attention.
        layers: number of blocks.

    Returns:
        the encoder; h is the class token.
    """
    patch = size // 8
    backbone = VisionTransformer(size, patch, layers, heads, hidden, 4 * hidden)
    backbone.heads = nn.Sequential()  # the identity
    if channels != 3:
        backbone.conv_proj = nn.Conv2d(channels, hidden, patch, patch)
    return Encoder(backbone, published_projector(hidden, d), channels_last=False)


BLOCKS: dict[str, tuple[type, list[int]]] = {
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
}
TOKENS = {"vit_small": (384, 6), "vit_base": (768, 12)}
