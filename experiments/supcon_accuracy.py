"""Does SupCon give better features than cross-entropy and SimCLR (arXiv 2004.11362)?

Encoders trained with SupCon, CL, NSCL and cross-entropy (`full`: both forms of SupCon, SimCLR too):
the same network, steps, batches and views. Held-out images (other font families) are classified by
a linear probe, by the nearest class centre and by neighbours, from the backbone's output h, the
projector being discarded, and from its output z; with 1 to n labelled images a class, of classes
trained on and of others (arXiv 2605.20302: after SupCon the class means are the classifier).

    python experiments/supcon_accuracy.py            laptop: C = 10, 5 seeds
    python experiments/supcon_accuracy.py full       C = 10 and 100, positives, temperatures

Encoders are those of `deep` with more steps, trained once and shared.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, accuracy
from supcon_theory.encoders.flags import LEAST_TAU, Deep, check_objectives
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary

HEADINGS = tuple(
    columns.Column(f"{layer} {probe}", "%", f"{meaning} by {way}")
    for layer, meaning in {"h": "backbone", "z": "projector"}.items()
    for probe, way in {
        "nearest centre": "class means",
        "linear": "a linear probe",
        "neighbours": "ten neighbours",
    }.items()
)
AUDITS = (columns.ACCURACY,)
FORMS = ("supcon", "supcon_in")
EVERY = (*FORMS, "nt_xent", "dcl", "nscl", "cross_entropy")


@dataclass(frozen=True, kw_only=True)
class Probes:
    """How features are probed."""

    shots: tuple[int, ...] = (1, 2, 5, 20, 160)
    """Labelled images per class; those above n are left out, n itself is added."""
    draws: int = 40
    """Support draws for the nearest centre."""
    linear_draws: int = 1
    """Support draws for the linear probe."""
    inverse_l2: float = columns.INVERSE_L2
    """Inverse regularisation of the linear probe, on features of spread one."""


@dataclass(frozen=True)
class Config(Probes, Deep):
    """Accuracy of frozen features."""

    classes: tuple[int, ...] = (10,)
    """Numbers of classes C; each seed has its own random subset of the classes."""
    objectives: tuple[str, ...] = ("supcon", "dcl", "nscl", "cross_entropy")
    """What encoders are trained with."""
    supcon_tau: float = 0.5
    """Temperature that the forms of SupCon are trained at (0.1 in the paper); others at --tau."""
    positives: tuple[int, ...] = ()
    """Numbers of positives kept for each anchor, for further encoders of SupCon."""
    temperatures: tuple[float, ...] = ()
    """Further temperatures of SupCon."""

    def check(self) -> None:
        """Refuse what cannot be trained or probed."""
        super().check()
        check_objectives(self.objectives)
        self.at_least(draws=2, linear_draws=1)
        if not 0 < self.inverse_l2 < float("inf"):
            raise ValueError(f"inverse-l2 is {self.inverse_l2:g} but must be a number above 0")
        if min(self.shots, default=0) < 1:
            raise ValueError(f"shots are {self.shots} but each must be >= 1")
        if min(self.positives, default=1) < 1:
            raise ValueError(f"positives are {self.positives} but each must be >= 1")
        for tau in (self.supcon_tau, *self.temperatures):
            if not LEAST_TAU <= tau < float("inf"):
                raise ValueError(f"a temperature of SupCon is {tau:g} but must be at least 1/650")


LONG = replace(Deep.recipe, steps=2000)  # after 800 steps two of five SupCon encoders are too raw
PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=12, steps=6, batch=24),
        seeds=2,
        shots=(1, 2, 12),
        objectives=(*FORMS, "nt_xent", "cross_entropy"),
        positives=(1,),
    ),
    "laptop": Config(recipe=LONG),
    "full": Config(
        recipe=LONG,
        classes=(10, 100),
        objectives=EVERY,
        supcon_tau=0.1,
        shots=(1, 2, 5, 10, 20, 50, 100, 160),
        positives=(1, 2, 4, 8),
        temperatures=(0.05, 0.2, 0.5, 1.0),
    ),
    "paper": Config(
        recipe=PUBLISHED, classes=(100,), objectives=EVERY, device="cuda", supcon_tau=0.1
    ),
}


@dataclass(frozen=True, kw_only=True)
class Probed(Probes):
    """An encoder, what it is called, and how its features are probed."""

    recipe: Recipe
    level: str


def encoders(config: Config) -> Iterator[tuple[str, dict]]:
    """What each encoder is called, and how its recipe differs from the template."""
    for name in config.objectives:
        tau = config.supcon_tau if name in FORMS else config.recipe.tau
        yield name, {"objective": name, "tau": tau}
    of_supcon = {"objective": "supcon", "tau": config.supcon_tau}
    for k in config.positives:
        yield accuracy.kept(k), of_supcon | {"options": {"max_positives": k}}
    for tau in config.temperatures:
        yield f"supcon, tau = {tau:g}", of_supcon | {"tau": tau}


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes, seed and encoder."""
    probes = {field.name: getattr(config, field.name) for field in fields(Probes)}
    for seed in range(config.seeds):
        for C in config.classes:
            for level, changes in encoders(config):
                recipe = config.recipe_for(C, seed, **changes)
                shots = tuple(sorted({m for m in config.shots if m < recipe.n} | {recipe.n}))
                of = Probed(recipe=recipe, level=level, **probes | {"shots": shots})
                shared = recipe.shared([recipe.objective])
                cost = 0.1 * C + 4e-5 * C**2 * sum(shots)  # the linear probes: C of C m labels
                yield Cell(of, f"{level} C={C} seed={seed}", cost=cost, shared=shared)


def measure(cell: Probed, context: Context) -> pd.DataFrame:
    """Train the encoder or find it trained; probe h and z on seen and on unseen classes."""
    from supcon_theory.audits.accuracy import accuracy_rows, training_row
    from supcon_theory.data.subsets import balanced, choose_classes
    from supcon_theory.encoders.embed import Encoders

    recipe = cell.recipe
    trained = Encoders(recipe, [recipe.objective], context, share=0.7)
    dataset, step = trained.dataset, recipe.steps
    seen, y, _ = trained.images("train")
    z = trained.embed(recipe.objective, step, seen)[1]
    progress = training_row(z, y, recipe.objective, recipe.tau, recipe.options)
    about = recipe.columns(step=step, K=1, level=cell.level) | progress
    about["positives"] = recipe.options.get("max_positives", float("nan"))
    total = len(dataset.classes)
    everything = choose_classes(total, min(2 * recipe.C, total), recipe.seed)
    rows = []
    for classes, chosen in (("seen", everything[: recipe.C]), ("unseen", everything[recipe.C :])):
        if len(chosen) < recipe.C:
            continue
        sets = []
        for part, n in ((dataset.train, recipe.n), (dataset.test, None)):
            images, y = balanced(part.labels, chosen, n, recipe.seed)
            features = trained.embed(recipe.objective, step, part.images(images)[:, None])
            sets.append(([of[:, 0] for of in features], y))
        (supports, y), (held_out, of_held_out) = sets
        for layer, x, queries in zip("hz", supports, held_out, strict=True):
            found = accuracy_rows(
                x,
                y,
                (queries, of_held_out),
                cell.shots,
                draws=cell.draws,
                linear_draws=cell.linear_draws,
                inverse_l2=cell.inverse_l2,
                seed=recipe.seed,
            )
            here = about | {"d": x.shape[1], "layer": layer, "classes": classes}
            rows += [here | row for row in found]
        context.report(0.85 if classes == "seen" else 1.0)
    return pd.DataFrame(rows)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Accuracy in per cent with all labelled images of the classes trained on."""
    rows = tables["table"].query("classes == 'seen'")
    rows = rows[rows["m"] == rows["m"].max()]
    rows = rows.assign(
        accuracy=100 * (1 - rows["error"]), probe=rows["layer"] + " " + rows["probe"]
    )
    by = ["C", "level"]
    found = rows.pivot_table(index=by, columns="probe", values="accuracy", sort=False)
    found = found.join(rows.groupby(by)["left"].mean()).reset_index()
    title = "Held-out accuracy in per cent, all labelled images of the classes trained on: mean"
    return {"summary": Summary(found, title, HEADINGS)}


def claims(config: Config) -> list[Claim]:
    """SupCon against its rivals, positives, the projector, class means against a linear probe."""
    return accuracy.claims(config.classes, config.objectives, config.positives)


EXPERIMENT = experiment(globals(), "Does SupCon give better features than cross-entropy?")

if __name__ == "__main__":
    EXPERIMENT.main()
