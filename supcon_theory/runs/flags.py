"""The command line that all experiments share: presets, flags, checks, and one-sentence errors.

    python experiments/NAME.py [smoke|laptop|full|paper] [--flags]

Exit codes: 0 every claim came out as declared; 1 a claim failed unexpectedly; 2 bad usage, before any
work; 3 something could not be decided; 4 the program broke.
"""

import os
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import tyro

from supcon_theory import data
from supcon_theory.data.fingerprint import fingerprint


def available_cores() -> int:
    """Cores that this process may use, which on a shared machine can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Common:
    """Flags of every experiment."""

    seeds: int = 3
    """Number of seeds."""
    jobs: int = available_cores()
    """Cells computed at the same time, one thread each."""
    out: Path = Path("results")
    """Folder for results."""
    force: bool = False
    """Measure again what is stored already."""

    def check(self) -> None:
        """Raise ValueError, in one sentence, for what the experiment cannot work with."""
        at_least(self, seeds=1, jobs=1)
        check_writable(self.out)


@dataclass(frozen=True)
class Trained(Common):
    """Flags of the experiments that train encoders."""

    data: str = "glyphs"
    """glyphs, kanji, a path to a .npz (x_train, y_train, x_test, y_test), or an image folder."""
    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    n: int = 64
    """Training images per class."""
    tau: float = 0.5
    """Temperature to train at."""
    eval_tau: tuple[float, ...] = (1.0,)
    """Temperatures to evaluate at; the training temperature is always added."""
    steps: int = 100
    """Training steps, the same for every C."""
    batch: int = 128
    """Images in a batch, each seen in two views."""
    encoder: str = "plain"
    """plain, residual, mlp, vit or resnet50."""
    d: int = 128
    """Dimension of the embeddings."""
    optimiser: str = "adamw"
    """adamw, sgd or lars."""
    lr: float = 2e-3
    """Peak learning rate."""
    weight_decay: float = 1e-4
    """Weight decay."""
    device: str = "cpu"
    """Where to train: cpu, cuda, cuda:1 ..."""
    retrain: bool = False
    """Train the encoders again, and measure again."""

    @property
    def taus(self) -> tuple[float, ...]:
        """Evaluation temperatures with the training temperature among them, the highest first."""
        return tuple(sorted({*self.eval_tau, self.tau}, reverse=True))

    def recipe_fields(self) -> dict[str, object]:
        """The fields of a `Recipe` that are flags."""
        names = ("tau", "steps", "batch", "encoder", "d", "optimiser", "lr", "weight_decay")
        return {name: getattr(self, name) for name in names}

    def check(self) -> None:
        from supcon_theory.encoders.networks import ENCODERS
        from supcon_theory.encoders.optimisers import OPTIMISERS

        super().check()
        at_least(self, n=2, steps=1, batch=2, d=2)
        for name, values in {"tau": [self.tau], "eval-tau": self.eval_tau, "lr": [self.lr]}.items():
            for value in values:
                if not 0 < value < float("inf"):
                    raise ValueError(f"{name} is {value:g} but must be a number above 0")
        if not 0 <= self.weight_decay < float("inf"):
            raise ValueError(
                f"weight-decay is {self.weight_decay:g} but must be 0 or a number above"
            )
        if min(self.taus) < 1 / 650:
            raise ValueError(
                f"eval-tau is {min(self.taus):g} but must be at least 1/650: below it "
                "exp(1/tau) overflows"
            )
        if not self.classes or min(self.classes) < 2:
            raise ValueError(
                f"classes are {' '.join(map(str, self.classes)) or 'none'} but each must "
                "be at least 2: with one class an anchor has no negatives"
            )
        for name, allowed in {"encoder": ENCODERS, "optimiser": OPTIMISERS}.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r} but must be one of {', '.join(allowed)}"
                )
        check_device(self.device)
        check_data(self.data, max(self.classes), self.n)


@dataclass(frozen=True)
class Deep(Trained):
    """Flags of the experiments that share the `deep` encoders."""

    classes: tuple[int, ...] = (10, 100)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    n: int = 160
    """Training images per class."""
    steps: int = 800
    """Training steps."""

    def check(self) -> None:
        super().check()
        dataset = data.load(self.data)
        fewest = dataset.fewest(dataset.test)
        if fewest < 2:
            raise ValueError(
                f"a class of {self.data} has {fewest} test images but held-out images are "
                "measured: bring at least 2 of every class"
            )

    def recipe(self, C: int, seed: int, objective: str):
        """The `deep` recipe of these flags: equal flags, whatever the experiment, share encoders."""
        from supcon_theory.encoders.recipe import deep

        return deep(
            self.data,
            C,
            seed,
            objective,
            n=self.n,
            data_digest=fingerprint(self.data),
            **self.recipe_fields(),
        )


def parse(name: str, presets: Mapping[str, Common]) -> tuple[str, Common]:
    """The preset and configuration that the command line asks for; exits with 2 if it is wrong."""
    arguments = sys.argv[1:]
    preset = "laptop"
    if arguments and not arguments[0].startswith("-"):
        preset = arguments.pop(0)
        if preset not in presets:
            refuse(f"preset is {preset!r} but must be one of {', '.join(presets)}")
    config = tyro.cli(
        type(presets[preset]),
        args=arguments,
        default=presets[preset],
        prog=f"{name}.py {preset}",
        description=f"Presets: {', '.join(presets)}; these are the flags of {preset}.",
    )
    try:
        config.check()
    except (ValueError, TypeError, OSError) as error:
        refuse(str(error))
    return preset, config


def refuse(sentence: str) -> None:
    """Bad usage: one sentence, exit code 2."""
    print(sentence, file=sys.stderr)
    sys.exit(2)


def at_least(config: Common, **least: int) -> None:
    for flag, bound in least.items():
        if getattr(config, flag) < bound:
            raise ValueError(f"{flag} is {getattr(config, flag)} but must be at least {bound}")


def check_objectives(
    names: tuple[str, ...], allowed: Collection[str], needed: Collection[str]
) -> None:
    """At least one, all known, none twice, and those among them that the claims are about."""
    if not names:
        raise ValueError(f"objectives are none but must be some of {', '.join(allowed)}")
    for name in names:
        if name not in allowed:
            raise ValueError(
                f"objectives has {name!r} but each must be one of {', '.join(allowed)}"
            )
    if len(set(names)) < len(names):
        raise ValueError(f"objectives are {' '.join(names)} but each may be there once")
    if missing := [name for name in needed if name not in names]:
        raise ValueError(
            f"objectives are {' '.join(names)} but the claims are about "
            f"{' and '.join(missing)} too: add it"
        )


def check_data(name: str, classes: int, n: int, flag: str = "classes") -> None:
    """The data exist and have the classes and images asked for."""
    dataset = data.load(name)
    if classes > len(dataset.classes):
        raise ValueError(
            f"{flag} has {classes} but {name} has only {len(dataset.classes)}: ask for "
            "fewer, or bring other --data"
        )
    fewest = dataset.fewest(dataset.train)
    if n > fewest:
        raise ValueError(
            f"n is {n} but a class of {name} has only {fewest} training images: use "
            f"--n {fewest} or less"
        )


def check_device(name: str) -> None:
    import torch

    allowed = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.cuda.is_available():
        allowed.append("cuda")
    if torch.backends.mps.is_available():
        allowed.append("mps")
    if name not in allowed:
        raise ValueError(
            f"device is {name!r} but this machine has {', '.join(allowed)}: choose one "
            "with --device"
        )


def check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"out is {str(folder)!r} but that cannot be written to "
            f"({error.strerror}): choose another folder with --out"
        ) from None
