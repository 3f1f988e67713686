"""Encoders: shapes, seeded weights, no dependence on the batch, gradients everywhere."""

import pytest
import torch

from supcon_theory.encoders import recipe
from supcon_theory.encoders.large import BLOCKS, TOKENS
from supcon_theory.encoders.networks import SMALL, build
from supcon_theory.encoders.optimisers import OPTIMISERS


def test_the_names_that_are_known_without_torch_are_these():
    assert recipe.ENCODERS == (*SMALL, *BLOCKS, *TOKENS) == tuple(recipe.SECONDS)
    assert tuple(BLOCKS) == recipe.WIDENED and set(SMALL) >= set(recipe.SIZED) - {*BLOCKS, *TOKENS}
    assert recipe.BATCH_NORMALISED == (*BLOCKS, *TOKENS)
    assert recipe.OPTIMISERS == tuple(OPTIMISERS)


LIGHT = list(SMALL)


def _images(n: int, channels: int) -> torch.Tensor:
    return torch.rand(n, channels, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", LIGHT)
def test_an_encoder_gives_features_and_unit_embeddings(name, channels):
    h, z = build(name, channels, 24)(_images(3, channels))
    assert h.ndim == 2 and len(h) == 3 and z.shape == (3, 24)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(3))


@pytest.mark.parametrize("name", LIGHT)
def test_weights_are_a_function_of_the_seed_and_leave_the_global_generator_alone(name):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = build(name, 1, 8, seed=1).state_dict()
    assert torch.equal(torch.rand(3), expected)
    again, other = (build(name, 1, 8, seed=s).state_dict() for s in (1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", LIGHT)
def test_an_embedding_does_not_depend_on_its_batch_nor_on_the_mode(name):
    net, x = build(name, 1, 16), _images(6, 1)
    with torch.no_grad():
        training = net.train()(x)[1]
        whole = net.eval()(x)[1]
        alone = net(x[4:5])[1]
        other = net(torch.cat([x[4:5], 1 - x]))[1]
    torch.testing.assert_close(alone[0], whole[4], atol=1e-5, rtol=0)
    torch.testing.assert_close(other[0], whole[4], atol=1e-5, rtol=0)
    torch.testing.assert_close(training, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", LIGHT)
def test_every_weight_receives_a_gradient(name):
    net = build(name, 3, 16)
    _, z = net(_images(8, 3))
    (z @ z.T).exp().triu(1).sum().backward()
    for key, weight in net.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, key


@pytest.mark.parametrize("name", LIGHT)
def test_the_state_survives_saving_and_loading(name, tmp_path):
    net, x = build(name, 1, 8, seed=3), _images(2, 1)
    torch.save(net.state_dict(), tmp_path / "state.pt")
    other = build(name, 1, 8, seed=4)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(net(x)[1], other(x)[1])


def test_sizes_are_as_documented():
    size = {n: sum(w.numel() for w in build(n, 1, 128).parameters()) / 1e6 for n in LIGHT}
    assert 0.18 < size["plain"] < 0.2 and 0.28 < size["residual"] < 0.36


def test_a_few_steps_lower_a_contrastive_loss():
    """Forty AdamW steps on eight images: views of one image come together, images part."""
    x = _images(8, 1).repeat(2, 1, 1, 1)
    x = (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    net = build("plain", 1, 16)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    partner = torch.arange(16).roll(8)
    losses = []
    for _ in range(40):
        _, z = net(x)
        logits = (z @ z.T / 0.5).masked_fill(torch.eye(16, dtype=torch.bool), -torch.inf)
        loss = torch.nn.functional.cross_entropy(logits, partner)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.5


@pytest.mark.parametrize(
    "arguments, word",
    [
        (("resnet", 1, 8), "unknown encoder 'resnet'"),
        (("plain", 2, 8), "channels is 2"),
        (("plain", 1, 1), "d is 1"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, word):
    with pytest.raises(ValueError, match=word):
        build(*arguments)


@pytest.mark.parametrize(
    "name, options, features, millions",
    [
        ("resnet18", {}, 512, 11.5),
        ("resnet18", {"width": 0.5}, 256, 2.9),
        ("resnet50", {}, 2048, 28.0),
        ("resnet50", {"width": 2}, 4096, 111.2),
        ("vit_small", {}, 384, 21.5),
        ("vit_base", {}, 768, 85.8),
    ],
)
def test_published_encoders_have_their_published_shape(name, options, features, millions):
    with torch.device("meta"):  # no memory is needed for a shape
        network = build(name, 3, 128, **options)
    assert sum(w.numel() for w in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
    h, z = network.eval()(torch.empty(2, 3, 32, 32, device="meta"))
    assert h.shape == (2, features) and z.shape == (2, 128)


@pytest.mark.parametrize("name, size", [("resnet18", 64), ("residual", 64), ("vit_small", 64)])
def test_larger_images_reach_the_same_features(name, size):
    with torch.device("meta"):
        network = build(name, 1, 8, size=size)
    h, z = network(torch.empty(3, 1, size, size, device="meta"))
    assert h.shape == (3, {"residual": 128, "resnet18": 512}.get(name, 384)) and z.shape == (3, 8)


def test_a_large_encoder_in_eval_mode_does_not_see_the_batch_and_knows_its_seed():
    first, again, other = (build("resnet18", 3, 8, seed, width=0.125).eval() for seed in (1, 1, 2))
    images = _images(3, 3)
    z = first(images)[1]
    torch.testing.assert_close(first(images[:1])[1], z[:1], rtol=0, atol=1e-5)
    assert torch.equal(again(images)[1], z) and not torch.equal(other(images)[1], z)


@pytest.mark.parametrize("options", [{"size": 64}, {"width": 2.0}])
def test_what_an_encoder_cannot_have_is_refused(options):
    with pytest.raises(ValueError, match="plain is for images of 32 x 32 and of width 1 only"):
        build("plain", 1, 8, **options)


@pytest.mark.parametrize("name", ["plain", "vit"])
def test_embeddings_are_unit_in_float32_whatever_the_precision(name):
    with torch.autocast("cpu", torch.bfloat16):
        _, z = build(name, 1, 16)(_images(4, 1))
    assert z.dtype == torch.float32
    torch.testing.assert_close(z.norm(dim=1), torch.ones(4), rtol=0, atol=1e-6)
    _, z = build(name, 1, 16).double()(_images(4, 1).double())
    assert z.dtype == torch.float64
