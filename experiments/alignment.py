"""How alike do CL and supervised encoders become on the same batches and views? (arXiv 2510.08852).

CL is trained beside NSCL, SupCon and cross-entropy from the same weights on the same batches and
views, and compared along training by CKA, RSA, shared directions and weights. Controls: CL with
another order of the batches, CL with other weights, batches and views, and CL's own start. Then
CKA of CL and NSCL against the number of classes, the temperature and the batch; the floors of CKA
and RSA; the bound on the drift in the surrogate it is about, and read for encoders.

    python experiments/alignment.py          laptop: C = 10, 5 seeds, 800 steps; sweeps of 100 steps
    python experiments/alignment.py full     10 seeds, as many as most of its trends ask for

Encoders are those of `deep`, `gap_vs_classes` and `universality`, trained once and shared.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, alignment
from supcon_theory.encoders.flags import Deep, check_data, check_objectives
from supcon_theory.encoders.recipe import PAIR, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment

AUDITS = (columns.ALIGNMENT,)
CONTROLS = {  # CL again: what is drawn anew
    "order": {"batches": 1},
    "seed": {"weights": 1, "batches": 1, "views": 1},
}
POWERS = {"B": 1.0, "sqrt B": 0.5, "B^1/4": 0.25}
"""Learning-rate rules: the power of the batch that the rate follows, from the recipe's batch."""


@dataclass(frozen=True)
class Config(Deep):
    """How alike CL and supervised encoders become."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C followed along training; each seed has its own random subset."""
    rivals: tuple[str, ...] = ("supcon", "cross_entropy")
    """Objectives that are compared with CL besides NSCL."""
    sweep_classes: tuple[int, ...] = (2, 4, 8, 32, 128)
    """Numbers of classes of the sweep."""
    sweep_taus: tuple[float, ...] = (0.1, 0.5, 1.0)
    """Training temperatures of the sweep."""
    sweep_batches: tuple[int, ...] = (64, 128, 256)
    """Batches of the sweep, at equal epochs, with each of three learning-rate rules."""
    sweep_at: int = 32
    """Number of classes at which temperature and batch are varied."""
    sweep_n: int = 64
    """Training images per class in the sweeps."""
    sweep_steps: int = 100
    """Training steps in the sweeps, at the batch of the recipe."""
    sweep_d: int = 64
    """Dimension of the embeddings in the sweeps."""
    surrogate_steps: int = 200
    """Steps of the surrogate dynamics."""
    pairs: int = 300
    """Random pairs of embeddings, for the floors of CKA and RSA."""

    def check(self) -> None:
        """Refuse numbers that cannot be trained or compared."""
        super().check()
        if self.rivals:
            check_objectives(self.rivals)
        if twice := set(self.rivals) & set(PAIR):
            raise ValueError(
                f"rivals has {twice.pop()!r} but dcl and nscl are always trained: leave it out"
            )
        self.at_least(sweep_at=2, sweep_n=2, sweep_steps=2, sweep_d=2, surrogate_steps=1, pairs=1)
        for name, least in (("sweep_classes", 2), ("sweep_batches", 2)):
            if min(getattr(self, name), default=least) < least:
                raise ValueError(
                    f"{name.replace('_', '-')} are {getattr(self, name)} but each must be at "
                    f"least {least}"
                )
        if not all(0 < tau < float("inf") for tau in self.sweep_taus):
            raise ValueError(f"sweep-taus are {self.sweep_taus} but each must be a number above 0")

    def look(self) -> None:
        """Refuse data with fewer classes than the sweeps have."""
        super().look()
        most = max((self.sweep_at, *self.sweep_classes))
        check_data(self.facts(), most, self.sweep_n, "sweep-classes")

    def swept(self, seed: int, C: int, **changes: object) -> Recipe:
        """The recipe of a sweep: the shorter training of `universality` with these changes."""
        small = {"n": self.sweep_n, "steps": self.sweep_steps, "d": self.sweep_d} | changes
        return self.recipe_for(C, seed, **{"checkpoints": (0, small["steps"])} | small)


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=16, steps=6, batch=32, d=16),
        seeds=2,
        rivals=("supcon",),
        sweep_classes=(2, 4),
        sweep_taus=(1.0,),
        sweep_batches=(16, 32),
        sweep_at=4,
        sweep_n=16,
        sweep_steps=4,
        sweep_d=16,
        surrogate_steps=5,
        pairs=20,
    ),
    "laptop": Config(),
    "full": Config(seeds=10),
}
SURROGATE = {"C": (2, 10, 50), "tau": (1.0, 0.5, 0.1), "rate": (1.0, 10.0)}


@dataclass(frozen=True)
class Exact:
    """Of one seed: surrogate dynamics and random pairs of embeddings."""

    seed: int
    steps: int
    pairs: int


@dataclass(frozen=True)
class Followed:
    """CL, its rivals and its controls from one start, followed along training."""

    recipe: Recipe
    rivals: tuple[str, ...]
    taus: tuple[float, ...]


@dataclass(frozen=True)
class Swept:
    """CL and NSCL at the end of a shorter training, and what it varies."""

    recipe: Recipe
    factor: str
    rule: str = ""


def cells(config: Config) -> Iterator[Cell]:
    """Cells of exact statements, of the encoders that are followed, of the sweeps."""
    for seed in range(config.seeds):
        work = Exact(seed, config.surrogate_steps, config.pairs)
        yield Cell(work, f"surrogate seed={seed}", 0.02 * config.surrogate_steps)
    for recipe in config.recipes():
        shared = recipe.shared((*PAIR, *config.rivals))
        for redrawn in CONTROLS.values():
            shared |= replace(recipe, redrawn=redrawn).shared(["dcl"])
        work = Followed(recipe, config.rivals, config.taus)
        name = f"{config.data} C={recipe.C} seed={recipe.seed}"
        yield Cell(work, name, 40 * recipe.images / 1600, shared)
    for seed in range(config.seeds):
        for work in sweeps(config, seed):
            of = work.recipe
            name = f"{work.factor}: C={of.C} tau={of.tau:g} batch={of.batch} {work.rule}"
            shared = of.shared(PAIR)
            yield Cell(work, f"{name.strip()} seed={seed}", 0.5 + 0.02 * of.C, shared)


def sweeps(config: Config, seed: int) -> Iterator[Swept]:
    """Every setting of the sweeps: classes, temperatures, batches by rule."""
    stored = (0, config.sweep_steps // 2, config.sweep_steps)  # as in `gap_vs_classes`
    for C in config.sweep_classes:
        yield Swept(config.swept(seed, C, checkpoints=stored), "C")
    for tau in config.sweep_taus:
        yield Swept(config.swept(seed, config.sweep_at, tau=tau), "tau")
    base = config.recipe.batch
    for batch in config.sweep_batches:
        steps = max(round(config.sweep_steps * base / batch), 1)
        for rule, power in POWERS.items() if batch != base else {alignment.BASE: 0.0}.items():
            lr = config.recipe.lr * (batch / base) ** power
            changes = {"batch": batch, "steps": steps, "lr": lr}
            yield Swept(config.swept(seed, config.sweep_at, **changes), "batch", rule)


def measure(cell: Exact | Followed | Swept, context: Context) -> pd.DataFrame:
    """Rows of the cell."""
    if isinstance(cell, Exact):
        rows = exact_rows(cell)
    elif isinstance(cell, Followed):
        rows = followed_rows(cell, context)
    else:
        rows = swept_rows(cell, context)
    return pd.DataFrame(list(rows))


def exact_rows(cell: Exact) -> Iterator[dict[str, object]]:
    """Surrogate dynamics, published settings, random pairs, the pair that refutes a floor."""
    from supcon_theory.audits.alignment import opposed_row, random_pair_rows
    from supcon_theory.audits.surrogate import published_rows, surrogate_row

    about = {"seed": cell.seed, "objective": "none"}
    for C in SURROGATE["C"]:
        for tau in SURROGATE["tau"]:
            for rate in SURROGATE["rate"]:
                yield about | surrogate_row(int(C), tau, rate, cell.steps, cell.seed)
    for row in published_rows(SURROGATE["tau"]):
        yield about | row
    for row in random_pair_rows(cell.pairs, cell.seed):
        yield about | row
    for spread in (1.0, 1.5):
        yield about | opposed_row(spread)


def followed_rows(cell: Followed, context: Context) -> Iterator[dict[str, object]]:
    """CL beside every other encoder at every checkpoint, on training and held-out images."""
    from supcon_theory.audits.alignment import anchor_row, pair_row, weight_rows
    from supcon_theory.audits.surrogate import DELTA
    from supcon_theory.encoders.embed import Encoders, encoder_at
    from supcon_theory.encoders.learner import learning_rate
    from supcon_theory.theory.drift import log_published_drift

    recipe = cell.recipe
    base = Encoders(recipe, (*PAIR, *cell.rivals), context, share=0.3)
    again = {
        name: Encoders(replace(recipe, redrawn=redrawn), ["dcl"], context, share=0.4 + 0.1 * k)
        for k, (name, redrawn) in enumerate(CONTROLS.items())
    }
    others = {name: (base, name) for name in ("nscl", *cell.rivals)}
    others |= {name: (of, "dcl") for name, of in again.items()} | {"start": (base, "dcl")}

    def weights(encoders: Encoders, objective: str, step: int):
        of, entry = encoders.recipes[objective], encoders.entries[objective]
        return encoder_at(of, entry, step, encoders.dataset.channels).state_dict()

    rates = [learning_rate(recipe, step) for step in range(recipe.steps)]
    for split in ("train", "test"):
        seen, y, _ = base.images(split, K=1)
        for done, step in enumerate(recipe.checkpoints, 1):
            about = recipe.columns(step=step, split=split, K=1, rate=recipe.lr)
            own, mine = base.embed("dcl", step, seen), weights(base, "dcl", step)
            for name, (encoders, objective) in others.items():
                at = 0 if name == "start" else step
                found = encoders.embed(objective, at, seen)
                whole, *layers = weight_rows(mine, weights(encoders, objective, at))
                where = about | {"other": name}
                for layer, x, z in zip("hz", own, found, strict=True):
                    row = pair_row(x[:, 0], z[:, 0], recipe.C - 1)
                    if (name, layer) == ("nscl", "z") and step:
                        given = (rates[:step], recipe.tau, recipe.batch, 1 / recipe.C, DELTA)
                        row["log_bound_drift"] = log_published_drift(*given)
                    yield where | {"protocol": "pair", "layer": layer} | whole | row
                for row in layers if split == "test" else ():
                    yield where | {"protocol": "weights"} | row
            for tau in cell.taus:
                yield about | {"layer": "z"} | anchor_row(own[1], y, tau)
            share = 0.25 * done / len(recipe.checkpoints)
            context.report(0.5 + share + (0.25 if split == "test" else 0))


def swept_rows(cell: Swept, context: Context) -> Iterator[dict[str, object]]:
    """CL and NSCL at the end, on held-out images."""
    from supcon_theory.audits.alignment import pair_row
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    encoders = Encoders(recipe, PAIR, context, share=0.8)
    seen, _, _ = encoders.images("test", K=1)
    about = recipe.columns(step=recipe.steps, split="test", K=1, batch=recipe.batch)
    about |= {"protocol": "sweep", "factor": cell.factor, "rule": cell.rule, "rate": recipe.lr}
    ends = (encoders.embed(name, recipe.steps, seen) for name in PAIR)
    for layer, x, z in zip("hz", *ends, strict=True):
        row = pair_row(x[:, 0], z[:, 0], recipe.C - 1)
        yield about | {"other": "nscl", "layer": layer} | row


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The end of training, the sweeps, and how far the drift is below its bounds."""
    table = tables["table"]
    pairs = table.loc[(table["protocol"] == "pair") & (table["step"] > 0)]
    ended = pairs.loc[pairs["step"] == pairs["step"].max()]
    shown = ["cka", "cka_debiased", "rsa", "shared_directions", "weight_gap"]
    swept = table.loc[(table["protocol"] == "sweep") & (table["layer"] == "h")]
    by = ["factor", "rule", "C", "tau_train", "batch"]
    drifts = table.loc[table["protocol"].isin(["surrogate", "published"])]
    logs = ["log_drift", "log_bound_gaps", "log_bound_composition", "log_bound_drift", "log_cap"]
    groups = ["protocol", "data", "C", "tau", "rate"]
    found = {
        "summary": ended.groupby(["split", "layer", "other"])[shown].mean().reset_index(),
        "drift": drifts.groupby(groups, dropna=False)[logs].mean().reset_index(),
    }
    if len(swept):
        found["sweeps"] = swept.groupby(by, dropna=False)[shown[:3]].mean().reset_index()
    return found


def claims(config: Config) -> list[Claim]:
    """The identity, the floors, the drift, what is nearest to CL, and how that varies."""
    varied = len(set(config.sweep_batches)) > 1
    return alignment.claims(
        config.rivals,
        SURROGATE["tau"],
        classes=len(set(config.sweep_classes)) > 1,
        temperatures=len(set(config.sweep_taus)) > 1,
        rules=tuple(POWERS) if varied else (),
    )


EXPERIMENT = experiment(globals(), "How alike do CL and supervised encoders become?")

if __name__ == "__main__":
    EXPERIMENT.main()
