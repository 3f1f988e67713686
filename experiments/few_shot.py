"""Few-shot error against its bounds (arXiv 2506.04411, 2603.03530).

Error of the nearest class centre and of a linear probe from m labelled images per class, for
encoders trained with CL (`dcl`), NSCL, SupCon, cross-entropy, and untrained; on classes trained
on and others; beside every bound, from the features themselves (resampled, so that the theorems
apply exactly) and on Gaussian classes whose moments are known.

    python experiments/few_shot.py            laptop: C = 10 and 100, 5 seeds
    python experiments/few_shot.py smoke      seconds: small, every code path

Encoders are those of `deep`, trained once and shared. Queries are images as they are, not views.
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Literal

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.few_shot_curves import correlations
from supcon_theory.claims import Claim, few_shot
from supcon_theory.encoders.flags import Deep, check_objectives
from supcon_theory.encoders.recipe import PUBLISHED, Recipe
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.summary import Summary
from supcon_theory.theory.few_shot.gaussian import one_nuisance, simplex_classes

AUDITS = (columns.FEW_SHOT, columns.FEW_SHOT_CURVES)
UNTRAINED = "init"
LAWS = {
    "two classes": lambda: simplex_classes(2, 64, directional=0.05, dispersion=1.5),
    "five classes": lambda: simplex_classes(5, 64, directional=0.05, dispersion=1.5),
    "one nuisance": lambda: one_nuisance(64, directional=0.02, nuisance=1.5),
}
BOUNDED = (
    columns.Column("cantelli", "1", "Cantelli certificate"),
    columns.Column("theorem_4_1", "1", "Theorem 4.1"),
    columns.Column("neurips", "1", "NeurIPS form"),
    columns.Column("tightened", "1", "NeurIPS form, tightened"),
    columns.Column("trigonometric", "1", "trigonometric, given z"),
)
SHOWN = ("cantelli", "theorem_4_1", "neurips", "tightened", "conditional_trigonometric")


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """In which episodes features are classified, and how."""

    shots: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100, 160)
    """m where supports are different images; those above n are left out."""
    resampled_shots: tuple[int, ...] = (1, 2, 5, 10, 50, 100, 200, 500)
    """m where supports are drawn with replacement from the features as population."""
    ways: tuple[int, ...] = (2, 5)
    """Numbers of classes in an episode, besides all."""
    draws: int = 200
    """Support draws for the nearest centre."""
    labelled_draws: int = 40
    """Support draws for the nearest centre where supports are different images."""
    linear_draws: int = 2
    """Support draws for the linear probe."""
    inverse_l2: float = columns.INVERSE_L2
    """Inverse regularisation of the linear probe, on features of spread one."""
    layer: Literal["z", "h"] = "z"
    """z (unit embeddings) or h (what the backbone gives)."""


@dataclass(frozen=True)
class Config(Episodes, Deep):
    """Few-shot error and its bounds."""

    objectives: tuple[str, ...] = (UNTRAINED, "dcl", "nscl", "supcon", "cross_entropy")
    """What the encoders are trained with; init is the untrained one."""
    certified: tuple[int, ...] = (10,)
    """Numbers of classes for which certificates given the test point are computed."""
    certified_shots: tuple[int, ...] = (1, 10, 100, 500)
    """m at which they are."""

    def check(self) -> None:
        """Refuse episodes and probes that cannot be."""
        super().check()
        self.at_least(draws=2, linear_draws=1, labelled_draws=2)
        if len(self.objectives) != 1 or self.objectives[0] != UNTRAINED:
            check_objectives(tuple(name for name in self.objectives if name != UNTRAINED))
        if not 0 < self.inverse_l2 < float("inf"):
            raise ValueError(f"inverse-l2 is {self.inverse_l2:g} but must be a number above 0")
        if min((*self.shots, *self.resampled_shots), default=0) < 1:
            raise ValueError(
                f"shots are {self.shots} and {self.resampled_shots} but each must be >= 1"
            )
        if min(self.ways, default=0) != 2:
            raise ValueError(
                f"ways are {self.ways} but must be 2, which the bounds are about, and more"
            )


PRESETS = {
    "smoke": Config(
        classes=(4,),
        recipe=Recipe(n=12, steps=6, batch=24),
        seeds=2,
        shots=(1, 2, 12),
        draws=40,
        resampled_shots=(1, 20, 500),
        ways=(2, 3),
        certified=(4,),
        certified_shots=(20,),
    ),
    "laptop": Config(),
    "full": Config(seeds=10, linear_draws=5, labelled_draws=200),
    "paper": Config(
        recipe=PUBLISHED,
        classes=(100,),
        device="cuda",
        shots=(1, 5, 10, 20, 50, 100, 200, 500),
    ),
}


@dataclass(frozen=True)
class Law:
    """Gaussian classes of known moments."""

    law: str
    seed: int
    draws: int
    shots: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Probed(Episodes):
    """An encoder and the episodes in which its features are classified."""

    recipe: Recipe
    encoder: str
    certified: tuple[int, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per number of classes, seed and encoder; one per Gaussian law and seed."""
    episodes = {field.name: getattr(config, field.name) for field in fields(Episodes)}
    for seed in range(config.seeds):
        for C in config.classes:
            for objective in config.objectives:
                trained = "dcl" if objective == UNTRAINED else objective
                recipe = config.recipe_for(C, seed, objective=trained)
                possible = {
                    "ways": tuple(sorted({w for w in config.ways if w < C} | {C})),
                    "shots": tuple(m for m in config.shots if m <= recipe.n),
                    "certified": config.certified_shots if C in config.certified else (),
                }
                probed = Probed(recipe=recipe, encoder=objective, **episodes | possible)
                shared = recipe.shared([recipe.objective])
                yield Cell(probed, f"{objective} C={C} seed={seed}", cost=0.5 * C, shared=shared)
        for law in LAWS:
            of = Law(law, seed, config.draws, config.resampled_shots)
            yield Cell(of, f"{law} seed={seed}", cost=5)


def measure(cell: Law | Probed, context: Context) -> dict[str, pd.DataFrame]:
    """Both protocols for an encoder, the exact one for a law; correlations over m."""
    rows = gaussian_rows(cell) if isinstance(cell, Law) else encoder_rows(cell, context)
    table = pd.DataFrame(list(rows))
    return {"table": table, "correlations": correlations(table, tuple(columns.BOUNDS))}


def gaussian_rows(cell: Law) -> Iterator[dict[str, object]]:
    """Rows of a law of known moments."""
    from supcon_theory.audits.few_shot import gaussian_audit

    law = LAWS[cell.law]()
    C, d = law.means.shape
    about = {"protocol": "gaussian", "classes": cell.law, "objective": "none", "C": C, "d": d}
    about |= {"seed": cell.seed, "split": "population", "probe": "nearest centre"}
    ways = sorted({2, C})
    for row in gaussian_audit(law, cell.shots, ways, draws=cell.draws, queries=200, seed=cell.seed):
        yield about | row


def encoder_rows(cell: Probed, context: Context) -> Iterator[dict[str, object]]:
    """Train the encoder or find it trained; then both protocols on seen and on unseen classes."""
    from supcon_theory.audits.few_shot import feature_audit
    from supcon_theory.data.subsets import balanced, choose_classes
    from supcon_theory.encoders.embed import Encoders
    from supcon_theory.measures.few_shot import labelled_curve

    recipe = cell.recipe
    encoders = Encoders(recipe, [recipe.objective], context, share=0.5)
    dataset = encoders.dataset
    step = 0 if cell.encoder == UNTRAINED else recipe.steps
    total = len(dataset.classes)
    everything = choose_classes(total, min(2 * recipe.C, total), recipe.seed)
    for classes, chosen in (("seen", everything[: recipe.C]), ("unseen", everything[recipe.C :])):
        if len(chosen) < recipe.C:
            continue
        sets = {}
        for split, part, n in (("train", dataset.train, recipe.n), ("test", dataset.test, None)):
            rows, y = balanced(part.labels, chosen, n, recipe.seed)
            h, z = encoders.embed(recipe.objective, step, part.images(rows)[:, None])
            sets[split] = ({"h": h, "z": z}[cell.layer][:, 0], y)
        x, y = sets["train"]
        about = recipe.columns(step=step, objective=cell.encoder, K=1, d=x.shape[1])
        about |= {"layer": cell.layer, "classes": classes}
        seen = classes == "seen"
        audited = sets if seen else {"test": sets["test"]}  # of unseen classes, held-out images
        for row in labelled_curve(
            x,
            y,
            audited,
            cell.shots,
            cell.ways,
            draws=cell.labelled_draws,
            linear_draws=cell.linear_draws,
            linear_shots=max(cell.shots) if seen else 20,
            inverse_l2=cell.inverse_l2,
            seed=recipe.seed,
        ):
            yield about | {"protocol": "labelled"} | row
        here = about | {"protocol": "resampled", "probe": "nearest centre"}
        for split, (x, y) in audited.items():
            for row in feature_audit(
                x,
                y,
                cell.resampled_shots,
                cell.ways,
                draws=cell.draws,
                seed=recipe.seed,
                certified=cell.certified if seen and split == "test" else (),
            ):
                yield here | {"split": split} | row
        context.report(0.75 if seen else 1.0)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """How far bounds are above the error: CL-trained, held-out images of the classes trained on."""
    table = tables["table"].query(
        "protocol == 'resampled' and split == 'test' and classes == 'seen' and objective == 'dcl'"
    )
    rows = table[table["m"].isin([1, 10, 100, 500]) & table["ways"].isin([2, *table["C"].unique()])]
    names = {f"bound_{name}": name.removeprefix("conditional_") for name in SHOWN}
    names = {name: short for name, short in names.items() if name in rows}
    found = rows.groupby(["C", "ways", "m"])[["error", *names]].mean().reset_index()
    found = found.rename(columns=names)
    ratios = found.assign(**{name: found[name] / found["error"] for name in names.values()})
    what = "nearest centre, CL-trained, held-out images: mean"
    return {
        "summary": Summary(found, f"Error and bounds on it, {what}", BOUNDED),
        "tightness": Summary(ratios, f"Bound over error, {what}", BOUNDED),
    }


def claims(config: Config) -> list[Claim]:
    """Every bound at every m, the limits, what the correlations are worth."""
    certified = bool(
        set(config.certified) & set(config.classes)
        and set(config.certified_shots) & set(config.resampled_shots)
    )
    return few_shot.claims(
        max(config.classes), config.objectives, config.resampled_shots, certified
    )


EXPERIMENT = experiment(globals(), "Where is the few-shot error, and where is every bound on it?")

if __name__ == "__main__":
    EXPERIMENT.main()
