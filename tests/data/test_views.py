"""Views: keyed, independent of the batch, in range, and what the policy says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from supcon_theory.data import views as module
from supcon_theory.data.policy import OPERATIONS, policy_of
from supcon_theory.data.views import Policy, views

PLAIN = Policy(
    area=(1.0, 1.0), aspect=(1.0, 1.0), degrees=0, shear=0, shift=0, brightness=0, contrast=0,
    saturation=0, hue=0, p_grayscale=0, veil=0, p_blur=0, p_erase=0,
)  # fmt: skip


def _images(n: int, channels: int) -> torch.Tensor:
    return torch.rand(n, channels, 32, 32, generator=torch.Generator().manual_seed(n))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_view_does_not_depend_on_its_batch(channels, monkeypatch):
    x, index = _images(70, channels), np.arange(100, 170)
    whole = views(x, index, seed=1, epoch=3, K=2)
    some = torch.tensor([69, 4, 33])
    part = views(x[some], index[some], seed=1, epoch=3, K=2)
    assert torch.equal(part, whole[some])
    alone = views(x[5:6], index[5:6], seed=1, epoch=3, K=1)
    assert torch.equal(alone[0, 0], whole[5, 0])
    monkeypatch.setattr(module, "CHUNK", 9)
    assert torch.equal(views(x, index, seed=1, epoch=3, K=2), whole)


@pytest.mark.parametrize("change", ["seed", "epoch", "stream", "index", "view"])
def test_every_part_of_the_key_changes_every_view(change):
    x, index, key = _images(1, 1).expand(20, -1, -1, -1), np.arange(20), {"seed": 0, "epoch": 0}
    first = views(x, index, K=2, **key)
    other = {
        "seed": lambda: views(x, index, K=2, seed=1, epoch=0),
        "epoch": lambda: views(x, index, K=2, seed=0, epoch=1),
        "stream": lambda: views(x, index, K=2, stream="evaluation", **key),
        "index": lambda: views(x, index + 20, K=2, **key),
        "view": lambda: first.flip(1),
    }[change]()
    assert ((first - other).abs().amax((2, 3, 4)) > 1e-3).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_views_have_the_promised_shape_and_range(channels):
    x = _images(40, channels)
    before = x.clone()
    v = views(x, np.arange(40), seed=0, epoch=0, K=3, policy=Policy(flips=True))
    assert v.shape == (40, 3, channels, 32, 32) and v.dtype == torch.float32
    assert v.min() >= 0 and v.max() <= 1
    assert torch.equal(x, before)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_policy_that_allows_nothing_gives_the_image_back(channels):
    x = _images(10, channels)
    v = views(x, np.arange(10), seed=0, epoch=0, K=2, policy=PLAIN)
    torch.testing.assert_close(v, x[:, None].expand_as(v), atol=1e-5, rtol=0)


@pytest.mark.parametrize("flips", [False, True])
def test_strength_one_is_our_policy_to_the_bit(flips):
    assert policy_of(1.0, flips=flips) == Policy(flips=flips)


@pytest.mark.parametrize("channels", [1, 3])
def test_views_move_further_from_their_image_with_strength_and_none_at_zero(channels):
    x = _images(60, channels)
    far = []
    for strength in (0.0, 0.5, 1.0, 2.0):
        policy = policy_of(strength, flips=True)
        v = views(x, np.arange(60), seed=0, epoch=0, K=2, policy=policy)
        assert v.min() >= 0 and v.max() <= 1
        far.append((v - x[:, None]).abs().mean().item())
    assert far[0] < 1e-5 and far == sorted(far)


def test_leaving_every_operation_out_leaves_the_image_and_each_touches_its_own_fields():
    ours, fields = Policy(flips=True), [name for part in OPERATIONS.values() for name in part]
    assert len(fields) == len(set(fields))
    for name, part in OPERATIONS.items():
        found = policy_of(without=name, flips=True)
        assert found == replace(ours, **part) != ours
    none = replace(ours, **{k: v for part in OPERATIONS.values() for k, v in part.items()})
    x = _images(10, 3)
    v = views(x, np.arange(10), seed=0, epoch=0, K=1, policy=none)[:, 0]
    torch.testing.assert_close(v, x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_left_out_changes_the_views(name):
    x, key = _images(10, 1 if name == "veil" else 3), dict(seed=0, epoch=0, K=1)
    without = views(x, np.arange(10), policy=policy_of(without=name, flips=True), **key)
    whole = views(x, np.arange(10), policy=Policy(flips=True), **key)
    assert not torch.equal(without, whole)


def test_flips_mirror_about_half_of_the_views():
    x = torch.linspace(0, 1, 32).expand(400, 1, 32, 32).contiguous()
    v = views(x, np.arange(400), seed=0, epoch=0, K=1, policy=replace(PLAIN, flips=True))
    mirrored = (v[:, 0, 0, 0, 0] > v[:, 0, 0, 0, -1]).float().mean().item()
    assert 0.4 < mirrored < 0.6


@pytest.mark.parametrize(
    "allowed",
    [
        {"area": (0.2, 0.5)}, {"aspect": (0.5, 2.0)}, {"degrees": 30}, {"shear": 0.4}, {"shift": 5},
        {"brightness": 0.5}, {"contrast": 0.5}, {"saturation": 0.5}, {"hue": 0.3},
        {"p_grayscale": 1.0}, {"p_blur": 1.0}, {"p_erase": 1.0},
    ],
)  # fmt: skip
def test_each_part_of_the_policy_changes_the_views(allowed):
    x = _images(10, 3)
    v = views(x, np.arange(10), seed=0, epoch=0, K=1, policy=replace(PLAIN, **allowed))[:, 0]
    assert ((v - x).abs().amax((1, 2, 3)) > 1e-2).sum() >= 8


def test_the_veil_changes_grey_images_only():
    policy = replace(PLAIN, veil=0.5)
    for channels, change in ((1, True), (3, False)):
        x = _images(10, channels)
        v = views(x, np.arange(10), seed=0, epoch=0, K=1, policy=policy)[:, 0]
        assert ((v - x).abs().amax((1, 2, 3)) > 1e-2).all() == change


def test_a_crop_of_a_quarter_of_the_area_sees_half_of_the_width():
    policy = replace(PLAIN, area=(0.25, 0.25))
    ramp = torch.linspace(0, 1, 32).expand(200, 1, 32, 32).contiguous()
    v = views(ramp, np.arange(200), seed=0, epoch=0, K=1, policy=policy)[:, 0, 0]
    seen = v[:, 0, -1] - v[:, 0, 0]
    torch.testing.assert_close(seen, torch.full_like(seen, 0.5), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    "x, index, K, word",
    [
        (torch.zeros(2, 2, 32, 32), [0, 1], 2, "1 or 3"),
        (torch.zeros(2, 1, 32, 30), [0, 1], 2, "1 or 3"),
        (torch.zeros(2, 1, 32, 32), [0], 2, "index has shape"),
        (torch.zeros(2, 1, 32, 32), [0, 1], 0, "K is 0"),
        (torch.zeros(2, 1, 32, 32), [0, -1], 2, "sample numbers"),
    ],
)
def test_wrong_arguments_are_one_sentence(x, index, K, word):
    with pytest.raises(ValueError, match=word):
        views(x, index, seed=0, epoch=0, K=K)
