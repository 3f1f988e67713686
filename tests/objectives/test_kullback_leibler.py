"""The gradient identity of the generalised KL loss (arXiv 2503.08038), which has no loss here."""

import torch


def test_the_kl_divergence_has_the_gradient_of_weighted_squares_and_a_cross_entropy():
    """KL(p||q), p = softmax(m), q = softmax(n), by its gradients in m and n equals

        1/4 sum_ij sg(p_i p_j) (m_i - m_j - sg(n_i - n_j))^2 - sum_i sg(p_i) log q_i

    with sg a constant: the squares move m alone, the cross-entropy n alone.
    """
    g = torch.Generator().manual_seed(0)
    for size in (2, 3, 10):
        m, n = (3 * torch.randn(size, generator=g, dtype=torch.float64) for _ in range(2))
        m, n = m.requires_grad_(), n.requires_grad_()
        p, log_q = m.softmax(0), n.log_softmax(0)
        divergence = (p * (m.log_softmax(0) - log_q)).sum()
        weight = torch.outer(p, p).detach()
        apart, wanted = m[:, None] - m, (n[:, None] - n).detach()
        squares = (weight * (apart - wanted).square()).sum() / 4
        cross_entropy = -(p.detach() * log_q).sum()
        found = torch.autograd.grad(squares + cross_entropy, (m, n), retain_graph=True)
        for ours, theirs in zip(found, torch.autograd.grad(divergence, (m, n)), strict=True):
            assert (ours - theirs).abs().max() < 1e-14
