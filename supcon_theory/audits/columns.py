"""The columns of every table, declared once: what audits write, claims check and drawings draw.

Imports neither torch nor anything else that is slow. A `Table` has a name, a version, which is part
of the key of every cell that holds its numbers (raise it when they change), and its columns.

Sign rule: `violation_<x>` > 0 exactly where statement x is broken (up to the rounding that a claim
allows). No other column bears that prefix: `excess` is a loss less its minimum, `difference_*` one
encoder less another, `*_above_floor` a loss less its floor, `*_error` a distance of two values that
are the same in exact arithmetic. Names made of a bound (`bound_*`, `cut_*`, `violation_*`,
`violation_pair_*`, `directional_*`, `dispersion_*`, `limit_*`, `half_*`) are generated from the
lists of bounds below. Columns that are about balanced classes are present, and NaN, for others.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Column(NamedTuple):
    """A column: its name, its unit ("nats", "1", "" for words) and what it means."""

    name: str
    unit: str
    meaning: str


class Table(NamedTuple):
    """The columns that one audit adds to those of `IDENTITY`, and the version of their numbers."""

    name: str
    version: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def declared(tables: Iterable[Table]) -> set[str]:
    """The names that tables may have: those of `IDENTITY` and of each table given.

    Args:
        tables: The tables that an experiment writes.

    Returns:
        All declared names.
    """
    return {name for table in (IDENTITY, *tables) for name in table.names}


def _table(name: str, version: int, *columns: Column) -> Table:
    return Table(name, version, columns)


def _family(prefix: str, names: Mapping[str, str], unit: str, meaning: str) -> tuple[Column, ...]:
    """`prefix_<name>` for every name; `{}` in the meaning is what the name stands for."""
    return tuple(Column(f"{prefix}_{n}", unit, meaning.format(what)) for n, what in names.items())


# ---- what a row is about -------------------------------------------------------------------------
IDENTITY = _table(
    "identity",
    1,
    Column("cell", "", "key of the cell that wrote the row"),
    Column("data", "", "name of the data set"),
    Column("C", "1", "number of classes"),
    Column("n", "1", "samples per class (the mean where they differ)"),
    Column("K", "1", "views per sample that were evaluated"),
    Column("d", "1", "dimension of the embeddings"),
    Column("objective", "", "id of the loss that was minimised"),
    Column("seed", "1", "seed, the unit of resampling; of free embeddings, the start"),
    Column("tau_train", "1", "temperature trained at"),
    Column("step", "1", "optimiser steps taken"),
    Column("epoch", "1", "passes over the training images taken"),
    Column("split", "", "train or test (held-out) images, or population"),
    Column("layer", "", "h (backbone) or z (unit embeddings)"),
    Column("labels", "", "true, shuffled, or another labelling of the same samples"),
    Column("tau", "1", "temperature evaluated at; NaN where a row has none"),
    Column("protocol", "", "how the row was measured"),
    Column("part", "", "study of free embeddings"),
    Column("classes", "", "seen or unseen in training, or a law of known moments"),
    Column("probe", "", "classifier of the few-shot error"),
    Column("encoder", "", "name of the network"),
    Column("imbalance", "1", "n_max / n_min of the evaluated labels"),
    Column("trained_imbalance", "1", "n_max / n_min of the images trained on"),
    Column("trained_K", "1", "views per sample in training"),
    Column("factor", "", "what is varied against the base setting"),
    Column("value", "", "the value that it takes"),
    Column("level", "", "factor and value, one name for each point of a grid"),
    Column("method", "", "how a map was made: tsne, pca or umap"),
    Column("counts", "", "class sizes, in words, where they differ by design"),
    Column("iteration", "1", "iterations of the optimiser of free embeddings so far"),
    Column("start", "", "kind of the start of free embeddings"),
)

# ---- the gap -------------------------------------------------------------------------------------
_LOSSES = (
    Column("loss_dcl", "nats", "mean DCL loss over all anchors"),
    Column("loss_nscl", "nats", "mean NSCL loss over all anchors"),
    Column("gap", "nats", "mean over anchors of log(1 + S / D)"),
)
_RATIO = Column("r", "1", "(exp(gap) - 1) over its value at equal similarities")
MEAN_BOUNDS = {  # on the mean gap; each has a violation
    "ceiling": "collapsed-ETF ceiling (balanced)",
    "published": "log(1 + e^(2/tau) / (C - 1)) (balanced)",
    "n_max": "log(1 + n_max e^(2/tau) / (N - n_max))",
    "class_average": "mean over anchors of their own upper bounds",
}
ANCHOR_BOUNDS = {  # on each anchor's gap; the violation is that of the worst anchor
    "lower": "lower bound of an anchor's gap",
    "upper": "upper bound of an anchor's gap",
    "centred": "label-free centred bound of an anchor's gap (balanced)",
    "interval": "interval of an anchor's log r, its range of cosines over tau",
}

GAP = _table(
    "gap",
    1,
    *_LOSSES,
    _RATIO,
    Column("bound_equal", "nats", "the gap at equal similarities"),
    *_family("bound", MEAN_BOUNDS, "nats", "{}"),
    *_family("violation", MEAN_BOUNDS, "nats", "mean gap less bound: {}"),
    *_family("violation", ANCHOR_BOUNDS, "nats", "worst anchor outside: {}"),
    Column("ceiling_proved", "1", "1 if the ceiling is a theorem here, 0 if not (balanced)"),
    Column("identity_error", "nats", "worst |L_DCL - L_NSCL - log(1 + S/D)|, dense anchors"),
    Column("distance_error", "1", "worst ||p_CL - p_NSCL|_1 - 2 (1 - e^-gap)|, dense anchors"),
    Column("rounding_error", "nats", "worst |tiled - dense| gap, dense anchors, float64 rows"),
)

FLOORS = _table(
    "floors",
    1,
    Column("nscl_above_floor", "nats", "mean NSCL loss less its minimum (balanced)"),
    Column("nscl_coupled_above_floor", "nats", "the same of the coupled NSCL loss"),
    Column("violation_nscl_floor", "nats", "minus nscl_above_floor"),
    Column("violation_nscl_coupled_floor", "nats", "minus nscl_coupled_above_floor"),
)

# ---- along training ------------------------------------------------------------------------------
TRAINING = _table(
    "training",
    1,
    *GAP.columns,
    Column("floor", "nats", "lower bound of NSCL for these class sizes"),
    Column("violation_floor", "nats", "floor less NSCL loss"),
    Column("level_dcl", "nats", "DCL loss less the mean log number of its negatives"),
    Column("level_nscl", "nats", "NSCL loss less the mean log number of its negatives"),
    Column("bound_centred", "nats", "mean over anchors of the centred bound (balanced)"),
    Column("difference_dcl", "nats", "DCL loss, CL- less NSCL-trained encoder"),
    Column("difference_nscl", "nats", "the same of the NSCL loss"),
    Column("gap_partner", "nats", "gap of the NSCL-trained encoder"),
    Column("error_transfer", "nats", "distance from the identity behind the transfer bound"),
)
BATCH_MEANS = _table(
    "batch_means",
    1,
    Column("batch", "1", "samples in a mini-batch"),
    Column("batches", "1", "mini-batches in the epoch"),
    *_LOSSES,
    Column("level_dcl", "nats", "DCL loss less the log number of its negatives in the batch"),
    Column("level_nscl", "nats", "NSCL loss less the mean log number of its negatives"),
    Column("violation_batch", "nats", "worst anchor outside the bounds of its batch's counts"),
    Column("bias_dcl", "nats", "level_dcl less its exact value"),
    Column("bias_nscl", "nats", "level_nscl less its exact value"),
    Column("bias_gap", "nats", "gap less its exact value"),
)
EARLIER_UPPER = {
    "arora": "arXiv 1902.09229",
    "nozawa_sato": "arXiv 2102.06866",
    "bao": "arXiv 2110.02501",
}
EARLIER = EARLIER_UPPER | {"bao_lower": "arXiv 2110.02501, lower"}
EARLIER_BOUNDS = _table(
    "earlier_bounds",
    1,
    Column("negatives", "1", "number M of independent negatives"),
    Column("loss_contrastive", "nats", "exact expected loss with M negatives"),
    Column("loss_supervised", "nats", "loss of the class-mean classifier"),
    Column("chance", "nats", "log C, the supervised loss of a constant encoder"),
    *_family("bound", EARLIER, "nats", "mean bound on the supervised loss: {}"),
    *_family("violation", EARLIER, "nats", "worst anchor beyond the bound: {}"),
)
LOSS_CURVES = _table(
    "loss_curves",
    1,
    Column("points", "1", "checkpoints of the curve"),
    Column("pearson", "1", "correlation of DCL and NSCL loss over training"),
    Column("forced", "1", "least correlation that a bounded gap allows"),
    Column("violation_forced", "1", "forced less pearson"),
    Column("slope", "1", "least-squares slope of DCL on NSCL loss"),
    Column("pearson_gap", "1", "correlation of the gap and its centred bound"),
    Column("range_nscl", "nats", "largest less smallest NSCL loss"),
    Column("range_gap", "nats", "largest less smallest gap"),
    Column("bound", "nats", "largest n_max bound on the gap along the curve"),
    Column(
        "violation_transfer", "nats", "L_NSCL(f) - L_NSCL(g) - gap(g) where L_DCL(f) <= L_DCL(g)"
    ),
)

# ---- few shots -----------------------------------------------------------------------------------
PAIRWISE = {
    "theorem_4_1": "Theorem 4.1 of arXiv 2603.03530",
    "theorem_c_2": "Theorem C.2 of arXiv 2603.03530",
    "cantelli": "Cantelli certificate of exact second moments",
}
AVERAGED = {
    "neurips": "Proposition 1 of arXiv 2506.04411 (NeurIPS), best a",
    "neurips_16": "the same with a = 16",
    "older": "1/m form of arXiv 2506.04411v1 (refuted)",
}
TIGHTENED = {"tightened": "NeurIPS form tightened, same moments"}
BOUNDS = PAIRWISE | AVERAGED | TIGHTENED
CERTIFICATES = {
    f"conditional_{kind}": f"{kind} certificate given the test point"
    for kind in ("cantelli", "chernoff", "trigonometric")
}
CROSSED = ("theorem_4_1", "neurips", "cantelli")  # the bounds whose half_* and *_from_* are found
LIMITED = ("theorem_4_1", "theorem_c_2", "neurips", "older", "cantelli")
_TERMS = PAIRWISE | AVERAGED
_SHOT = (
    Column("m", "1", "labelled examples per class; inf: known class means"),
    Column("ways", "1", "classes in an episode"),
    Column("draws", "1", "support draws"),
    Column("error", "1", "mean error over the draws"),
)
_CROSSED, _LIMITED = ({n: BOUNDS[n] for n in names} for names in (CROSSED, LIMITED))
FEW_SHOT = _table(
    "few_shot",
    1,
    *_SHOT,
    Column("error_se", "1", "standard error of `error` over the draws"),
    Column("error_sd", "1", "standard deviation over the draws"),
    Column("gradient", "1", "largest gradient norm at which a linear probe stopped"),
    Column("unconverged", "1", "linear probes that are not proved optimal"),
    *_family("bound", BOUNDS | CERTIFICATES, "1", "bound, as published, not cut at 1: {}"),
    *_family("cut", BOUNDS | CERTIFICATES, "1", "mean of the pairs' bounds cut at 1: {}"),
    *_family("violation", BOUNDS | CERTIFICATES, "1", "error less 5 se less min(1, cut): {}"),
    *_family("violation_pair", PAIRWISE | CERTIFICATES, "1", "the same of the worst pair: {}"),
    *_family("directional", _TERMS, "1", "directional part of the two-way bound: {}"),
    *_family("dispersion", _TERMS, "1", "the rest of the two-way bound: {}"),
    Column("violation_order", "1", "largest theorem_4_1 / theorem_c_2 - 1 of a pair"),
    Column("failed_margins", "1", "share of pairs where Theorem 4.1 has no bound"),
    Column("V", "1", "mean CDNV over ordered pairs (single convention)"),
    Column("V_root", "1", "mean square root of the pairs' CDNV"),
    Column("V_dir", "1", "mean directional CDNV"),
    Column("violation_V_dir", "1", "largest directional less single CDNV of a pair"),
    Column("bound_known", "1", "mean of 4 V_dir / (1 + 4 V_dir)"),
    Column("violation_pair_known", "1", "worst pair's error with known means less that bound"),
    Column("crossing", "1", "m above which theorem_4_1 is below neurips"),
    *_family("limit", _LIMITED, "1", "distance at m = 1e16 / limit: {}"),
    *_family("half", _CROSSED, "1", "m above which below 1/2: {}"),
    *_family("directional_from", _CROSSED, "1", "m above which its larger part: {}"),
)
FEW_SHOT_CURVES = _table(
    "few_shot_curves",
    1,
    Column("ways", "1", "classes in an episode"),
    Column("bound", "", "name of the bound; flat is 1/sqrt(m)"),
    Column("points", "1", "numbers of shots at which it is finite"),
    Column("pearson", "1", "correlation over m of error and bound"),
    Column("spearman", "1", "rank correlation over m of error and bound"),
    Column("slope_error", "1", "log-log slope of the error over m"),
    Column("slope_bound", "1", "log-log slope of the bound over m"),
)
COUNTEREXAMPLE_VALID = {
    "neurips": AVERAGED["neurips"],
    "neurips_rounded": "NeurIPS form, rounded constants",
    **TIGHTENED,
    **PAIRWISE,
}
COUNTEREXAMPLE = _table(
    "counterexample",
    1,
    *_SHOT,
    Column("scale", "1", "V in units of sqrt(m)"),
    Column("V", "1", "variance of the nuisance, squared distance of the means 1"),
    Column("error_exact", "1", "error by numerical integration"),
    *_family("bound", {"older": AVERAGED["older"]} | COUNTEREXAMPLE_VALID, "1", "{}"),
    *_family("violation", COUNTEREXAMPLE_VALID, "1", "exact error less bound: {}"),
)

# ---- geometry ------------------------------------------------------------------------------------
_GEOMETRY = (
    Column("augmentation_variance", "1", "variance of a sample's views about their mean"),
    Column("within_class_variance", "1", "variance of the samples about their class mean"),
    Column("cdnv", "1", "mean class-distance-normalised variance"),
    Column("directional_cdnv", "1", "the same along the line between the two class means"),
    Column("etf_deviation", "1", "distance of the cosines of class means from a simplex ETF"),
    Column("equinorm", "1", "coefficient of variation of the norms of centred class means"),
    Column("equiangularity", "1", "standard deviation of their cosines"),
    Column("rankme", "1", "effective rank: exp of the entropy of the singular values"),
)
GEOMETRY = _table(
    "geometry",
    1,
    *_GEOMETRY,
    Column("nc1", "1", "tr(Sigma_W pinv(Sigma_B)) / C"),
    Column("max_angle", "1", "mean |cosine of centred class means + 1 / (C - 1)|"),
    Column("alignment", "1", "mean squared distance of two views of a sample"),
    Column("uniformity", "1", "log mean exp(-2 |z - z'|^2) over pairs of samples"),
    Column("cdnv_debiased", "1", "CDNV over debiased distances"),
    Column("directional_cdnv_debiased", "1", "directional CDNV over debiased distances"),
)
# Rows of labels "true", layer z: geometry in one with tau NaN, FLOORS in one for each tau.
COLLAPSE = Table("collapse", 1, (*GEOMETRY.columns, *FLOORS.columns))
PAIRS = _table(
    "pairs",
    1,
    Column("class_i", "", "class whose variance it is"),
    Column("class_j", "", "the other class"),
    Column("cdnv", "1", "(v_i + v_j) / (2 d_ij^2)"),
    Column("directional_cdnv", "1", "u_ij' Sigma_i u_ij / d_ij^2"),
    Column("distance", "1", "d_ij, distance of the class means"),
)
SPECTRUM = _table(
    "spectrum",
    1,
    Column("rank", "1", "place of the singular value, the largest first"),
    Column("singular_value", "1", "singular value of the centred features over the largest"),
)
RANKS = _table(
    "ranks",
    1,
    Column("rankme", "1", "effective rank: exp of the entropy of the singular values"),
    Column("participation_ratio", "1", "(sum sigma^2)^2 / sum sigma^4, centred"),
    Column("stable_rank", "1", "sum sigma^2 / max sigma^2, centred"),
    Column("power_law", "1", "alpha of sigma_k^2 ~ k^-alpha over the upper half of the ranks"),
    Column("lidar", "1", "effective rank of what tells samples apart, views being noise"),
)
PROBES = _table(
    "probes",
    1,
    Column("probe", "", "classifier fitted to one half of every class"),
    Column("m", "1", "labelled examples per class"),
    Column("error", "1", "all-way error on the other half, mean over the draws"),
    Column("draws", "1", "support draws"),
)
GRAM = _table(
    "gram",
    1,
    Column("panel", "", "which matrix"),
    Column("i", "1", "row of the matrix"),
    Column("j", "1", "column of the matrix"),
    Column("cosine", "1", "cosine of class means or samples i and j"),
)
NEIGHBOURS = 10  # nearest neighbours whose classes are looked at
MAPS = _table(
    "maps",
    1,
    Column("neighbours", "1", "nearest neighbours looked at"),
    Column("purity", "1", "share of the nearest embeddings that have the same class"),
    Column("purity_map", "1", "the same among the points of the map"),
    Column("trustworthiness", "1", "1 if the map makes no neighbours that the features lack"),
    Column("start_difference", "1", "largest |CL - NSCL| embedding before training"),
)
MAP_POINTS = _table(
    "points",
    1,
    Column("row", "1", "the image's row in its data set"),
    Column("class", "1", "class of the image"),
    Column("x", "1", "first coordinate of the map"),
    Column("y", "1", "second coordinate of the map"),
)

# ---- free embeddings -----------------------------------------------------------------------------
MINIMISERS = _table(
    "minimisers",
    1,
    Column("loss", "nats", "value of the objective"),
    *_LOSSES,
    *_GEOMETRY,
    Column("positions", "1", "most points that the rows of one class occupy"),
    Column("note", "", "why the ETF deviation is NaN"),
    Column("floor", "nats", "closed-form minimum (or floor) of the objective"),
    Column("excess", "nats", "loss less floor"),
    Column("violation_minimum", "nats", "floor less loss"),
    Column("gradient_norm", "1", "Riemannian gradient norm where the optimiser stopped"),
    Column("stalled", "1", "true if the optimiser stopped above its tolerance"),
    Column("iterations", "1", "iterations of the optimiser"),
    Column("distance", "nats", "|loss - minimum| at the constructed minimiser"),
    Column("cdnv_error", "1", "distance of CDNV from (n - 1) / 2"),
    Column("gap_error", "nats", "distance of the gap from log(1 + (n - 1) / (N - n))"),
    Column("nscl_excess", "nats", "NSCL loss less its minimum, of a minimiser of dcl"),
    Column("violation_not_etf", "1", ".1 less the ETF deviation (unequal classes)"),
    Column("above_class_simplex", "nats", "loss less that of the class simplex"),
    Column("bound_ceiling", "nats", "collapsed-ETF ceiling of the gap"),
    Column("violation_ceiling", "nats", "gap less the ceiling (ascents)"),
    Column("ceiling_proved", "1", "1: proved; 0: the proof's condition fails; NaN: undecided"),
    Column("hits", "1", "starts that ended in this critical point"),
    Column("critical_gradient", "1", "gradient norm where the Hessian was taken"),
    Column("rotations", "1", "dimensions of the rotations of the configuration"),
    Column("zero_modes", "1", "Hessian eigenvalues that are 0 to rounding"),
    Column("smallest", "1", "smallest eigenvalue of the Hessian times N K"),
    Column("smallest_but_rotations", "1", "the same, orthogonal to the rotations"),
    Column("rotation_residual", "1", "largest |eigenvalue| along the rotations"),
    Column("descent", "1", "minus smallest_but_rotations"),
    Column("along", "1", "second derivative in the direction that spreads one class"),
    Column("occupancy", "", "for each class, how many samples sit at each of its points"),
    *(
        Column(f"{views}_{end}", "1", f"{end} curvature in random directions, {views}")
        for views in ("views_together", "views_independent")
        for end in ("min", "max")
    ),
)
EIGENVALUES = Table("eigenvalues", 1, (Column("eigenvalue", "1", "of the Hessian times N K"),))
WINDOWS = Table(
    "windows",
    1,
    tuple(
        Column(f"{side}_{end}", "1", f"{end} end of the {side} enclosure of the open temperatures")
        for side, end in (("outer", "low"), ("inner", "low"), ("inner", "high"), ("outer", "high"))
    ),
)

# ---- any embeddings ------------------------------------------------------------------------------
EMBEDDINGS = _table(
    "embeddings",
    1,
    *_LOSSES,
    _RATIO,
    *GEOMETRY.columns,
    Column("norm_mean", "1", "mean norm of the rows as given"),
    Column("norm_sd", "1", "standard deviation of the norms"),
    Column("norm_min", "1", "smallest norm"),
    Column("norm_max", "1", "largest norm"),
)

TABLES = {table.name: table for table in tuple(globals().values()) if isinstance(table, Table)}
