"""Encoders: shapes, seeded weights, no dependence on the batch, gradients everywhere."""

import pytest
import torch

from supcon_theory.encoders import recipe
from supcon_theory.encoders.networks import ENCODERS, build
from supcon_theory.encoders.optimisers import OPTIMISERS


def test_the_names_that_are_known_without_torch_are_these():
    assert recipe.ENCODERS == tuple(ENCODERS) == tuple(recipe.SECONDS)
    assert recipe.OPTIMISERS == tuple(OPTIMISERS)


LIGHT = [name for name in ENCODERS if name != "resnet50"]


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


def test_resnet50_has_its_published_shape_and_its_eval_mode_does_not_see_the_batch():
    network = build("resnet50", 3, 128).eval()
    assert 27e6 < sum(w.numel() for w in network.parameters()) < 29e6
    images = _images(3, 3)
    h, z = network(images)
    assert h.shape == (3, 2048) and z.shape == (3, 128)
    torch.testing.assert_close(network(images[:1])[1], z[:1], rtol=0, atol=1e-5)
