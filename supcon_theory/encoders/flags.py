"""The flags of experiments that train encoders: `Trained`, and `Deep` for the longer training.

`recipe` is a template: its fields are flags without prefix (--tau, --steps, --n ...), and
`recipe_for(C, seed)` fills in what differs between the encoders of one run. Nothing imports torch.
"""

import functools
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tyro.conf import OmitArgPrefixes

from supcon_theory.data.facts import Facts, facts, locate
from supcon_theory.data.fingerprint import fingerprint
from supcon_theory.data.named.download import download
from supcon_theory.data.named.sources import File, find, missing, sources
from supcon_theory.encoders.recipe import (
    H100_SECONDS,
    PAIR,
    SECONDS,
    Recipe,
    log_spaced,
)
from supcon_theory.objectives import IDS
from supcon_theory.runs.cells import Cell
from supcon_theory.runs.flags import Common
from supcon_theory.runs.launched import rank, world
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
    download: bool = False
    """Bring the archives of a data set known by name that are not in --data-root."""
    retrain: bool = False
    """Train the encoders again, and measure again."""

    @property
    def data(self) -> str:
        """The data set of the template."""
        return self.recipe.data

    @functools.cached_property
    def digest(self) -> Callable[[str], str]:
        """The fingerprint of a data set, looked at once in the life of this configuration."""
        return functools.cache(functools.partial(fingerprint, root=self.recipe.data_root))

    def facts(self, data: str = "") -> Facts:
        """Names and counts of a data set, that of the template unless named."""
        return facts(data or self.data, self.recipe.data_root, self.recipe.size)

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
        if world() > 1 and self.jobs not in (None, 1):
            raise ValueError(f"jobs is {self.jobs} but must be 1 where {world()} processes train")
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
        if awaited := self._awaited():
            download(awaited, Path(self.recipe.data_root))
        if absent := [*self._missing_on_machine(), *missing_data(self.recipe)]:
            raise ValueError(f"{'; '.join(absent)} ({self.cost()})")
        check_data(self.facts(), max(self.classes), self.recipe.n)
        if world() > 1:
            from supcon_theory.encoders import ranks

            for C in self.classes:
                batch = min(self.recipe.batch, C * self.recipe.n)
                ranks.check(self.recipe.encoder, batch, self.device)

    def refusal(self) -> str:
        """Why the run would be refused on this machine, if it would not bring its data first."""
        absent = self._missing_on_machine()
        if self._awaited():
            return "; ".join(absent)
        return "; ".join([*absent, *missing_data(self.recipe)]) or super().refusal()

    def _awaited(self) -> list[File]:
        """The archives that a run would bring first."""
        if not self.download or self.data not in sources():
            return []
        return missing(self.data, Path(self.recipe.data_root))

    def _missing_on_machine(self) -> list[str]:
        if self.where == "slurm":  # jobs look themselves
            return []
        return [*missing_device(self.device), *missing_compiler(self.recipe)]

    @property
    def workers(self) -> int:
        """Cells computed at the same time: one where several processes train together."""
        return super().workers if world() == 1 else 1

    def together(self) -> bool:
        """Join the processes that torchrun started, and help the first if this is another.

        Returns:
            whether this was another, whose work is done.

        """
        if world() == 1:
            return False
        from supcon_theory.encoders import ranks, train
        from supcon_theory.processes import help_through

        device = ranks.start(self.device)
        if rank() == 0:
            help_through(train.ask_for_losses)
            return False
        ranks.serve(functools.partial(train.assist, device=device))
        ranks.dismiss()
        return True

    def estimate(self, cells: Sequence[Cell]) -> list[str]:
        """What cells would take, in lines."""
        from supcon_theory.encoders.estimate import estimate

        recipes = (getattr(cell.config, "recipe", None) for cell in cells)
        return estimate(cells, next(filter(None, recipes), self.recipe), self.out)

    def alone(self) -> None:
        """Let the other processes go."""
        if world() > 1:
            from supcon_theory.encoders import ranks

            ranks.dismiss()

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
        check_held_out(self.facts())


def check_objectives(names: tuple[str, ...]) -> None:
    """At least one, all known, none twice.

    Raises:
        ValueError: in one sentence, with what is allowed.

    """
    if not names:
        raise ValueError(f"objectives are none but must be some of {', '.join(IDS)}")
    check_among(names, IDS, "objectives")


def check_among(names: tuple[str, ...], known: Collection[str], flag: str) -> None:
    """All known, none twice.

    Raises:
        ValueError: in one sentence, with what is allowed.

    """
    for name in names:
        if name not in known:
            raise ValueError(f"{flag} has {name!r} but each must be one of {', '.join(known)}")
    if len(set(names)) < len(names):
        raise ValueError(f"{flag} are {' '.join(names)} but each may be there once")


def check_data(found: Facts, classes: int, n: int, flag: str = "classes") -> None:
    """The data exist and have the classes and images asked for.

    Raises:
        ValueError: in one sentence, with what the data have.

    """
    if classes > len(found.classes):
        raise ValueError(
            f"{flag} has {classes} but {found.name} has only {len(found.classes)}: ask for "
            "fewer, or bring other --data"
        )
    if n > found.fewest_train:
        raise ValueError(
            f"n is {n} but a class of {found.name} has only {found.fewest_train} training images: "
            f"use --n {found.fewest_train} or less"
        )


def check_held_out(found: Facts) -> None:
    """Every class has held-out images to measure.

    Raises:
        ValueError: in one sentence, with what the data have.

    """
    if found.fewest_test < 2:
        raise ValueError(
            f"a class of {found.name} has {found.fewest_test} test images but held-out images are "
            "measured: bring at least 2 of every class"
        )


def missing_data(recipe: Recipe) -> list[str]:
    """What to do about data that are not there; nothing if they are."""
    try:
        where = locate(recipe.data, recipe.data_root)
        if where in sources():
            find(str(where), Path(recipe.data_root))
    except ValueError as error:
        return [str(error).rstrip(".")]
    return []


def missing_compiler(recipe: Recipe) -> list[str]:
    """What to do about a compiler that `torch.compile` would not find; nothing if it will."""
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if not recipe.compile or shutil.which(compiler):
        return []
    return [
        f"compile needs a C++ compiler but there is no {compiler}: install one, name one in the "
        "variable CXX, or leave out --compile"
    ]


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
