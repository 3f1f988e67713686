"""The setting of a study of free embeddings; torch is loaded when something of it is computed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supcon_theory.theory.minima import MINIMA
from supcon_theory.theory.simplex import class_simplex, labels_of

if TYPE_CHECKING:
    from torch import Tensor

    from supcon_theory.free.lbfgs import Minimised


@dataclass(frozen=True)
class Study:
    """What is optimised. `part` names the study (`minimisers.STUDIES`); not all use every field."""

    part: str
    objective: str = "nscl"
    C: int = 0
    n: int = 0
    counts: tuple[int, ...] = ()  # class sizes, for "imbalance" in place of C and n
    K: int = 2
    d: int = 0
    taus: tuple[float, ...] = (1.0,)
    seeds: int = 20  # starts
    iterations: int = 2000

    @property
    def tau(self) -> float:
        """The first temperature."""
        return self.taus[0]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The class sizes."""
        return self.counts or (self.n,) * self.C

    @property
    def labels(self) -> "Tensor":
        """(N,) labels in class order."""
        import torch

        return torch.from_numpy(labels_of(self.sizes))

    def minimum(self, objective: str, tau: float) -> float:
        """The closed form of the minimum for balanced classes."""
        return float(MINIMA[objective](self.C, self.n, self.K, tau))

    def minimised(
        self, objective: str, tau: float, starts: "Tensor | None" = None
    ) -> "tuple[Tensor, Minimised]":
        """Where the starts (Gaussian by default) end."""
        from supcon_theory.free.optimise import gaussian_starts, optimise

        if starts is None:
            starts = gaussian_starts(self.seeds, sum(self.sizes), self.K, self.d, seed=0)
        return optimise(objective, starts, self.labels, tau, self.iterations)

    def constructed(self) -> "Tensor":
        """(N, K, d) embeddings at the class simplex."""
        import torch

        return torch.from_numpy(class_simplex(self.sizes, self.K, self.d)[0])

    def about(self, **more: Any) -> dict[str, Any]:
        """The columns that say what a row is about."""
        sizes = self.sizes
        return {
            "part": self.part,
            "objective": self.objective,
            "C": len(sizes),
            "n": sum(sizes) // len(sizes),
            "K": self.K,
            "d": self.d,
            "tau": self.tau,
            "labels": "true",
        } | more
