"""What decides an encoder: a frozen, hashed recipe. Equal recipes share one trained encoder.

Two named families serve several experiments: `sweep`, few images of few to many classes, and
`deep`, longer training with log-spaced checkpoints.
"""

from dataclasses import asdict, dataclass

from supcon_theory.encoders.networks import ENCODERS
from supcon_theory.encoders.optimisers import OPTIMISERS
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs import store

VERSION = 1  # raise it when the same recipe starts to give other numbers; the golden test tells


@dataclass(frozen=True)
class Recipe:
    """Everything that an encoder's weights depend on (with the machine type and the versions)."""

    data: str
    C: int
    n: int
    seed: int
    objective: str
    data_digest: str = ""
    imbalance: float = 1.0
    encoder: str = "plain"
    d: int = 64
    pairs: str = "distinct"
    tau: float = 0.5
    K: int = 2
    batch: int = 128
    steps: int = 100
    checkpoints: tuple[int, ...] = (0, 50, 100)
    optimiser: str = "adamw"
    lr: float = 2e-3
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        object.__setattr__(self, "checkpoints", tuple(self.checkpoints))  # JSON gives lists
        checks = {
            "C": (self.C >= 2, "at least 2"),
            "n": (self.n >= 2, "at least 2 images of each class"),
            "tau": (self.tau > 0, "above 0"),
            "K": (self.K >= 2, "at least 2 views"),
            "batch": (self.batch >= 2, "at least 2"),
            "steps": (self.steps >= 1, "at least 1"),
            "lr": (self.lr > 0, "above 0"),
            "imbalance": (self.imbalance >= 1, "at least 1"),
            "pairs": (self.pairs in ("all", "distinct"), "'all' or 'distinct'"),
            "optimiser": (self.optimiser in OPTIMISERS, f"one of {', '.join(OPTIMISERS)}"),
            "objective": (self.objective in OBJECTIVES, f"one of {', '.join(OBJECTIVES)}"),
            "encoder": (self.encoder in ENCODERS, f"one of {', '.join(ENCODERS)}"),
        }
        for name, (right, allowed) in checks.items():
            if not right:
                raise ValueError(f"{name} is {getattr(self, name)!r} but must be {allowed}")
        if list(self.checkpoints) != sorted(set(self.checkpoints) & set(range(self.steps + 1))):
            raise ValueError(
                f"checkpoints {self.checkpoints} must be increasing steps between 0 and "
                f"{self.steps}"
            )

    @property
    def key(self) -> str:
        return store.key(asdict(self) | {"version": VERSION})


def log_spaced(steps: int, count: int) -> tuple[int, ...]:
    """0, then `count` steps up to the last, about equally spaced in their logarithm."""
    points = {round(steps ** (i / (count - 1))) for i in range(count)} if count > 1 else {steps}
    return (0, *sorted(points))


def sweep(data: str, C: int, seed: int, objective: str, **changes) -> Recipe:
    """An encoder of the class-count sweep: n = 64 images a class unless changed."""
    return Recipe(data, C, changes.pop("n", 64), seed, objective, **changes)


def deep(data: str, C: int, seed: int, objective: str, steps: int = 800, **changes) -> Recipe:
    """A longer training for geometry and few-shot error: all 160 images a class, 9 checkpoints."""
    return Recipe(
        data,
        C,
        changes.pop("n", 160),
        seed,
        objective,
        steps=steps,
        checkpoints=log_spaced(steps, 9),
        **changes,
    )
