"""What of a pixel is an image's own when images are mixed in pairs."""

import numpy as np
import pytest
import torch

from supcon_theory.data.mixing import masks
from supcon_theory.data.policy import MIXES

SIZE, KEY = 32, dict(seed=3, epoch=5)


def drawn(mix: str, count: int = 2000) -> torch.Tensor:
    return masks(mix, np.arange(count), SIZE, **KEY)


@pytest.mark.parametrize("mix", MIXES)
def test_a_mask_is_a_function_of_its_sample(mix):
    whole = drawn(mix, 20)
    assert torch.equal(masks(mix, [7, 3], SIZE, **KEY), whole[[7, 3]])
    other = [masks(mix, np.arange(20), SIZE, **KEY | {name: 1}) for name in KEY]
    assert not any(torch.equal(of, whole) for of in other)


def test_mixup_keeps_one_uniform_share_of_every_pixel():
    found = drawn("mixup")
    share = found[:, 0, 0]
    assert torch.equal(found, share[:, None, None].expand_as(found))
    assert abs(share.mean() - 0.5) < 0.02 and abs(share.var() - 1 / 12) < 0.005


def test_cutmix_cuts_one_box_as_wide_as_high_unless_it_meets_an_edge():
    cut = 1 - drawn("cutmix")
    assert set(cut.unique().tolist()) == {0.0, 1.0}
    lines = [cut.amax(axis) for axis in (1, 2)]  # columns and rows that the box meets
    assert torch.equal(cut, lines[1][:, :, None] * lines[0][:, None, :])
    wide, high = (of.sum(1) for of in lines)
    for of in lines:  # without a gap
        steps = torch.nn.functional.pad(of, (1, 1)).diff(dim=1).abs().sum(1)
        assert set(steps.tolist()) <= {0.0, 2.0}
    inside = torch.stack([of[:, [0, -1]].sum(1) == 0 for of in lines]).all(0)
    assert inside.sum() > 200 and ((wide - high)[inside].abs() <= 1).all()


def test_cutmix_without_edges_would_keep_a_uniform_share():
    """Boxes around the middle of the image: 1 - share of its area, to the pixel."""
    found, share = drawn("cutmix"), drawn("mixup")[:, 0, 0]  # the first draw of both
    box = 1 - found.mean((1, 2))
    whole = [(1 - found).amax(axis)[:, [0, -1]].sum(1) == 0 for axis in (1, 2)]
    inside = whole[0] & whole[1]
    assert ((box - (1 - share))[inside].abs() <= 2.5 / SIZE).all()
    assert (box <= 1 - share + 2.5 / SIZE).all()


def test_another_mix_is_refused():
    with pytest.raises(ValueError, match="mix is 'cut' but must be one of mixup, cutmix"):
        masks("cut", [0], SIZE, **KEY)
