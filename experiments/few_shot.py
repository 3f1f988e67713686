"""Few-shot error against its bounds (arXiv 2506.04411, 2603.03530).

Error of the nearest class centre and of a linear probe from m labelled images per class, for
encoders trained with CL (`dcl`), NSCL, cross-entropy, and untrained; on classes trained on and on
others; beside every bound, computed from the features themselves (resampled, so that the theorems
apply exactly) and on Gaussian classes whose moments are known.

    python experiments/few_shot.py            laptop: C = 10 and 100, 3 seeds
    python experiments/few_shot.py smoke      a minute: small, every code path

Encoders are those of `deep`, trained once and shared. Queries are images as they are, not views.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import pandas as pd

from supcon_theory import data
from supcon_theory.audits.few_shot import (
    BOUNDS,
    feature_audit,
    gaussian_audit,
)
from supcon_theory.claims import Claim
from supcon_theory.claims.few_shot import correlations, few_shot_claims
from supcon_theory.data.subsets import balanced, choose_classes
from supcon_theory.encoders.embed import embed, trained_encoders
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.measures.few_shot import labelled_curve
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run
from supcon_theory.theory.few_shot.gaussian import one_nuisance, simplex_classes

NAME = "few_shot"
LAWS = {
    "two classes": lambda: simplex_classes(2, 64, directional=0.05, dispersion=1.5),
    "five classes": lambda: simplex_classes(5, 64, directional=0.05, dispersion=1.5),
    "one nuisance": lambda: one_nuisance(64, directional=0.02, nuisance=1.5),
}


@dataclass(frozen=True)
class Config(command.Deep):
    """Few-shot error and its bounds."""

    objectives: tuple[str, ...] = ("init", "dcl", "nscl", "cross_entropy")
    """What the encoders are trained with; init is the untrained one."""
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
    inverse_l2: float = 100.0
    """Inverse regularisation of the linear probe, features over their RMS norm."""
    certified: tuple[int, ...] = (10,)
    """Numbers of classes for which the certificates that condition on the test point are computed."""
    certified_shots: tuple[int, ...] = (1, 10, 100, 500)
    """m at which they are."""
    layer: str = "z"
    """z (unit embeddings) or h (what the backbone gives)."""

    def check(self) -> None:
        super().check()
        command.at_least(self, draws=2, linear_draws=1, labelled_draws=2)
        command.check_objectives(self.objectives, ("init", *OBJECTIVES), ())
        if not 0 < self.inverse_l2 < float("inf"):
            raise ValueError(f"inverse-l2 is {self.inverse_l2:g} but must be a number above 0")
        if self.layer not in ("z", "h"):
            raise ValueError(f"layer is {self.layer!r} but must be z or h")
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
        n=12,
        seeds=2,
        steps=6,
        batch=24,
        shots=(1, 2, 12),
        draws=40,
        resampled_shots=(1, 20, 500),
        ways=(2, 3),
        certified=(4,),
        certified_shots=(20,),
    ),
    "laptop": Config(),
    "full": Config(seeds=5, linear_draws=5, labelled_draws=200),
    "paper": Config(
        data="data/cifar100",
        classes=(100,),
        n=500,
        seeds=5,
        steps=14_400,
        batch=1024,
        encoder="resnet50",
        d=128,
        optimiser="lars",
        lr=2.4,
        weight_decay=1e-6,
        device="cuda",
        shots=(1, 5, 10, 20, 50, 100, 200, 500),
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per number of classes, seed and encoder; one per Gaussian law and seed."""
    common = {
        "measure": NAME,
        "version": 1,
        "draws": config.draws,
        "resampled_shots": config.resampled_shots,
    }
    found = []
    for seed in range(config.seeds):
        for C in config.classes:
            ways = sorted({w for w in config.ways if w < C} | {C})
            for objective in config.objectives:
                recipe = config.recipe(C, seed, objective.replace("init", "dcl"))
                content = common | {
                    "recipe": asdict(recipe),
                    "encoder": objective,
                    "ways": ways,
                    "shots": [m for m in config.shots if m <= config.n],
                    "layer": config.layer,
                    "labelled_draws": config.labelled_draws,
                    "linear_draws": config.linear_draws,
                    "inverse_l2": config.inverse_l2,
                    "certified": config.certified_shots if C in config.certified else (),
                }
                found.append(Cell(content, f"{objective} C={C} seed={seed}", cost=C))
        for law in LAWS:
            found.append(Cell(common | {"law": law, "seed": seed}, f"{law} seed={seed}", cost=10))
    return found


def measure(cell: Mapping, context: Context) -> dict[str, pd.DataFrame]:
    table = pd.DataFrame(
        list(gaussian_rows(cell) if "law" in cell else encoder_rows(cell, context))
    )
    return {"table": table, "correlations": correlations(table, BOUNDS)}


def gaussian_rows(cell: Mapping) -> Iterator[dict]:
    law = LAWS[cell["law"]]()
    C, d = law.means.shape
    about = {
        "protocol": "gaussian",
        "classes": cell["law"],
        "objective": "none",
        "C": C,
        "d": d,
        "seed": cell["seed"],
        "split": "population",
        "probe": "nearest centre",
    }
    for row in gaussian_audit(
        law,
        cell["resampled_shots"],
        sorted({2, C}),
        draws=cell["draws"],
        queries=200,
        seed=cell["seed"],
    ):
        yield about | row


def encoder_rows(cell: Mapping, context: Context) -> Iterator[dict]:
    """Train the encoder or find it trained; then both protocols on seen and on unseen classes."""
    recipe = Recipe(**cell["recipe"])
    encoder = trained_encoders(recipe, [recipe.objective], context, share=0.5)
    dataset = data.load(recipe.data)
    step = 0 if cell["encoder"] == "init" else recipe.steps
    network = encoder(recipe.objective, step)
    everything = choose_classes(
        len(dataset.classes), min(2 * recipe.C, len(dataset.classes)), recipe.seed
    )
    for classes, chosen in (("seen", everything[: recipe.C]), ("unseen", everything[recipe.C :])):
        if len(chosen) < recipe.C:
            continue
        sets = {}
        for split, part, n in (("train", dataset.train, recipe.n), ("test", dataset.test, None)):
            rows, y = balanced(part.labels, chosen, n, recipe.seed)
            h, z = embed(network, part.images(rows)[:, None], context.device)
            sets[split] = ({"h": h, "z": z}[cell["layer"]][:, 0], y)
        about = {
            "data": recipe.data,
            "C": recipe.C,
            "n": recipe.n,
            "objective": cell["encoder"],
            "seed": recipe.seed,
            "step": step,
            "layer": cell["layer"],
            "classes": classes,
            "d": sets["train"][0].shape[1],
            "tau_train": recipe.tau,
        }
        x, y = sets["train"]
        seen = classes == "seen"
        audited = (
            sets if seen else {"test": sets["test"]}
        )  # of unseen classes, held-out images only
        for row in labelled_curve(
            x,
            y,
            audited,
            cell["shots"],
            cell["ways"],
            draws=cell["labelled_draws"],
            linear_draws=cell["linear_draws"],
            linear_shots=max(cell["shots"]) if seen else 20,
            inverse_l2=cell["inverse_l2"],
            seed=recipe.seed,
        ):
            yield about | {"protocol": "labelled"} | row
        for split, (x, y) in audited.items():
            certified = cell["certified"] if seen and split == "test" else ()
            for row in feature_audit(
                x,
                y,
                cell["resampled_shots"],
                cell["ways"],
                draws=cell["draws"],
                seed=recipe.seed,
                certified=certified,
            ):
                yield (
                    about
                    | {"protocol": "resampled", "split": split, "probe": "nearest centre"}
                    | row
                )
        context.report(0.75 if classes == "seen" else 1.0)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """How far bounds are above the error: CL-trained, held-out images of the classes trained on."""
    table = tables["table"]
    rows = table[
        (table["protocol"] == "resampled")
        & (table["split"] == "test")
        & (table["classes"] == "seen")
        & (table["objective"] == "dcl")
        & table["m"].isin([1, 10, 100, 500])
        & table["ways"].isin([2, *table["C"].unique()])
    ]
    shown = ["cantelli", "theorem_4_1", "neurips", "tightened", "conditional_trigonometric"]
    columns = {
        f"bound_{name}": name.removeprefix("conditional_")
        for name in shown
        if f"bound_{name}" in rows
    }  # no certificate where none was asked for
    found = rows.groupby(["C", "ways", "m"])[["error", *columns]].mean().reset_index()
    found = found.rename(columns=columns)
    ratios = found.assign(**{name: found[name] / found["error"] for name in columns.values()})
    return {"summary": found, "tightness": ratios}


def claims(config: Config) -> list[Claim]:
    certified = bool(set(config.certified) & set(config.classes))
    return few_shot_claims(max(config.classes), {"seed": 2}, certified)


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
