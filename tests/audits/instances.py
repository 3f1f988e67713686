"""Every audit on one small seeded set of embeddings: its declared tables and its rows."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from supcon_theory.audits import (
    class_collapse,
    columns,
    dimensional_collapse,
    frames,
    hard_geometry,
    loss_families,
    orthogonal_frames,
)
from supcon_theory.audits import imbalance as unequal
from supcon_theory.audits.accuracy import accuracy_rows, training_row
from supcon_theory.audits.alignment import (
    anchor_row,
    opposed_row,
    pair_row,
    random_pair_rows,
    weight_rows,
)
from supcon_theory.audits.anatomy import anatomy_audit
from supcon_theory.audits.augmentation import measured_rows, progress_row
from supcon_theory.audits.batch_means import batch_means
from supcon_theory.audits.captured_energy import energy_rows, equal_classes, task_rows
from supcon_theory.audits.collapse import (
    collapse_audit,
    gram_table,
    instance_simplex_row,
    pairs_table,
    spectrum_table,
)
from supcon_theory.audits.counterexample import counterexample_audit
from supcon_theory.audits.earlier_bounds import earlier_bounds_audit
from supcon_theory.audits.embeddings import audit, scalars
from supcon_theory.audits.estimates import estimates_audit
from supcon_theory.audits.exact_laws import enumeration_audit, two_points_audit
from supcon_theory.audits.few_shot import feature_audit, gaussian_audit
from supcon_theory.audits.few_shot_curves import correlations
from supcon_theory.audits.gap import gap_audit, labelling_audit
from supcon_theory.audits.gaussianity import error_rows, feature_row, power_rows
from supcon_theory.audits.hard_negatives import crossing_row, gap_rows, order_rows
from supcon_theory.audits.imbalance_classes import class_rows
from supcon_theory.audits.kept import Labelled, kept_row
from supcon_theory.audits.laws import LAWS
from supcon_theory.audits.loss_curves import curves, premise
from supcon_theory.audits.maps import map_audit
from supcon_theory.audits.minimisers import study_tables
from supcon_theory.audits.multitask import attribute_rows, constructed_row, factor_rows
from supcon_theory.audits.placement import placed, sharpened
from supcon_theory.audits.robustness import fitted, robustness_row
from supcon_theory.audits.studies import Study
from supcon_theory.audits.supcon_anchor import anchor_rows, triplet_rows
from supcon_theory.audits.supcon_batches import batch_rows, special_rows
from supcon_theory.audits.surrogate import published_rows, surrogate_row
from supcon_theory.audits.training import checkpoint_audit, training_audit
from supcon_theory.audits.transfer import seen_rows, target_rows
from supcon_theory.audits.whitened_laws import axes_row, enumerated_row, gaussian_rows
from supcon_theory.measures.moments import class_moments
from supcon_theory.theory.few_shot.gaussian import simplex_classes

TAUS = [1.0, 0.2]
Tables = tuple[columns.Table, ...]


def embeddings(counts: Sequence[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 2, 5) float64 unit rows in loose clusters, and labels in shuffled order."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.randperm(len(y), generator=generator)]
    centres = torch.randn(len(counts), 1, 5, generator=generator, dtype=torch.float64)
    noise = torch.randn(len(y), 2, 5, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(centres[y] + noise, dim=-1), y


def aligned(z: torch.Tensor, y: torch.Tensor) -> list[dict[str, object]]:
    """An embedding beside part of itself, and the anchors of it."""
    return [pair_row(z[:, 0], z[:, 1, :3], 2), anchor_row(z, y, 0.5)]


def near_gaussian() -> list[dict[str, object]]:
    """Rows of 30 features, of two classes, and of known laws."""
    x, y = np.random.default_rng(0).normal(size=(30, 4)), np.repeat([0, 1], 15)
    errors = error_rows(x, y, (1, 3), 5, seed=0)
    return [feature_row(x, 20, 2, 19, seed=0), *errors, *power_rows(20, 2, 5, 19, seed=0)]


def attributed() -> list[dict[str, object]]:
    """Rows of two independent attributes of 12 rows."""
    x = np.random.default_rng(0).normal(size=(12, 4))
    attributes = {"one": np.repeat([0, 1, 2], 4), "other": np.tile([0, 1], 6)}
    return list(attribute_rows(x, attributes, (1, 3), 5, seed=0))


def shuffled(y: torch.Tensor) -> torch.Tensor:
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(9))]


def checkpoints(counts: Sequence[int]) -> pd.DataFrame:
    """Four checkpoints of `checkpoint_audit`, with what they are about."""
    rows = []
    for step in range(4):
        (f, y), (g, _) = embeddings(counts, step), embeddings(counts, 10 + step)
        about = {"C": len(counts), "split": "train", "seed": 0, "step": step}
        rows += [about | row for row in checkpoint_audit(f, g, y, shuffled(y), TAUS, g)]
    return pd.DataFrame(rows)


def few_shot(counts: Sequence[int]) -> pd.DataFrame:
    z, y = embeddings(counts)
    about = {"protocol": "resampled", "classes": "seen", "objective": "dcl", "C": len(counts)}
    about |= {"split": "test", "seed": 0}
    found = feature_audit(z[:, 0], y, (1, 3, 9), (2, 3), draws=20, seed=0, certified=(3,))
    return pd.DataFrame([about | row for row in found])


def batches(counts: Sequence[int]) -> list[dict]:
    z, y = embeddings(counts)
    order = np.random.default_rng(0).permutation(len(y))
    return batch_means(z, y, training_audit(z, y, TAUS), 7, order)


def map_rows(counts: Sequence[int]) -> list[dict]:
    panels = {
        (name, step): embeddings(counts, seed=step + k)[0][:, 0].numpy()
        for k, name in enumerate(("dcl", "nscl"))
        for step in (0, 3)
    }
    y = embeddings(counts)[1]
    return map_audit(panels, y.numpy(), shuffled(y).numpy(), "pca", 0)[0]


def captured(counts: Sequence[int]) -> list[dict]:
    x = equal_classes(*embeddings(counts))
    tasks = task_rows(x, (1, 9), (1, 30), (30,), tasks=3, draws=9, seed=0)
    return [*energy_rows(x, seed=0), *tasks]


def of_embeddings(audited: Callable) -> Callable:
    return lambda counts: audited(*embeddings(counts))


def probed(counts: Sequence[int]) -> list[dict]:
    (x, y), (queries, of_queries) = embeddings(counts), embeddings(counts, 1)
    training = training_row(x, y, "supcon", 0.2, {})
    of = dict(draws=3, linear_draws=1, inverse_l2=10.0, seed=0)
    found = accuracy_rows(x[:, 0], y, (queries[:, 0], of_queries), (1, min(counts)), **of)
    return [training | row for row in found]


def noisy(counts: Sequence[int]) -> list[dict]:
    (x, y), (queries, of_queries) = embeddings(counts), embeddings(counts, 1)
    probe, clean = fitted(x[:, 0], y, 0), queries[:, 0]
    progress = training_row(x, y, "supcon", 0.2, {})
    return [
        progress | robustness_row(probe, seen, of_queries, clean) for seen in (clean, queries[:, 1])
    ]


def augmented(counts: Sequence[int]) -> list[dict]:
    (x, y), (queries, of_queries) = embeddings(counts), embeddings(counts, 1)
    sets = (x[:, 0], y), (queries[:, 0], of_queries), (queries, of_queries)
    about = {"strength": 2.0, "without": ""} | progress_row(x, y, "supcon", 0.2)
    return [about | row for row in measured_rows(*sets, TAUS, 0)]


def transferred(counts: Sequence[int]) -> list[dict]:
    (x, y), (queries, of_queries) = embeddings(counts), embeddings(counts, 1)
    sets = (x[:, 0], y), (queries[:, 0], of_queries)
    found = target_rows(*sets, (1,), draws=3, seed=0) + seen_rows(*sets, 0)
    return [row | {"target": "glyphs"} for row in found]


GAP_AND_FLOORS = (columns.GAP, columns.FLOORS)


def kept(counts: Sequence[int]) -> list[dict]:
    """A feature of which there are two classes in each coarser one."""
    sets = []
    for seed in (0, 1):
        z, y = embeddings([n for n in counts for _ in range(2)], seed)
        sets.append(Labelled(z[:, 0].numpy(), y.numpy(), y.numpy() // 2))
    return [kept_row(*sets)]


def trained_means(counts: Sequence[int]) -> list[dict]:
    (z, y), (queries, of_queries) = embeddings(counts), embeddings(counts, 1)
    row = dimensional_collapse.loss_row("scl_ball", z, y, 1.0, 5.0, "ball")
    return [row | dimensional_collapse.geometry_row(z, y, queries, of_queries)]


def trained_frames(counts: Sequence[int]) -> list[dict]:
    (z, y), (new, of_new) = embeddings(counts), embeddings(counts, 1)
    positive = torch.nn.functional.normalize(z.abs(), dim=-1)
    row = orthogonal_frames.frame_row(positive, y, 0.5, "positive")
    return [row | orthogonal_frames.new_row(z, y, (new, new), of_new)]


INSTANCES: dict[str, tuple[Tables, Callable]] = {  # name: declared tables, counts -> rows
    "gap": ((columns.GAP,), of_embeddings(lambda z, y: gap_audit(z, y, TAUS))),
    "labelling": (GAP_AND_FLOORS, of_embeddings(lambda z, y: labelling_audit(z, y, TAUS))),
    "placed": (
        (columns.GAP, columns.PLACEMENT),
        of_embeddings(lambda z, y: [placed(row) for row in gap_audit(z, y, TAUS)]),
    ),
    "sharpened": (
        (columns.FEW_SHOT, columns.PLACEMENT),
        lambda counts: [sharpened(row) for row in few_shot(counts).to_dict("records")],
    ),
    "anatomy": (
        (columns.ANATOMY, columns.COUPLED_ANATOMY, columns.MOMENT_BOUNDS),
        of_embeddings(lambda z, y: anatomy_audit(z, y, TAUS)),
    ),
    "training": ((columns.TRAINING,), checkpoints),
    "loss_curves": ((columns.LOSS_CURVES,), lambda counts: curves(checkpoints(counts))),
    "batch_means": ((columns.BATCH_MEANS,), batches),
    "earlier_bounds": (
        (columns.EARLIER_BOUNDS,),
        of_embeddings(lambda z, y: earlier_bounds_audit(z, y, TAUS, (1, 20), 9)),
    ),
    "few_shot": ((columns.FEW_SHOT,), few_shot),
    "few_shot_curves": (
        (columns.FEW_SHOT_CURVES,),
        lambda counts: correlations(few_shot(counts), list(columns.BOUNDS)),
    ),
    "accuracy": ((columns.ACCURACY,), probed),
    "robustness": ((columns.ROBUSTNESS,), noisy),
    "augmentation": (
        (columns.ACCURACY, columns.GAP, columns.GEOMETRY, columns.AUGMENTATION),
        augmented,
    ),
    "transfer": ((columns.ACCURACY, columns.FEW_SHOT, columns.TRANSFER), transferred),
    "collapse": (
        (columns.COLLAPSE,),
        of_embeddings(lambda z, y: collapse_audit(z, y, shuffled(y), TAUS)),
    ),
    "gram": ((columns.GRAM,), of_embeddings(lambda z, y: gram_table(z, y, "abcd"))),
    "spectrum": ((columns.SPECTRUM,), of_embeddings(lambda z, y: spectrum_table(z))),
    "pairs": (
        (columns.PAIRS,),
        of_embeddings(lambda z, y: pairs_table(class_moments(z, y), "abcd")),
    ),
    "maps": ((columns.MAPS,), map_rows),
    "embeddings": ((columns.EMBEDDINGS,), of_embeddings(lambda z, y: [scalars(z, y, tau=0.2)])),
    "audit": (
        (
            *GAP_AND_FLOORS,
            columns.ANATOMY,
            columns.EMBEDDINGS,
            columns.SMALL_SAMPLES,
            columns.FINITE_SAMPLES,
            columns.COMPARISON,
            columns.RAW,
            columns.PAIRS,
            columns.SPECTRUM,
            columns.FEW_SHOT,
            columns.RANKS,
            columns.PROBES,
            columns.LOSSES,
            columns.PER_CLASS,
            columns.NULLS,
            columns.NEIGHBOURS,
            columns.HELD_OUT,
            columns.LABELS_NEEDED,
            columns.MISLABELLED,
            columns.SUBSETS,
        ),
        of_embeddings(
            lambda z, y: pd.concat(
                audit(z, y, TAUS, (1, 4), against=z[:, :, :3] + 0.1, raw=True).values()
            )
        ),
    ),
    "alignment": ((columns.ALIGNMENT,), of_embeddings(aligned)),
    "kept": ((columns.KEPT,), kept),
    "orthogonal_frames": ((columns.ORTHOGONAL_FRAMES,), trained_frames),
    "dimensional_collapse": ((columns.DIMENSIONAL_COLLAPSE,), trained_means),
    "captured_energy": ((columns.CAPTURED_ENERGY,), captured),
    "imbalance": (
        (columns.MINIMISERS,),
        lambda counts: study_tables(
            Study("imbalance", counts=tuple(counts), d=4, seeds=2, iterations=5)
        )["table"],
    ),
}


def study(part: str, **setting: object) -> pd.DataFrame:
    found = study_tables(Study(part, C=3, n=2, **{"d": 3, "seeds": 2, "iterations": 5} | setting))
    return pd.concat(found.values())


FIXED: dict[str, tuple[Tables, Callable]] = {  # without a set of embeddings
    "gaussian": (
        (columns.FEW_SHOT,),
        lambda: gaussian_audit(
            simplex_classes(3, 8, 0.05, 1.5), (2, 30), (2, 3), draws=9, queries=20, seed=0
        ),
    ),
    "counterexample": (
        (columns.COUNTEREXAMPLE,),
        lambda: [counterexample_audit(m, 1.0, 2000, 0) for m in (10, 10_000)],
    ),
    "estimates": (
        (columns.ESTIMATES,),
        lambda: [row for law in LAWS for row in estimates_audit(law, 8, 3, seed=0)],
    ),
    "exact laws": (
        (columns.ESTIMATES,),
        lambda: [*enumeration_audit(4, seed=0), two_points_audit(400, 20, seed=0)],
    ),
    "supcon batches": (
        (columns.SUPCON,),
        lambda: [
            row
            for law in ("random", "clustered", "collapsed")
            for row in batch_rows(law, 3, 4, 2, 5, tau=0.2, draws=2, seed=0)
        ],
    ),
    "supcon special cases": ((columns.SUPCON,), lambda: list(special_rows(4, 2, seed=0))),
    "supcon anchor": (
        (columns.SUPCON,),
        lambda: [*anchor_rows(0.2, (1, 8)), *triplet_rows(0.5)],
    ),
    "whitened laws": (
        (columns.CAPTURED_ENERGY,),
        lambda: [
            enumerated_row(2, 2, 4, 1, seed=0),
            axes_row(2, 5, seed=0),
            *gaussian_rows("a noisier task", (1, 6), (1, 10), 500, 9, seed=0),
        ],
    ),
    "surrogate": (
        (columns.ALIGNMENT,),
        lambda: [
            surrogate_row(4, 0.5, 10.0, 5, seed=0),
            *published_rows((1.0,)),
            *random_pair_rows(5, seed=0),
            opposed_row(1.0),
            *weight_rows({"a": torch.eye(2)}, {"a": -torch.eye(2)}),
        ],
    ),
    "gaussianity": ((columns.GAUSSIANITY,), near_gaussian),
    "multitask": (
        (columns.MULTITASK,),
        lambda: [*factor_rows(2, 3, 3, seed=0), constructed_row(0.1), *attributed()],
    ),
    "instance simplex": ((columns.COLLAPSE,), lambda: [instance_simplex_row(3, 4)]),
    "premise": ((columns.LOSS_CURVES, columns.GAP), lambda: premise(checkpoints([5, 5, 5]))),
    "landscape": ((columns.MINIMISERS,), lambda: study("landscape", taus=(0.5, 1.0))),
    "instances": ((columns.MINIMISERS,), lambda: study("dcl", d=5)),
    "descent": ((columns.MINIMISERS, columns.GRAM), lambda: study("descent", objective="supcon")),
    "saddle": ((columns.MINIMISERS, columns.EIGENVALUES), lambda: study("class simplex")),
    "ascent": ((columns.MINIMISERS,), lambda: study("ascent")),
    "class collapse": (
        (columns.CLASS_COLLAPSE,),
        lambda: [
            *class_collapse.ends("ssem", 2, 2, 2, 0.5, 1, alpha=0.9),
            *class_collapse.features_audit([(1.0, 2.0)], 1),
        ],
    ),
    "loss families": (
        (columns.LOSS_FAMILIES,),
        lambda: [
            *loss_families.simplex_audit(4, 0.5, 1),
            *loss_families.sigmoid_audit(4, 0.5, (0.0,), 1),
            *loss_families.batches_audit(4, 3, 0.5, 0),
            *loss_families.debiased_audit(2, 3, 4, 0.5, (0.5,), 0),
            *frames.frame_audit("supcon", (3, 2), "not negative", 0.5, 1),
            *frames.prototypes_audit(3, 2, 0.5, (1.0,), 1),
        ],
    ),
    "hard negatives": (
        (columns.HARD_NEGATIVES,),
        lambda: [
            *order_rows(*embeddings([5, 4, 6]), 0.5, (0.0, 2.0)),
            crossing_row(*embeddings([5, 4, 6]), 0.5, (0.0, 2.0)),
            *gap_rows(*embeddings([5, 5]), 1.0, (1.0,)),
        ],
    ),
    "unequal classes": (
        (columns.IMBALANCE,),
        lambda: [
            *unequal.programme_audit("nscl", (6, 2), 2, 2, 0.5, 1),
            *unequal.programme_audit("soft_supcon", (6, 2), 2, 2, 0.5, 0, softness=0.2),
            *unequal.threshold_audit("nscl_coupled", (2, 2), 2, 1.0, (1, 10)),
        ],
    ),
    "unequal encoders": (
        (columns.IMBALANCE,),
        lambda: class_rows(*embeddings([9, 5, 3, 3]), np.array([9, 5, 3, 3]), (1.0,), 2, 9, 0),
    ),
    "hard order": (
        (columns.HARD_GEOMETRY,),
        lambda: hard_geometry.order_audit(3, 2, 3, 0.5, (2.0,), seed=0),
    ),
    "hard slope": (
        (columns.HARD_GEOMETRY,),
        lambda: hard_geometry.slope_audit(3, 1.0, (0.3, 2.0), points=3),
    ),
    "hard minimum": (
        (columns.HARD_GEOMETRY,),
        lambda: hard_geometry.minimum_audit("scl_ball", 3, 2, 2, 1.0, 5.0, "ball", 2),
    ),
}
