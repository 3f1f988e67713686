"""What decides an encoder: a frozen, hashed recipe. Equal recipes share one trained encoder.

Nothing here imports torch: keys of encoders and cells are known before anything is trained. A field
that is a flag of the command line has its help as docstring; the others are suppressed there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated

import numpy as np
from tyro.conf import Suppress

from supcon_theory.data.facts import ROOT
from supcon_theory.data.pictures import SIZE
from supcon_theory.data.policy import MIXES, OPERATIONS, STRONGEST
from supcon_theory.objectives import IDS, options_of
from supcon_theory.objectives.ids import OF_SHARES
from supcon_theory.runs import store
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.cells import Shared
from supcon_theory.runs.exits import Refused

VERSION = 1  # raise it when the same recipe starts to give other numbers; the golden test tells
ENCODERS = ("plain", "residual", "mlp", "vit", "resnet18", "resnet50", "vit_small", "vit_base")
SMALL = ("plain", "residual", "mlp", "vit")
"""Encoders of our own, whose projector may have any number of hidden layers."""
SIZED = ("residual", "resnet18", "resnet50", "vit_small", "vit_base")
"""Encoders of images of other sizes than 32 x 32."""
WIDENED = ("resnet18", "resnet50")
"""Encoders with a width multiplier."""
BATCH_NORMALISED = ("resnet18", "resnet50", "vit_small", "vit_base")
"""Encoders whose embeddings depend on the rest of the batch in training."""
PRECISIONS = ("float32", "bfloat16", "float16")
OPTIMISERS = ("adamw", "sgd", "lars")
SURFACES = ("sphere", "ball", "positive", "none")
"""Where embeddings may lie: unit rows, rows of norm at most 1, unit rows without a negative entry,
rows as the projector gives them."""
DRAWS = ("weights", "batches", "views")
"""What training draws from its seed; classes and images are no part of it."""
PAIR = ("dcl", "nscl")
"""The objectives, CL and NSCL, that most questions compare."""
SECONDS = {
    **{"plain": 0.045, "residual": 0.2, "mlp": 0.015, "vit": 0.7},
    **{"resnet18": 16.0, "resnet50": 40.0, "vit_small": 16.0, "vit_base": 60.0},
}
"""Rough seconds of one core for a step of 128 images x 2 views, for the time left."""
LATER = ("width", "size", "warm_up", "precision", "compile", "stripes", "surface", "pull", "named")
LATER += ("strength", "without", "mix", "wrong", "hidden")
"""Fields that the first stored encoders did not have."""
H100_SECONDS = {"plain": 0.008, "resnet50": 0.0475}
"""The same on an NVIDIA H100 (80 GB), measured: half of a paired step of CL and NSCL encoders."""
H100_GIB = {"resnet50": (2048, 49.8)}
"""Images x views in a step and the GiB of memory that it took there, two encoders at a time."""


@dataclass(frozen=True)
class Recipe:
    """Everything that an encoder's weights depend on (with the machine type and the versions)."""

    data: str = "glyphs"
    """glyphs, kanji (kanji:5: five to a class), cifar10, cifar100, cifar100-coarse, svhn,
    svhn-extra, tiny-imagenet, mini-imagenet, a path to a .npz (x_train, y_train, x_test, y_test),
    or an image folder."""
    C: Suppress[int] = 10
    n: int = 64
    """Training images per class."""
    seed: Suppress[int] = 0
    objective: Suppress[str] = "dcl"
    data_digest: Suppress[str] = ""
    imbalance: Suppress[float] = 1.0
    encoder: str = "plain"
    """plain, residual, mlp, vit, resnet18, resnet50, vit_small or vit_base."""
    d: Annotated[int, Between(2, 65_536)] = 64
    """Dimension of the embeddings."""
    pairs: Suppress[str] = "distinct"
    tau: float = 0.5
    """Temperature to train at."""
    K: Suppress[int] = 2
    batch: Annotated[int, Between(2, 1_000_000)] = 128
    """Images in a batch, each seen in two views."""
    steps: Annotated[int, Between(1, 10_000_000)] = 100
    """Training steps, the same for every C."""
    checkpoints: Suppress[tuple[int, ...]] = ()
    optimiser: str = "adamw"
    """adamw, sgd or lars."""
    lr: float = 2e-3
    """Peak learning rate."""
    weight_decay: float = 1e-4
    """Weight decay."""
    options: Suppress[Mapping[str, object]] = field(default_factory=dict, hash=False)
    data_root: str = ROOT
    """Folder in which the archives of data sets known by name lie."""
    width: Annotated[float, Between(0.125, 16)] = 1.0
    """All widths of resnet18 or resnet50 by this."""
    size: Annotated[int, Between(8, 1024)] = SIZE
    """Side of the images in pixels."""
    warm_up: Annotated[int, Between(1, 10_000_000)] = 10
    """Steps of linearly rising learning rate before the cosine."""
    precision: str = "float32"
    """float32, or the encoder in bfloat16 or float16 (autocast); the loss is always in float32."""
    compile: bool = False
    """Compile the encoder (torch.compile)."""
    stripes: Suppress[float] = 0.0
    """Contrast of the stripes laid over every image (`data.stripes`)."""
    surface: Suppress[str] = "sphere"
    """Where embeddings may lie: one of `SURFACES`."""
    pull: Suppress[float] = 0.0
    """Weight of the pull to frozen orthonormal prototypes, besides the objective."""
    named: Suppress[float] = 1.0
    """Share of the training images whose label that pull knows."""
    strength: Annotated[float, Between(0, STRONGEST)] = 1.0
    """Of the augmentation of the views trained on: 0 is none, 2 twice ours."""
    without: str | None = None
    """Augmentation left out: crop, move, mirror, light, colour, veil, blur or erase."""
    mix: str | None = None
    """Mix augmented images in pairs: mixup or cutmix."""
    wrong: Suppress[float] = 0.0
    """Share of the training images whose label is another class, drawn at random."""
    hidden: Suppress[int] = 1
    """Hidden layers of the projector, for `SMALL` encoders."""
    redrawn: Suppress[Mapping[str, int]] = field(default_factory=dict, hash=False)
    """Of a control: which of `DRAWS` are not those of the seed, and which others instead."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "checkpoints", tuple(self.checkpoints))  # JSON gives lists
        finite = float("inf")
        checks = {
            "C": (self.C >= 2, "at least 2"),
            "n": (self.n >= 2, "at least 2 images of each class"),
            "tau": (0 < self.tau < finite, "a number above 0"),
            "d": (self.d >= 2, "at least 2"),
            "K": (self.K >= 2, "at least 2 views"),
            "batch": (self.batch >= 2, "at least 2"),
            "steps": (self.steps >= 1, "at least 1"),
            "lr": (0 < self.lr < finite, "a number above 0"),
            "weight_decay": (0 <= self.weight_decay < finite, "0 or a number above"),
            "imbalance": (self.imbalance >= 1, "at least 1"),
            "pairs": (self.pairs in ("all", "distinct"), "'all' or 'distinct'"),
            "optimiser": (self.optimiser in OPTIMISERS, f"one of {', '.join(OPTIMISERS)}"),
            "objective": (self.objective in IDS, f"one of {', '.join(IDS)}"),
            "encoder": (self.encoder in ENCODERS, f"one of {', '.join(ENCODERS)}"),
            "size": (
                self.size == SIZE or (self.size % 32 == 0 and self.encoder in SIZED),
                f"{SIZE}, or a multiple of 32 for {', '.join(SIZED)}",
            ),
            "width": (
                self.width == 1 or (0 < self.width < finite and self.encoder in WIDENED),
                f"1, or another number above 0 for {' and '.join(WIDENED)}",
            ),
            "precision": (self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}"),
            "warm_up": (self.warm_up >= 1, "at least 1 step"),
            "surface": (self.surface in SURFACES, f"one of {', '.join(SURFACES)}"),
            "pull": (0 <= self.pull < finite, "0 or a number above"),
            "named": (0 <= self.named <= 1, "in [0, 1]"),
            "stripes": (0 <= self.stripes < 1, "in [0, 1)"),
            "strength": (0 <= self.strength <= STRONGEST, f"from 0 to {STRONGEST:g}"),
            "without": (
                self.without is None or self.without in OPERATIONS,
                f"one of {', '.join(OPERATIONS)}",
            ),
            "wrong": (0 <= self.wrong <= 1, "in [0, 1]"),
            "hidden": (
                self.hidden == 1 or (0 <= self.hidden <= 3 and self.encoder in SMALL),
                f"1, or 0 to 3 for {', '.join(SMALL)}",
            ),
            "mix": (self.mix is None or self.mix in MIXES, f"one of {', '.join(MIXES)}"),
        }
        for name, (right, allowed) in checks.items():
            if not right:
                raise Refused(f"{name} is {getattr(self, name)!r} but must be {allowed}")
        if self.pull and self.d < self.C:
            raise Refused(
                f"d is {self.d} but orthonormal prototypes of C = {self.C} classes need C"
            )
        if self.mix and (self.objective not in OF_SHARES or self.options or self.pull):
            raise Refused(
                f"mix is {self.mix!r} but {self.objective} with these options is not defined for "
                f"images of two classes: it is for plain {', '.join(OF_SHARES)}"
            )
        known = options_of(self.objective)
        if unknown := [name for name in self.options if name not in known]:
            allowed = ", ".join(known) or "none"
            raise Refused(f"{unknown[0]} is no option of {self.objective}: it has {allowed}")
        if unknown := [name for name in self.redrawn if name not in DRAWS]:
            raise Refused(f"{unknown[0]} is not drawn in training: only {', '.join(DRAWS)} are")
        inside = {step for step in self.checkpoints if 0 <= step <= self.steps}
        if list(self.checkpoints) != sorted(inside):
            raise Refused(
                f"checkpoints {self.checkpoints} must be increasing steps between 0 and "
                f"{self.steps}"
            )

    @property
    def places(self) -> tuple[str, ...]:
        """The fields that keys leave out.

        Where data are, once their content is known; and what came later than the first stored
        encoders, as long as it is what it was for them.
        """
        usual = [
            f.name for f in fields(self) if f.name in LATER and getattr(self, f.name) == f.default
        ]
        return (*(("data",) if self.data_digest else ()), "data_root", *usual)

    @property
    def key(self) -> str:
        """The folder of the trained encoder: equal recipes, and only those, share it."""
        return store.key(store.plain(self, places=False) | {"version": VERSION})

    def seed_of(self, draw: str) -> int:
        """The seed of one of `DRAWS`: `seed`, or another where a control draws it anew."""
        # far from every seed of a run, and below 2^32: PyTorch's generator looks at 32 bits only
        return self.seed + 2**20 * self.redrawn.get(draw, 0)

    @property
    def images(self) -> int:
        """Training images: C n, or the sum of n imbalance^(-c/(C-1)), rounded, over classes c."""
        sizes = np.round(self.n * self.imbalance ** (-np.arange(self.C) / (self.C - 1)))
        return int(sizes.sum())

    def columns(self, *, step: int, **more: object) -> dict[str, object]:
        """The columns of a table that say which encoder a row is about.

        Args:
            step: updates after which it is looked at; `epoch` follows from it.
            more: further identity columns (split, layer, labels), or other values for those here,
                such as the `objective` of one of several encoders trained side by side. K is the
                number of views evaluated, 2 unless given here.

        Returns:
            data, C, n, K, d, objective, seed, tau_train, step, epoch, then `more`.

        """
        own = ("data", "C", "n", "K", "d", "objective", "seed")
        found = {name: getattr(self, name) for name in own} | {"K": 2, "tau_train": self.tau}
        return found | {"step": step, "epoch": step / max(self.images // self.batch, 1)} | more

    def seconds(self, of_a_step: Mapping[str, float]) -> float:
        """What training takes, by the seconds of a step of 128 images x 2 views of each encoder."""
        return self.steps * of_a_step[self.encoder] * self.batch / 128 * self.K / 2

    def shared(self, objectives: Iterable[str]) -> dict[str, Shared]:
        """The stored encoders a cell trains or finds, with the seconds that training each takes."""
        one = Shared(self.encoder, self.seconds(SECONDS))
        return {f"encoders/{replace(self, objective=name).key}": one for name in objectives}


def log_spaced(steps: int, count: int) -> tuple[int, ...]:
    """0, then `count` steps up to the last, about equally spaced in their logarithm."""
    points = {round(steps ** (i / (count - 1))) for i in range(count)} if count > 1 else {steps}
    return (0, *sorted(points))


PUBLISHED = Recipe(
    "cifar100",
    C=100,
    n=500,
    steps=14_400,
    batch=1024,
    encoder="resnet50",
    d=128,
    optimiser="lars",
    lr=2.4,
    weight_decay=1e-6,
    warm_up=480,
)
"""The setting of arXiv 2506.04411; CIFAR-100 is brought by --download."""
