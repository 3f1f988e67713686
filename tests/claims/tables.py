"""Tables on which every claim holds, from the declared columns and the least that gives a trend."""

import itertools

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import (
    accuracy,
    alignment,
    anatomy,
    augmentation,
    captured_energy,
    class_collapse,
    collapse,
    dimensional_collapse,
    few_shot,
    gap,
    gap_controls,
    gaussianity,
    hard_geometry,
    hard_negatives,
    imbalance,
    loss_families,
    maps,
    minima,
    multitask,
    orthogonal_frames,
    placement,
    robustness,
    simplicity_bias,
    small_samples,
    subclass_probes,
    supcon,
    training,
    transfer,
)
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.gap import published_bound
from supcon_theory.theory.minima import nscl_minimum

SEEDS, STEPS, N = range(6), (0, 3, 20, 130, 800), 160
HARMLESS = {"violation": -1e-2, "limit": 0.0, "ceiling_proved": 1.0}  # by the name's beginning
R = {"true": 1.4, "coarse": 1.2, "random": 0.99, "kmeans": 1.9, "kmeans_equal": 1.8}
FALLS = {"dcl": {"cdnv": 2, "directional_cdnv": 8}, "nscl": {"cdnv": 20, "directional_cdnv": 40}}
FALLS |= {"supcon": {"cdnv": 30, "directional_cdnv": 50}}
SHOTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
BOTH = ("dcl", "nscl")
SIZES = (4, 16, 1000)
ATTRIBUTES = ("script", "case")


def rows(table: columns.Table, **axes) -> pd.DataFrame:
    """A row for each combination of the axes, with every declared column, none of them broken."""
    levels = [v if isinstance(v, (list, tuple, range)) else [v] for v in axes.values()]
    found = pd.DataFrame(list(itertools.product(*levels)), columns=list(axes))
    rest = {}
    for name in table.names:
        if name not in axes:
            start = next((v for k, v in HARMLESS.items() if name.startswith(k)), 0.5)
            rest[name] = 1e-15 if name.endswith("_error") else start
    return found.assign(**rest)


def with_gap(found: pd.DataFrame, r) -> pd.DataFrame:
    """Gaps of a given r, and the bounds at their C and tau."""
    C, tau = found["C"].to_numpy(), found["tau"].to_numpy()
    published = [float(published_bound(c, t)) for c, t in zip(C, tau, strict=True)]
    ceiling = [float(etf_ceiling(c, N, t)) for c, t in zip(C, tau, strict=True)]
    gap = np.log1p(r * (N - 1) / (N * (C - 1)))
    return found.assign(r=r, gap=gap, bound_n_max=published, bound_ceiling=ceiling)


def sweep(data: str = "glyphs", C: tuple[int, ...] = (4, 8, 64)) -> pd.DataFrame:
    one = {"data": data, "imbalance": 1.0, "trained_imbalance": 1.0}
    both = {"tau": [1.0, 0.5], "labels": ["true", "shuffled"], "objective": BOTH}
    found = rows(columns.GAP, C=C, seed=SEEDS, step=[0, 100], **one, **both)
    trained = (found["step"] > 0) & (found["labels"] == "true")
    found = with_gap(found, 1.0 + (0.3 + 0.002 * found["seed"]) * trained)
    return found


def grid() -> pd.DataFrame:
    both = columns.Table("grid", 1, (*columns.GAP.columns, *columns.FLOORS.columns))
    level = ["base", "objective=untrained", "objective=nscl", "encoder=vit"]
    found = rows(both, C=32, level=level, seed=SEEDS, tau=[1.0, 0.5, 0.1], labels=list(R))
    found = with_gap(found, found["labels"].map(R) + 0.002 * found["seed"])
    found["step"] = np.where(found["level"] == "objective=untrained", 0, 100)
    found["objective"] = np.where(found["level"] == "objective=nscl", "nscl", "dcl")
    balanced_only = [
        *("violation_centred", "violation_ceiling", "bound_ceiling", "ceiling_proved"),
        *("violation_relaxed", "bound_relaxed"),
        *("nscl_above_floor", "violation_nscl_floor", "violation_nscl_coupled_floor"),
    ]
    found.loc[found["labels"] == "kmeans", balanced_only] = np.nan
    return found


def geometry() -> pd.DataFrame:
    axes = {"step": [0, 100], "labels": ["true", "shuffled"], "objective": list(FALLS)}
    where = {"layer": "z", "split": "test", "tau": np.nan}
    found = rows(columns.COLLAPSE, C=[10, 100], seed=SEEDS, **axes, **where)
    ended = (found["step"] > 0) & (found["labels"] == "true")
    for column in ("cdnv", "directional_cdnv"):
        by = found["objective"].map({o: falls[column] for o, falls in FALLS.items()})
        found[column] = 6 / (by * (1 + 0.01 * found["seed"])).where(ended, 1.0)
    for column in ("augmentation_variance", "etf_deviation"):
        found[column] = 0.5 - (0.3 + 0.001 * found["seed"]) * ended
    return found


def shots() -> pd.DataFrame:
    common = {"protocol": ["resampled", "gaussian"], "classes": "seen", "split": "test"}
    common |= {"objective": "dcl", "C": 100, "seed": SEEDS}
    found = rows(columns.FEW_SHOT, **common, m=SHOTS, ways=[2, 100])
    noise = (1 + 0.01 * found["seed"]) * np.where(found["ways"] == 2, 1, 5)
    found["error"] = (0.01 + 0.1 * found["m"] ** -0.8) * noise
    for name in found.columns:
        if name.startswith(("bound_", "cut_")):
            found[name] = 3 * found["error"]
        if name.startswith("violation_pair_"):
            found[name] = found[name].where(found["ways"] == 2)
    limit = rows(columns.FEW_SHOT, **common, m=np.inf, ways=2)
    limit["crossing"], limit["half_theorem_4_1"] = 20 + limit["seed"], 300.0 + limit["seed"]
    limit["directional_from_theorem_4_1"] = 200.0 + limit["seed"]
    return pd.concat([found, limit], ignore_index=True)


def counterexample() -> pd.DataFrame:
    m = [100, 10_000, 1_000_000]
    found = rows(columns.COUNTEREXAMPLE, m=m, scale=[1.0, 2.0], seed=SEEDS)
    return found.assign(error=0.2545, error_exact=0.2545, bound_older=11.31 / np.sqrt(found["m"]))


def along_training() -> pd.DataFrame:
    """Losses fall together; the gap follows its centred bound only under true labels."""
    common = {"C": [10, 100], "tau": [1.0, 0.5], "split": ["train", "test"], "seed": SEEDS}
    end = {"objective": "dcl", "labels": "true", "step": STEPS[-1]}
    parts = (("exact", BOTH, "true"), ("control", "dcl", "shuffled"), ("control", "walk", "true"))
    found = pd.concat(
        [
            rows(columns.TRAINING, **common, step=STEPS, protocol=p, objective=o, labels=labels)
            for p, o, labels in parts
        ],
        ignore_index=True,
    )
    found = with_gap(found, 1.0)
    at, by_nscl = found["step"].map(STEPS.index), found["objective"] == "nscl"
    equal, above = found["gap"], (found["bound_ceiling"] - found["gap"]) * at / len(STEPS)
    floor = [nscl_minimum(c, N, 2, t) for c, t in zip(found["C"], found["tau"], strict=True)]
    nscl = np.array(floor, float) + (2.5 - 0.35 * at) / found["tau"] + 0.01 * found["seed"]
    followed = equal + np.where(by_nscl, 0.6, 0.3) * above
    gaps = followed.where(found["protocol"] == "exact", equal * (1 + 1e-3 * (-1.0) ** at))
    nscl = nscl - 0.01 * (by_nscl & (at > 0))
    found = found.assign(
        bound_centred=equal + above,
        gap=gaps,
        floor=floor,
        loss_nscl=nscl,
        loss_dcl=nscl + gaps,
        error_transfer=1e-15,
        difference_dcl=-1e-2 - 1e-4 * found["seed"],
        difference_nscl=0.01 + 1e-4 * found["seed"],
    )
    batch = rows(columns.BATCH_MEANS, **common, **end, batch=[32, 512], protocol="batch")
    batch["bias_gap"] = (1 + 0.01 * batch["seed"]) / batch["batch"]
    batch["bias_dcl"] = -batch["bias_gap"]
    earlier = rows(columns.EARLIER_BOUNDS, **common, **end, protocol="surrogate", negatives=64)
    bounds = {f"bound_{name}": 0.9 * np.log(earlier["C"]) for name in columns.EARLIER}
    earlier = earlier.assign(chance=np.log(earlier["C"]), **bounds)
    return pd.concat([found, batch, earlier], ignore_index=True)


def ends() -> pd.DataFrame:
    shape = {"C": 4, "n": 5, "K": [2, 1], "tau": [0.3, 1.0], "labels": "true"}
    small = [
        *("excess", "violation_minimum", "augmentation_variance", "within_class_variance"),
        *("etf_deviation", "directional_cdnv", "distance", "critical_gradient", "gradient_norm"),
    ]
    parts = []
    for part, objective, d, values in (
        ("landscape", "nscl", [3, 6], {}),
        ("landscape", "supcon", [3, 6], {}),
        ("landscape", "nscl", 2, {"excess": 0.1, "violation_minimum": -0.1}),
        ("constructed", "nscl", [3, 6], {}),
        ("imbalance", "nscl", 6, {"above_class_simplex": -0.1}),
        ("dcl", "dcl", 19, {}),
        ("class simplex", "dcl", 6, {"smallest": -0.1, "along": -0.1}),
        ("class simplex", "nscl", 6, {"descent": -0.1}),
        ("ascent", "gap", 6, {}),
    ):
        found = rows(columns.MINIMISERS, **shape, seed=SEEDS, part=part, objective=objective, d=d)
        loss = 1.0 + 0.01 * found["seed"]
        parts.append(found.assign(**dict.fromkeys(small, 1e-12) | values, loss=loss))
    one_view = parts[0]["K"] == 1
    parts[0]["augmentation_variance"] = parts[0]["augmentation_variance"].mask(one_view)
    found = rows(columns.MINIMISERS, **shape, seed=range(2), part="spurious", objective="nscl", d=3)
    excess = 0.1 + 0.1 * found["seed"]
    parts.append(found.assign(excess=excess, excess_proved=excess, newton_condition=1e-9))
    return pd.concat(parts, ignore_index=True).assign(stalled=False)


def mapped() -> pd.DataFrame:
    both = {"step": [0, 100], "labels": ["true", "shuffled"]}
    axes = {"objective": (*BOTH, "supcon")} | both
    found = rows(columns.MAPS, C=[4, 10], seed=SEEDS, **axes)
    learned = (found["step"] > 0) & (found["labels"] == "true")
    final = np.where(found["objective"] == "dcl", 0.5, 0.7) + 0.002 * found["seed"]
    purity = np.where(learned, final, 0.2)
    start = np.where(found["step"] == 0, 0.0, np.nan)
    return found.assign(purity=purity, purity_map=purity - 0.03, start_difference=start)


def estimates() -> pd.DataFrame:
    """Corrected values with a fifth of the bias, intervals that cover, bounds that hold."""
    at = {"seed": SEEDS, "n": SIZES, "draws": 100}
    of = {
        "sphere classes": small_samples.CLASSES,
        "sphere pairs": (*small_samples.PAIRS, "rsa"),
        "two points": ["known-centre bound"],
    }
    parts = [rows(columns.ESTIMATES, law=law, measure=m, **at) for law, m in of.items()]
    parts.append(rows(columns.ESTIMATES, law="atoms", measure="variance", seed=SEEDS, n=4, draws=0))
    found = pd.concat(parts, ignore_index=True)
    bias = -1 / found["n"]
    known = {"unbiased_error": 1e-15, "covered": 0.95 + 0.002 * found["seed"], "missed": 0.5}
    corrected = (0.2 + 0.01 * found["seed"]) * bias
    return found.assign(bias_plug_in=bias, bias_corrected=corrected, says_nothing=0.0, **known)


def forms() -> pd.DataFrame:
    """The forms of SupCon: hard positives pulled by one, easy ones by the other."""
    at = {"seed": SEEDS, "tau": [0.1, 1.0], "objective": ["supcon", "supcon_in"]}
    laws = ["random", "clustered", "collapsed"]
    batches = rows(columns.SUPCON, part="batches", law=laws, **at)
    share = np.where(batches["objective"] == "supcon", 0.7, 0.2) + 0.002 * batches["seed"]
    gap = np.where(batches["law"] == "collapsed", 1e-16, 0.3)
    batches = batches.assign(hard_half=share, form_gap=gap)
    laws = ["spread", "one hard", "one hard of nine", "negatives"]
    anchor = rows(columns.SUPCON, part="anchor", law=laws, **at | {"seed": 0})
    special = rows(columns.SUPCON, part=["equal", "unequal"], seed=SEEDS)
    special["difference"] = np.where(special["part"] == "equal", 1e-15, 0.1)
    triplet = rows(columns.SUPCON, part="triplet", seed=0, tau=[0.3, 100.0])
    found = pd.concat([batches, anchor, special, triplet], ignore_index=True)
    return found.assign(published_off=0.3)


def probed() -> pd.DataFrame:
    """SupCon's features are the best, and class means as good a classifier of them as any."""
    rivals = {"supcon_in": 1.0, "nt_xent": 2.0, "dcl": 2.5, "nscl": 0.5, "cross_entropy": 1.5}
    worse = {"supcon": 0.0, **rivals, accuracy.kept(2): 0.8}
    axes = {"layer": ["h", "z"], "probe": ["linear", "nearest centre"], "m": [1, 160]}
    both = {"classes": ["seen", "unseen"], "C": [10], "seed": SEEDS}
    found = rows(columns.ACCURACY, level=list(worse), **axes, **both)
    in_z = np.where(found["level"] == "cross_entropy", -1.0, 1.0) * (found["layer"] == "z")
    means = (found["probe"] == "nearest centre") * np.where(found["level"] == "nt_xent", 5, 0.1)
    points = 3 + found["level"].map(worse) + 0.3 * in_z + means
    noise = 1e-3 * np.where(found["level"] == "supcon", found["seed"], 0)
    return found.assign(error=points / 100 + noise, left=0.05)


def corrupted() -> pd.DataFrame:
    """SupCon and NSCL lose less than cross-entropy, are calibrated better, vary less."""
    kinds = {"corruption": ["blur", "noise"], "severity": [1, 2]}
    at = {"C": [10], "seed": SEEDS, "layer": ["h", "z"]}
    levels = {"part": "corrupted", "level": ["supcon", "nscl", "cross_entropy"]}
    worse = rows(columns.ROBUSTNESS, **levels, **kinds, **at)
    clean = rows(columns.ROBUSTNESS, **levels, corruption="none", severity=0, **at)
    found = pd.concat([clean, worse], ignore_index=True)
    rival = 1 + 0.5 * (found["level"] == "cross_entropy") + 0.01 * found["seed"]
    error, ece = 0.03 + 0.05 * found["severity"] * rival, 0.02 * rival
    lrs = {"lr": [0.1, 0.2, 0.4], "objective": ["supcon", "cross_entropy"]}
    grid = rows(columns.ROBUSTNESS, part="grid", severity=0, **lrs, **at | {"layer": "h"})
    grid["optimiser"] = np.where(grid["lr"] == 0.4, "sgd", "adamw")
    spread = np.where(grid["objective"] == "supcon", 0.1, 0.2) + 0.001 * grid["seed"]
    parts = found.assign(error=error, ece=ece), grid.assign(error=spread * grid["lr"])
    return pd.concat(parts, ignore_index=True).assign(left=0.05)


def transferred() -> pd.DataFrame:
    """Ten times the classes halve the error, objectives differ little, kanji are harder."""
    axes = {"objective": ["supcon", "cross_entropy", "nscl"], "C": [10, 100], "seed": SEEDS}
    probe = {"protocol": "labelled", "probe": "linear", "layer": "h", "m": [5, 40]}
    found = [
        rows(columns.ACCURACY, data="glyphs", target="glyphs", classes="seen", **axes, **probe),
        *(
            rows(columns.ACCURACY, data=source, target=target, classes="unseen", **axes, **probe)
            for source, target in (("glyphs", "glyphs"), ("glyphs", "kanji"), ("kanji", "glyphs"))
        ),
    ]
    found = pd.concat(found, ignore_index=True)
    harder = np.where(found["target"] == "kanji", 2, 1) / np.where(found["C"] == 100, 2, 1)
    level = found["objective"].map({"supcon": 0.0, "cross_entropy": 0.002, "nscl": 0.01})
    error = 0.1 * harder + level + 1e-4 * found["seed"] * (1 + (found["C"] == 10))
    found = found.assign(error=error, left=0.05)
    bounded = shots().assign(objective="nscl", data="glyphs", target="kanji", classes="unseen")
    return pd.concat([found, bounded], ignore_index=True)


def augmented() -> pd.DataFrame:
    """Without augmentation CL loses most; mixing helps a little, and cross-entropy the least."""
    losses = {"dcl": 0.3, "supcon": 0.1, "nscl": 0.12, "cross_entropy": 0.15}
    worse = {"strength 0": 1.0, "strength 1": 0.0, "strength 2": 0.5, "without crop": 0.4}
    worse |= {"mixup": -0.1}
    axes = {"level": list(worse), "objective": list(losses), "C": [5], "seed": SEEDS}
    h = rows(columns.ACCURACY, layer="h", probe="linear", **axes)
    z = rows(columns.GAP, layer="z", tau=[1.0, 0.5], **axes)
    found = pd.concat([h, z], ignore_index=True)
    lost = found["objective"].map(losses) * found["level"].map(worse)
    apart = 1e-3 * found["seed"] * (found["objective"] == "dcl") * (found["level"] != "mixup")
    better = 0.03 * (found["objective"] == "supcon") - 1e-4 * found["seed"] * (lost < 0)
    bare = found["level"] == "strength 0"
    none = bare * (1 + 0.1 * found["seed"] * (found["objective"] == "dcl"))
    found = found.assign(
        error=0.2 + lost * (1 + apart) - better, left=0.05, strength=1 - 1.0 * bare
    )
    found = found.assign(own_variance=np.where(bare, 0.0, 0.3), r=2 - none * 0.4)
    found["augmentation_variance"] = 0.1 * np.exp(none)
    return found.assign(cdnv=0.3 * np.exp(10 * lost * (1 + 0.1 * found["seed"]) * bare))


def energies() -> pd.DataFrame:
    """Half of every bound is used; without labels B is .02 too high, under shuffled ones .4."""
    of, at = columns.CAPTURED_ENERGY, {"seed": SEEDS}
    laws = [rows(of, protocol=name, r=2, m=3, **at) for name in captured_energy.ERRORS]
    where = {"objective": BOTH, "split": captured_energy.SPLITS, "labels": ["true", "shuffled"]}
    views = rows(of, protocol="views", step=[0, 800], **where, **at)
    far = np.where(views["labels"] == "true", 0.02, 0.4) + 0.001 * views["seed"]
    found = pd.concat([*laws, rows(of, protocol="axes", r=2, **at), views.assign(far=far)])
    found = found.reset_index(drop=True)
    found = found.assign(
        B=0.8, energy=0.8 + 0.001 * (found["seed"] - 3), label_free_error=found["far"]
    )
    bounds = {"bound_captured": 0.4, "bound_cosine": 0.8, "error": 0.2, "cosine": 0.4}
    return found.assign(**bounds).drop(columns="far")


def alike() -> pd.DataFrame:
    """NSCL is the nearest to CL, and the nearer the more classes; nothing is beyond its bounds."""
    of, at = columns.ALIGNMENT, {"seed": SEEDS}
    others = {"nscl": 0.9, "supcon": 0.5, "order": 0.8, "seed": 0.6}
    axes = {"other": list(others), "step": [0, 400, 800], "layer": ["h", "z"], "split": "test"}
    pairs = rows(of, protocol="pair", **axes, **at)
    near = pairs["other"].map(others) + 0.001 * pairs["seed"]
    gap = pairs["step"] / 1000 + 0.001 * pairs["seed"]
    pairs = pairs.assign(cka=near, rsa=near, weight_gap=gap, weight=np.nan)
    exact = [rows(of, protocol=p, tau=[1.0, 0.5], **at) for p in ("surrogate", "anchors")]
    made = [rows(of, protocol=p, **at) for p in ("pairs", "constructed")]
    sweeps = [
        rows(of, protocol="sweep", factor="C", C=[4, 8, 64], **at),
        rows(of, protocol="sweep", factor="tau", tau_train=[0.1, 0.5, 1.0], **at),
        rows(of, protocol="sweep", factor="batch", batch=[64, 128], rule=[*alignment.RULES], **at),
    ]
    swept = pd.concat(sweeps, ignore_index=True).assign(layer="h", other="nscl")
    varied = {"C": swept["C"], "tau": swept["tau_train"], "batch": swept["batch"]}
    x = sum(np.log(v.fillna(1).astype(float)) * (swept["factor"] == k) for k, v in varied.items())
    sign = np.where(swept["rule"] == "B", -1, 1)
    swept["cka_debiased"] = 0.5 + (0.05 + 0.001 * swept["seed"]) * sign * x
    found = pd.concat([pairs, *exact, *made, swept], ignore_index=True)
    opposed = found["protocol"] == "constructed"
    found["rsa"] = found["rsa"].where(~opposed, -0.8)
    found = found.assign(pairs_apart=np.where(opposed, 2.0, 0.5), kernels_apart=0.5)
    found = found.assign(published_rsa=-0.3, log_cap=9.0, log_drift=1.0, log_bound_drift=3.0)
    return found.assign(log_bound_composition=2.0, log_bound_gaps=1.5)


def normal() -> pd.DataFrame:
    """CL comes nearer to a Gaussian and is one to the test; cross-entropy goes the other way."""
    of, at = columns.GAUSSIANITY, {"seed": SEEDS}
    trained = {"objective": ["dcl", "cross_entropy"], "C": [10, 100], "layer": "z", **at}
    features = rows(of, protocol="features", step=[0, 800], **trained)
    shots = rows(of, protocol="few shots", step=[0, 800], m=[1, 5], **trained)
    found = pd.concat(
        [rows(of, protocol="power", law="gaussian", **at), features, shots], ignore_index=True
    )
    ended = (found["step"] == 800) * (0.02 + 0.001 * found["seed"])
    toward = np.where(found["objective"] == "dcl", -1, 1)
    found = found.assign(distance=0.1 + toward * ended, p=0.4 + 0.01 * found["seed"])
    tilted = 0.3 + 0.01 * found["seed"]
    return found.assign(norm_ratio=1.0 + 0.01 * found["seed"], log2_ratio=tilted)


def tasks() -> pd.DataFrame:
    """Every bound is half used but that of the pair; training turns axes and lowers errors."""
    of, at = columns.MULTITASK, {"seed": SEEDS}
    laws = [rows(of, protocol=name, **at) for name in ("factors", "constructed")]
    trained = {"layer": "h", "step": [0, 800], **at}
    axes = rows(of, protocol="axes", attribute=["script and case"], **trained)
    shots = rows(of, protocol="few shots", attribute=list(ATTRIBUTES), m=[1, 5], **trained)
    found = pd.concat([*laws, axes, shots], ignore_index=True)
    ended = (found["step"] == 800) * (0.2 + 0.001 * found["seed"])
    made = found["protocol"] == "constructed"
    found = found.assign(cosine=0.4 - ended + 0.6 * made, of_chance=0.9 - ended)
    return found.assign(bound_all=np.where(made, 1.2, 0.8), bound_cells=0.8, bound_pair=0.1)


def frozen() -> pd.DataFrame:
    """Models that are nearer to counting than to collapse, at every level of labels."""
    about = {"encoder": "minilm", "data": ["wordnet", "hypernyms"], "seed": SEEDS, "C": 12}
    both = columns.Table("placed", 1, (*columns.GAP.columns, *columns.PLACEMENT.columns))
    axes = {"tau": [1.0, 0.05], "labels": ["true", "coarse", "shuffled"]}
    found = rows(both, **about, **axes, protocol="exact")
    r = {"true": 1.5, "coarse": 1.3, "shuffled": 1.0}
    found = with_gap(found, found["labels"].map(r) + 0.002 * found["seed"])
    found = found.assign(position=0.1 + 0.001 * found["seed"])
    common = {"protocol": "resampled", "classes": "unseen", "split": "population"}
    both = columns.Table("sharpened", 1, (*columns.FEW_SHOT.columns, *columns.PLACEMENT.columns))
    few = rows(both, **about, **common, m=SHOTS, ways=[2, 12])
    few["error"] = 0.1 * few["m"] ** -0.8
    for name in few.columns:
        if name.startswith(("bound_", "cut_", "sharpest")):
            few[name] = 3 * few["error"]
        if name.startswith("violation_pair_"):
            few[name] = few[name].where(few["ways"] == 2)
    few["times_error"] = 3 + 0.01 * few["seed"]
    limit = rows(both, **about, **common, m=np.inf, ways=2)
    return pd.concat([found, few, limit], ignore_index=True)


def hardened() -> pd.DataFrame:
    """Orders, minima and slopes as proved; HUCL leaves the ETF above the critical tilt."""
    at = {"C": 5, "d": 5, "tau": 1.0, "seed": SEEDS, "surface": "sphere", "tilt": [0.5, 2.0]}
    parts = [
        rows(columns.HARD_GEOMETRY, part=part, objective=objective, **at)
        for part, objective in (
            *(("order", "hscl"), ("minimum", "scl_ball"), ("slope", "ucl_ball")),
            *(("threshold", "ucl_ball"), ("held", "ucl_ball")),
        )
    ]
    found = pd.concat(parts, ignore_index=True)
    exact = (
        "excess",
        "loss_error",
        "zero_sum",
        "unit_norm",
        "equal_products",
        "within_class_variance",
    )
    found = found.assign(**dict.fromkeys((*exact, "rho_error"), 1e-12), loss=0.4, stalled=False)
    above = (found["part"] == "threshold") & (found["tilt"] == 2)
    found["violation_etf"] = found["violation_etf"].where(above)
    return found


def collapsed_or_not() -> pd.DataFrame:
    """Every start at the closed form."""
    shape = {"C": 3, "n": 3, "tau": 0.5, "seed": SEEDS}
    parts = [
        rows(columns.CLASS_COLLAPSE, part=part, objective=objective, alpha=alpha, **shape)
        for part, objective, alpha in (
            ("mixture", "ssem", [0.2, 0.8]),
            ("others", "supcon", np.nan),
            ("features", "", np.nan),
        )
    ]
    errors = ("excess", "within_cosine_error", "variance_error", "energy_error")
    return pd.concat(parts, ignore_index=True).assign(**dict.fromkeys(errors, 1e-12), loss=0.4)


def harder() -> pd.DataFrame:
    """H-UCL follows H-SCL, A* spreads; the hardened gap falls more slowly; hardness helps."""
    names = ["nt_xent", "scl_jiang", "hucl", "hscl"]
    steps = dict(step=[0, 10, 100], objective=names, seed=SEEDS, hardening="exponential")
    along = rows(columns.HARD_NEGATIVES, part="order", split="train", beta=[0.0, 1.0], **steps)
    order = along["step"] + along["seed"] + along["beta"]
    along = along.assign(loss_hscl=order, loss_hucl=order + 1, loss_ucl=order * 7 % 11, over=-0.5)
    along["premise"] = 0.5 + along["step"] / 300 + 0.001 * along["seed"]
    crossing = rows(columns.HARD_NEGATIVES, part="crossing", objective=names, seed=SEEDS)
    ends = rows(columns.HARD_NEGATIVES, part="encoders", objective=names, seed=SEEDS)
    hard = ends["objective"].isin(["hucl", "hscl"])
    ends = ends.assign(beta=np.where(hard, 1.0, np.nan))
    ends["error"] = np.where(hard, 0.2, 0.3) + 0.001 * ends["seed"] * hard
    gaps = rows(columns.HARD_NEGATIVES, part="classes", C=[2, 8, 32], beta=[0.0, 2.5], seed=SEEDS)
    power = np.where(gaps["beta"] > 0, -0.5, -1.0) - 0.01 * gaps["seed"] * (gaps["beta"] > 0)
    gaps["gap"] = np.log1p((gaps["C"] - 1) ** power)
    found = pd.concat([along, crossing, ends, gaps], ignore_index=True)
    return found.assign(violation_equivalence=0.0, violation_crossing=0.0)


def families() -> pd.DataFrame:
    """Free embeddings at their minima; encoders of which NT-Xent's lose most in small batches."""
    free = dict(seed=[0, 1], loss=0.5, rows="not negative", objective="supcon")
    parts = [
        rows(columns.LOSS_FAMILIES, part=part, **free)
        for part in ("simplex", "polytope", "sigmoid", "frame", "prototypes", "debiased")
    ]
    designs = ["halves", "apart", "bound"]
    parts.append(rows(columns.LOSS_FAMILIES, part="fixed batches", design=designs, **free))
    batched = dict(part="batches", objective=["kcl", "dhel"], seed=[0, 1])
    parts.append(rows(columns.LOSS_FAMILIES, **batched))
    learned = dict(part="learned", seed=0, objective="sigmoid")
    parts.append(rows(columns.LOSS_FAMILIES, **learned).assign(loss=1e-12, no_margin=-0.1))
    names = ["nt_xent", "dhel", "kcl"]
    trained = dict(part="encoders", objective=names, batch=[16, 128], seed=SEEDS)
    parts.append(rows(columns.LOSS_FAMILIES, **trained))
    found = pd.concat(parts, ignore_index=True)
    exact = ("excess", "cosine_error", "own_error", "frame_error")
    found = found.assign(**dict.fromkeys(exact, 1e-12), bias_size=1e-14, rank_error=0.0, spread=0.1)
    found = found.assign(not_frame=-0.1, not_broken=-0.5)
    worse = (found["objective"] == "nt_xent") & (found["batch"] == 16)
    found["error"] = np.where(worse, 0.4, 0.2) + 0.001 * found["seed"] * worse
    return found.assign(rankme=np.where(worse, 5, 9) + 0.01 * found["seed"] * worse)


def unequal() -> pd.DataFrame:
    """Programme, thresholds and encoders whose small classes lose; Soft SupCon's lose less."""
    soft = {"C": 4, "objective": "soft_supcon", "tau": 0.5, "imbalance": 16.0}
    parts = [
        rows(columns.IMBALANCE, part="programme", softness=0.1, seed=0, **soft),
        rows(columns.IMBALANCE, part="programme", softness=0.03, seed=0, **soft),
        rows(columns.IMBALANCE, part=["threshold", "limit", "gaps"], seed=0, objective="nscl"),
        rows(columns.IMBALANCE, part="free", seed=[0, 1], objective="nscl", tau=0.5, counts="4 2"),
    ]
    trained = dict(group=["large", "small"], imbalance=[1.0, 100.0], seed=SEEDS)
    trained |= dict(part="encoders", split="test", layer="z")
    objectives = ["nscl", "supcon", "soft_supcon"]
    parts.append(rows(columns.IMBALANCE, objective=objectives, **trained))
    found = pd.concat(parts, ignore_index=True)
    exact = ("gap_dual", "excess", "spread", "parted_above", "limit_error", "regular_error")
    found = found.assign(**dict.fromkeys(exact, 1e-12), tilt=-0.3, cosine_below=0.9, loss=1.0)
    small = (found["group"] == "small") & (found["imbalance"] == 100)
    found["error"] = np.where(small, 0.3, 0.2) + 0.001 * found["seed"] * small
    least = np.where(found["objective"] == "soft_supcon", 0.1, 0.3)
    found["cosine"] = np.where(small, least, 0.0) + 0.001 * found["seed"] * small
    return found


def forgotten() -> pd.DataFrame:
    """Subclasses that SupCon learns and unlearns, and the others go on learning."""
    axes = dict(feature=["class", "subclass"], layer=["h", "z"], seed=SEEDS, step=STEPS)
    found = rows(columns.KEPT, objective=["dcl", "nscl", "supcon", "ssem"], **axes)
    supcon, end = found["objective"] == "supcon", found["step"] == max(STEPS)
    learnt = found["step"].map({step: 0.8 - 0.1 * k for k, step in enumerate(STEPS)})
    error = learnt + 0.3 * (supcon & end) + 0.001 * found["seed"] * end
    return found.assign(error_linear=np.where(supcon, error + 0.01, error))


def suppressed() -> pd.DataFrame:
    """Stripes that cost CL's characters most in few dimensions, and SupCon's least."""
    axes = dict(layer=["h", "z"], seed=SEEDS, step=[0, 50, 100], d=[4, 64], contrast=[0.0, 0.5])
    about = dict(objective=["dcl", "supcon", "ssem"], feature=["character", "stripes"])
    found = rows(columns.KEPT, **axes, **about)
    cost = found["objective"].map({"dcl": 0.3, "supcon": 0.05, "ssem": 0.1})
    cost = cost.where(found["d"] == 4, cost / 3) * (found["contrast"] > 0)
    easy = found["feature"] == "stripes"
    return found.assign(
        error_linear=0.3 + cost * (1 + 0.01 * found["seed"]),
        of_chance=np.where(easy, 0.2, 0.5) + 0.001 * found["seed"],
    )


def spread_out() -> pd.DataFrame:
    """Class means that hardness and normalisation keep in many dimensions, up to a tilt of 5."""
    about = dict(objective=["scl_ball", "ucl_ball"], surface=["ball", "none"], seed=SEEDS)
    about |= dict(weights=["held constant", "differentiated"], tilt=[0.0, 2.0, 5.0, 30.0])
    found = rows(columns.DIMENSIONAL_COLLAPSE, **about, step=[0, 100], C=10, tau=np.nan)
    near = found["tilt"].map({0.0: 0.4, 2.0: 0.2, 5.0: 0.1, 30.0: 0.3})
    noise = 0.001 * found["seed"]
    return found.assign(
        equal_products=near + noise * (found["tilt"] == 5),
        means_rank=9 - 10 * near - (found["surface"] == "none") + noise * (found["tilt"] == 5),
        cosine=0.1 * (found["weights"] == "differentiated") * (1 + noise),
    )


def framed() -> pd.DataFrame:
    """Prototypes that steady training, and rows without a negative entry that imbalance spares."""
    table, one = columns.ORTHOGONAL_FRAMES, {"seed": SEEDS, "trained_imbalance": 1.0, "named": 1.0}
    parts = [
        rows(table, study="rate", pull=[0.0, 1.0], lr=[0.002, 0.03], batch=128, **one),
        rows(table, study="batch", pull=[0.0, 1.0], lr=0.002, batch=[32, 256], **one),
        rows(table, study="labels", **one | {"named": [0.0, 0.1, 1.0]}),
        rows(table, study="rectified", surface=["sphere", "positive"],
             **one | {"trained_imbalance": [1.0, 10.0]}),
    ]  # fmt: skip
    found = pd.concat(parts, ignore_index=True).assign(violation_frame=-0.1)
    noise, pulled = 0.001 * found["seed"], found["pull"] > 0
    hard = (found["lr"] > 0.01) | (found["batch"] < 100)
    found["error"] = 0.3 + hard * np.where(pulled, 0.05, 0.3) - 0.1 * (found["named"] > 0) * noise
    found.loc[found["study"] == "labels", "error"] = 0.5 - 0.2 * (found["named"] > 0) + noise
    found["means_rank"] = 8 + pulled + noise
    unequal = (found["trained_imbalance"] > 1) & (found["surface"] == "sphere")
    found["spread"] = 0.2 + 0.4 * unequal + noise
    found["equal_products"] = 0.1 + 0.3 * unequal + noise * unequal
    found["frame_distance"] = 0.05
    return found


def dissected() -> pd.DataFrame:
    protocols = ["sweep", "followed", "simplex"]
    about = {"C": [4, 8], "seed": SEEDS, "step": [0, 100], "objective": BOTH, "tau": [1.0, 0.5]}
    found = rows(columns.ANATOMY, protocol=protocols, **about)
    found = found.assign(supcon_excess=1.2, supcon_anatomy_error=1e-12, supcon_share_collapse=0.8)
    found = found.assign(nt_xent_excess=1.1, nt_xent_anatomy_error=1e-12)
    found = found.assign(violation_supcon_terms=-0.1, violation_nt_xent_terms=-0.1)
    found = found.assign(bound_four=0.51, bound_four_low=0.49, violation_four=-1e-2)
    found = found.assign(violation_four_low=-1e-2)
    found = found.assign(excess=0.51, worth_collapse=0.52, within=0.95, bound_moments=0.6)
    return found.assign(share_collapse=0.1 + 0.001 * found["seed"])


def controlled() -> pd.DataFrame:
    """Everything but the number of classes leaves r as it is; shuffled labels fall more slowly."""
    of, at = columns.GAP, {"seed": SEEDS, "tau": [1.0, 0.5], "labels": ["true", "shuffled"]}
    sizes, both = {"C": [4, 8, 64]}, {"split": ["train", "test"]}
    three = {"objective": ["dcl", "nscl", "nt_xent"]}
    parts = [
        rows(of, factor="base", step=100, **sizes, **both, **three, **at),
        rows(
            of, factor=["views", "images"], step=100, objective="dcl", split="train", **sizes, **at
        ),
        rows(of, factor="subset", step=100, objective="dcl", split="train", C=[4, 8], **at),
        rows(of, factor="steps", step=[200, 400], objective="dcl", split="train", C=[4], **at),
    ]
    found = pd.concat(parts, ignore_index=True)
    slope = np.where(found["labels"] == "true", 1.0, 0.5)
    gap = np.log1p(0.1 * (found["C"] - 1.0) ** -slope)
    return found.assign(gap=gap, r=1.3 + 1e-4 * found["seed"])


EXPERIMENTS = {  # the claims of an experiment, and a table on which they hold
    "gap controls": (gap_controls.claims((1.0, 0.5), 1.0, (4, 8, 64), 2, (4,)), controlled()),
    "sweep": (gap.sweep(0.5, 1.0, (4, 8, 64), "glyphs"), sweep()),
    "published sweep": (gap.sweep(0.5, 1.0, (2, 10), "cifar10"), sweep("cifar10", (2, 10))),
    "grid": (gap.grid((1.0, 0.5, 0.1), 1.0, 3), grid()),
    "collapse": (collapse.claims((10, 100), tuple(FALLS)), geometry()),
    "anatomy": (anatomy.claims(1.0, (4, 8)), dissected()),
    "few shots": (few_shot.claims(100, BOTH, SHOTS, True), shots()),
    "counterexample": (few_shot.counterexample((100, 10_000), (1.0, 2.0)), counterexample()),
    "training": (training.claims(0.5, 1.0, (10, 100), True), along_training()),
    "free": (minima.free((-1, 0, 3), 20), ends()),
    "maps": (maps.claims("tsne", (*BOTH, "supcon")), mapped()),
    "hard geometry": (hard_geometry.claims((0.5, 2.0), (1.0,)), hardened()),
    "class collapse": (class_collapse.claims(), collapsed_or_not()),
    "subclass probes": (
        subclass_probes.claims(("dcl", "nscl", "supcon", "ssem")),
        forgotten(),
    ),
    "simplicity bias": (
        simplicity_bias.claims(("dcl", "supcon", "ssem"), True),
        suppressed(),
    ),
    "dimensional collapse": (
        dimensional_collapse.claims((0.0, 5.0, 30.0), (5.0,), (5.0,)),
        spread_out(),
    ),
    "orthogonal frames": (
        orthogonal_frames.claims((0.002, 0.03), (32, 256), (0.0, 0.1, 1.0), True),
        framed(),
    ),
    "hard negatives": (hard_negatives.claims(True, (0.0, 2.5)), harder()),
    "loss families": (loss_families.claims(True, 5), families()),
    "imbalance": (
        imbalance.claims(True, True, ("nscl", "supcon", "soft_supcon"), (1.0, 100.0)),
        unequal(),
    ),
    "captured energy": (captured_energy.claims(BOTH), energies()),
    "alignment": (
        alignment.claims(
            ("supcon",), (1.0, 0.5), classes=True, temperatures=True, rules=tuple(alignment.RULES)
        ),
        alike(),
    ),
    "gaussianity": (gaussianity.claims(("dcl", "cross_entropy"), (10, 100)), normal()),
    "multitask": (multitask.claims(ATTRIBUTES), tasks()),
    "small samples": (small_samples.claims(SIZES), estimates()),
    "supcon forms": (supcon.claims((0.3, 100.0)), forms()),
    "accuracy": (
        accuracy.claims(
            (10,), ("supcon", "supcon_in", "nt_xent", "dcl", "nscl", "cross_entropy"), (2,)
        ),
        probed(),
    ),
    "robustness": (
        robustness.claims((10,), ("supcon", "nscl", "cross_entropy"), grid=True),
        corrupted(),
    ),
    "augmentation": (
        augmentation.claims(
            (5,),
            ("dcl", *augmentation.SUPERVISED),
            (1.0, 0.5),
            1.0,
            (0.0, 2.0),
            ("crop",),
            ("mixup",),
        ),
        augmented(),
    ),
    "transfer": (
        transfer.claims(
            "glyphs",
            ("kanji",),
            (10, 100),
            ("supcon", "cross_entropy", "nscl"),
            ("supcon", "cross_entropy"),
            (10,),
        ),
        transferred(),
    ),
    "pretrained": (placement.claims((1.0, 0.05), ("minilm",), True, SHOTS, True), frozen()),
}
