"""The flags of experiments that train encoders: `Trained`, and `Deep` for the longer training.

`recipe` is a template: its fields are flags without prefix (--tau, --steps, --n ...), and
`recipe_for(C, seed)` fills in what differs between the encoders of one run. Nothing imports torch.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tyro.conf import OmitArgPrefixes

from supcon_theory.data.facts import facts, locate
from supcon_theory.data.fingerprint import fingerprint
from supcon_theory.encoders.recipe import (
    H100_SECONDS,
    PAIR,
    PUBLISHED,
    SECONDS,
    Recipe,
    log_spaced,
)
from supcon_theory.objectives import IDS
from supcon_theory.runs.flags import Common
from supcon_theory.runs.progress import duration

LEAST_TAU = 1 / 650  # below it exp(1/tau) overflows


@dataclass(frozen=True)
class Trained(Common):
    """Flags of the experiments that train encoders."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    recipe: OmitArgPrefixes[Recipe] = Recipe()
    eval_tau: tuple[float, ...] = (1.0,)
    """Temperatures to evaluate at; the training temperature is always added."""
    device: str = "cpu"
    """Where to train: cpu, cuda, cuda:1 ..."""
    retrain: bool = False
    """Train the encoders again, and measure again."""

    @property
    def data(self) -> str:
        """The data set of the template."""
        return self.recipe.data

    @functools.cached_property
    def digest(self) -> Callable[[str], str]:
        """The fingerprint of a data set, looked at once in the life of this configuration."""
        return functools.cache(fingerprint)

    @property
    def taus(self) -> tuple[float, ...]:
        """Evaluation temperatures with the training temperature among them, the highest first."""
        return tuple(sorted({*self.eval_tau, self.recipe.tau}, reverse=True))

    @property
    def tau_published(self) -> float:
        """The evaluation temperature nearest to 1, the one of the published measurements."""
        return min(self.taus, key=lambda tau: abs(tau - 1))

    def recipe_for(self, C: int, seed: int, **changes: Any) -> Recipe:
        """The recipe of these flags: equal flags, whatever the experiment, share encoders.

        Args:
            C: number of classes.
            seed: seed of weights, classes, images, batches and views.
            changes: other fields, among them `data`, whose content is fingerprinted here.

        Returns:
            the recipe, with checkpoints at the start and the end unless given.

        """
        data = changes.get("data", self.data)
        fields = {"checkpoints": (0, self.recipe.steps), "data_digest": self.digest(data)}
        return replace(self.recipe, C=C, seed=seed, **fields | changes)

    def recipes(self, **changes: Any) -> Iterator[Recipe]:
        """The recipe of every seed and, for each, of every number of classes."""
        for seed in range(self.seeds):
            for C in self.classes:
                yield self.recipe_for(C, seed, **changes)

    def identity(self) -> dict[str, object]:
        """The configuration, with what somebody's data hold in place of where they are."""
        recipe = replace(self.recipe, data_digest=self.digest(self.data))
        return Common.identity(replace(self, recipe=recipe))

    def check(self) -> None:
        """Refuse what cannot be trained or measured.

        Raises:
            ValueError: in one sentence, with what is allowed.

        """
        super().check()
        for tau in self.eval_tau:
            if not 0 < tau < float("inf"):
                raise ValueError(f"eval-tau is {tau:g} but must be a number above 0")
        if min(self.taus) < LEAST_TAU:
            raise ValueError(
                f"eval-tau is {min(self.taus):g} but must be at least 1/650: below it "
                "exp(1/tau) overflows"
            )
        if not self.classes or min(self.classes) < 2:
            raise ValueError(
                f"classes are {' '.join(map(str, self.classes)) or 'none'} but each must "
                "be at least 2: with one class an anchor has no negatives"
            )

    def look(self) -> None:
        """Refuse a device or data that are not there, both at once, and data that have too little.

        Raises:
            ValueError: in one sentence, with the time that the run would take.

        """
        super().look()
        if missing := [*missing_device(self.device), *missing_data(self.data)]:
            raise ValueError(f"{'; '.join(missing)} ({self.cost()})")
        check_data(self.data, max(self.classes), self.recipe.n)

    def cost(self) -> str:
        """What training takes, in words."""
        of_pair = len(PAIR)
        times = [f"{duration(of_pair * self.recipe.seconds(SECONDS))} of one core"]
        if self.recipe.encoder in H100_SECONDS and self.device != "cpu":
            times.insert(0, f"{duration(of_pair * self.recipe.seconds(H100_SECONDS))} of an H100")
        return (
            f"a CL and an NSCL encoder together take about {' or '.join(times)} to train, and "
            f"{len(self.classes) * self.seeds} such pairs or more are asked for"
        )


@dataclass(frozen=True)
class Deep(Trained):
    """Flags of the experiments that share the longer training with log-spaced checkpoints."""

    classes: tuple[int, ...] = (10, 100)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    recipe: OmitArgPrefixes[Recipe] = Recipe(n=160, steps=800, d=128)

    def recipe_for(self, C: int, seed: int, **changes: Any) -> Recipe:
        """As for `Trained`, with nine log-spaced checkpoints after the initialisation."""
        checkpoints = log_spaced(self.recipe.steps, 9)
        return super().recipe_for(C, seed, **{"checkpoints": checkpoints} | changes)

    def look(self) -> None:
        """Refuse data that have too little, of held-out images too.

        Raises:
            ValueError: in one sentence, with what is allowed.

        """
        super().look()
        if (fewest := facts(self.data).fewest_test) < 2:
            raise ValueError(
                f"a class of {self.data} has {fewest} test images but held-out images are "
                "measured: bring at least 2 of every class"
            )


def check_objectives(names: tuple[str, ...]) -> None:
    """At least one, all known, none twice.

    Raises:
        ValueError: in one sentence, with what is allowed.

    """
    if not names:
        raise ValueError(f"objectives are none but must be some of {', '.join(IDS)}")
    for name in names:
        if name not in IDS:
            raise ValueError(f"objectives has {name!r} but each must be one of {', '.join(IDS)}")
    if len(set(names)) < len(names):
        raise ValueError(f"objectives are {' '.join(names)} but each may be there once")


def check_data(name: str, classes: int, n: int, flag: str = "classes") -> None:
    """The data exist and have the classes and images asked for.

    Raises:
        ValueError: in one sentence, with what the data have.

    """
    found = facts(name)
    if classes > len(found.classes):
        raise ValueError(
            f"{flag} has {classes} but {name} has only {len(found.classes)}: ask for "
            "fewer, or bring other --data"
        )
    if n > found.fewest_train:
        raise ValueError(
            f"n is {n} but a class of {name} has only {found.fewest_train} training images: use "
            f"--n {found.fewest_train} or less"
        )


def missing_data(name: str) -> list[str]:
    """What to do about data that are not there; nothing if they are."""
    if name == PUBLISHED.data and not Path(name).exists():
        return [
            f"CIFAR-100 is not at {name}: get it from https://www.cs.toronto.edu/~kriz/cifar.html "
            f"and put its images at {name}/train/<class>/*.png and {name}/test/<class>/*.png"
        ]
    try:
        locate(name)
    except ValueError as error:
        return [str(error).rstrip(".")]
    return []


def missing_device(name: str) -> list[str]:
    """What to do about a device that is not there; nothing if it is."""
    if name == "cpu":  # torch is asked only about others
        return []
    import torch

    allowed = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.cuda.is_available():
        allowed.append("cuda")
    if torch.backends.mps.is_available():
        allowed.append("mps")
    if name in allowed:
        return []
    return [
        f"device is {name!r} but this machine has {', '.join(allowed)}: choose one with --device"
    ]
