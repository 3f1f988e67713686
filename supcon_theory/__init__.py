"""supcon_theory: does the theory of contrastive learning hold, how tight is it, where is it silent?

Notation, the same in every file (the papers' letters):

    z       (N, K, d) unit-norm embeddings: N samples, K views of each, d dimensions
    h       (N, K, D) what the encoder gives before the projector
    y       (N,) integer class labels
    C       number of classes;  n_c size of class c;  n the common size when balanced (N = n C)
    tau     temperature: similarities are cosines divided by tau
    anchor  one row (i, l): view l of sample i; there are N K of them
    S, D    sums of exp(cosine / tau) from an anchor to all views of the *other* samples of its own
            class (S) and of the samples of all other classes (D)
    gap     L_DCL - L_NSCL = mean over anchors of log(1 + S / D)
    kappa   (n - 1) / (n (C - 1)), the ratio of the numbers of terms in S and D
    r       (exp(gap) - 1) / kappa: 1 when all similarities are equal
    m       number of labelled examples per class in few-shot classification
    mu, v   class mean and trace of the class covariance (population moments, 1/n)

The names below are loaded when first used, so `import supcon_theory.theory` never imports torch.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supcon_theory.audits.embeddings import audit, scalars
    from supcon_theory.claims import Claim, Verdict
    from supcon_theory.measures import cdnv, directional_cdnv, global_losses
    from supcon_theory.objectives import OBJECTIVES
    from supcon_theory.rulers.ruler import ruler

    __version__: str

_HOME = {
    "OBJECTIVES": "supcon_theory.objectives",
    "global_losses": "supcon_theory.measures",
    "cdnv": "supcon_theory.measures",
    "directional_cdnv": "supcon_theory.measures",
    "Claim": "supcon_theory.claims",
    "Verdict": "supcon_theory.claims",
    "audit": "supcon_theory.audits.embeddings",
    "ruler": "supcon_theory.rulers.ruler",
    "scalars": "supcon_theory.audits.embeddings",
}

__all__ = [
    "OBJECTIVES",
    "Claim",
    "Verdict",
    "audit",
    "cdnv",
    "directional_cdnv",
    "global_losses",
    "ruler",
    "scalars",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return metadata.version("supcon_theory")
    if name not in _HOME:
        raise AttributeError(f"module 'supcon_theory' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
